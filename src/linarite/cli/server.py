"""What is asked of a running server: where it is, a workspace's keys, an identity, the way to its doors."""

from __future__ import annotations

import json
import shlex
from importlib import import_module
from typing import Annotated

import typer

from linarite import client
from linarite.cli.options import AsJson, Data, Database, fail, operate, running, settings_of


def env(*, data: Data = None, as_json: AsJson = False) -> None:
    """Print what points every client here: eval "$(linarite env)"."""
    known = running(data)
    if as_json:
        typer.echo(json.dumps(known, indent=2))
        return
    for name, value in client.environment(known).items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def keys(
    workspace: Annotated[
        str | None, typer.Argument(help="Name, GROUP/NAME or full id; the sample unless given.")
    ] = None,
    *,
    data: Data = None,
    show: Annotated[bool, typer.Option("--show", help="Show the values.")] = False,
    as_json: AsJson = False,
) -> None:
    """List a workspace's keys; values are masked unless --show is given."""
    known = running(data)
    try:
        answer = client.Client(known).post(f"{client.workspace_path(known, workspace)}/listKeys", "2023-10-01")
    except (client.NotRunning, client.Refused) as error:
        fail(str(error))
    import_module("linarite.tables").print_keys(answer, show=show, as_json=as_json)


def identity(
    resource: Annotated[str, typer.Argument(help="Full id, or a workspace's NAME or GROUP/NAME.")],
    *,
    shape: Annotated[str, typer.Option(help="app-service, azure-ml, imds or cloud-shell.")] = "app-service",
    data: Data = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Print what makes clients of a shell a resource's managed identity: eval "$(linarite identity RESOURCE)"."""
    if shape not in client.IDENTITY_SHAPES:
        fail(f"--shape is one of {', '.join(client.IDENTITY_SHAPES)}.")
    known = running(data)
    id_, header = operate("show_header", data, database, client.workspace_path(known, resource))
    try:
        variables = client.identity_environment(known, id_, header, shape)
    except client.NotRunning as error:
        fail(str(error))
    if as_json:
        typer.echo(json.dumps(variables, indent=2))
        return
    for name, value in variables.items():
        typer.echo(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")


def proxy(
    *,
    data: Data = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on loopback; 0 for any free one.")] = 8442,
    pass_through: Annotated[
        bool, typer.Option("--pass-through/--refuse-others", help="What becomes of names that are none of ours.")
    ] = False,
) -> None:
    """Lead clients that insist on a cloud's host names to the doors of the running server."""
    tunnels = import_module("linarite.proxy")
    try:
        tunnels.run(settings_of(data=data).data, port, _announce_proxy, pass_through=pass_through)
    except tunnels.PortTaken as error:
        fail(str(error))


def _announce_proxy(port: int) -> None:
    typer.echo(f"The proxy listens on http://127.0.0.1:{port}")
    typer.echo(f"  for clients: export HTTPS_PROXY=http://127.0.0.1:{port}")
    typer.echo("  Ctrl-C stops it.")
