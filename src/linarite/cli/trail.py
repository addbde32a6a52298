"""Who may, and who did: `linarite access` and `linarite trail`."""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import Annotated

import typer

from linarite.cli.options import AsJson, Data, Database, operate

trails = typer.Typer(help="Read, follow and prove the trail of every release, change, refusal and sign-in.")


def access(
    workspace: Annotated[str, typer.Argument(help="Name, GROUP/NAME or full id.")],
    *,
    data: Data = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """List who may list a workspace's keys: every principal, role, scope, and the Action that grants it."""
    found = operate("who_has_access", data, database, workspace)
    import_module("linarite.tables").print_holders(found, as_json=as_json)


@trails.callback(invoke_without_command=True)
def trail(
    context: typer.Context,
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more, until Ctrl-C.")] = False,
    since: Annotated[str | None, typer.Option(help="Entries from this moment on, or of the last 30m, 2h, 3d.")] = None,
    caller: Annotated[str | None, typer.Option(help="Of this caller, by object id or client.")] = None,
    resource: Annotated[str | None, typer.Option(help="On resources whose id has this in it.")] = None,
    deed: Annotated[str | None, typer.Option(help="release, write, refusal or sign-in.")] = None,
    data: Data = None,
    database: Database = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each entry.")] = False,
) -> None:
    """Read and follow the trail of every release, change, refusal and sign-in; `verify` proves it."""
    if context.invoked_subcommand is not None:
        return
    options = {"since": since, "caller": caller, "resource": resource, "deed": deed}
    with contextlib.suppress(KeyboardInterrupt):
        operate("read_trail", data, database, options, typer.echo, follow=follow, as_json=as_json)


@trails.command("verify")
def trail_verify(context: typer.Context, *, data: Data = None, database: Database = None) -> None:
    """Prove the chain of hashes, or name the first bad place and end with 1."""
    given = context.parent.params if context.parent else {}
    typer.echo(operate("verify_trail", data or given["data"], database or given["database"]))
