"""What is asked of a running server: where it is, a workspace's keys, an identity, the way to its doors."""

from __future__ import annotations

import json
import shlex
from importlib import import_module
from typing import TYPE_CHECKING

import click

from linarite import client
from linarite.cli.options import as_json, data, database, fail, operate, running, settings_of

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@data
@as_json
def env(*, data: Path | None, as_json: bool) -> None:
    """Print what points every client here: eval "$(linarite env)"."""
    known = running(data)
    if as_json:
        click.echo(json.dumps(known, indent=2))
        return
    for name, value in client.environment(known).items():
        click.echo(f"export {name}={shlex.quote(value)}")


@click.command()
@click.argument("workspace", required=False, help="Name, GROUP/NAME or full id; the sample unless given.")
@data
@click.option("--show", is_flag=True, help="Show the values.")
@as_json
def keys(*, workspace: str | None, data: Path | None, show: bool, as_json: bool) -> None:
    """List a workspace's keys; values are masked unless --show is given."""
    known = running(data)
    try:
        answer = client.Client(known).post(f"{client.workspace_path(known, workspace)}/listKeys", "2023-10-01")
    except (client.NotRunning, client.Refused) as error:
        fail(str(error))
    import_module("linarite.tables").print_keys(answer, show=show, as_json=as_json)


@click.command()
@click.argument("resource", help="Full id, or a workspace's NAME or GROUP/NAME.")
@click.option("--shape", default="app-service", help="app-service, azure-ml, imds or cloud-shell.")
@data
@database
@as_json
def identity(*, resource: str, shape: str, data: Path | None, database: str | None, as_json: bool) -> None:
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
        click.echo(json.dumps(variables, indent=2))
        return
    for name, value in variables.items():
        click.echo(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")


@click.command()
@data
@click.option("--port", type=click.IntRange(0, 65535), default=8442, help="Port on loopback; 0 for any free one.")
@click.option("--pass-through/--refuse-others", default=False, help="What becomes of names that are none of ours.")
def proxy(*, data: Path | None, port: int, pass_through: bool) -> None:
    """Lead clients that insist on a cloud's host names to the doors of the running server."""
    tunnels = import_module("linarite.proxy")
    try:
        tunnels.run(settings_of(data=data).data, port, _announce_proxy, pass_through=pass_through)
    except tunnels.PortTaken as error:
        fail(str(error))


def _announce_proxy(port: int) -> None:
    click.echo(f"The proxy listens on http://127.0.0.1:{port}")
    click.echo(f"  for clients: export HTTPS_PROXY=http://127.0.0.1:{port}")
    click.echo("  Ctrl-C stops it.")
