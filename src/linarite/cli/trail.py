"""Who may, and who did: `linarite access` and `linarite trail`."""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import TYPE_CHECKING

import click

from linarite.cli.groups import Group
from linarite.cli.options import as_json, data, database, operate

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("workspace", help="Name, GROUP/NAME or full id.")
@data
@database
@as_json
def access(*, workspace: str, data: Path | None, database: str | None, as_json: bool) -> None:
    """List who may list a workspace's keys: every principal, role, scope, and the Action that grants it."""
    found = operate("who_has_access", data, database, workspace)
    import_module("linarite.tables").print_holders(found, as_json=as_json)


@click.group("trail", cls=Group, invoke_without_command=True)
@click.option("--follow", is_flag=True, help="Wait for more, until Ctrl-C.")
@click.option("--since", help="Entries from this moment on, or of the last 30m, 2h, 3d.")
@click.option("--caller", help="Of this caller, by object id or client.")
@click.option("--resource", help="On resources whose id has this in it.")
@click.option("--deed", help="release, write, refusal or sign-in.")
@data
@database
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each entry.")
@click.pass_context
def trails(
    context: click.Context,
    /,
    *,
    follow: bool,
    data: Path | None,
    database: str | None,
    as_json: bool,
    **options: str | None,
) -> None:
    """Read, follow and prove the trail of every release, change, refusal and sign-in."""
    if context.invoked_subcommand is not None:
        return
    with contextlib.suppress(KeyboardInterrupt):
        operate("read_trail", data, database, options, click.echo, follow=follow, as_json=as_json)


@trails.command("verify")
@data
@database
@click.pass_context
def trail_verify(context: click.Context, /, *, data: Path | None, database: str | None) -> None:
    """Prove the chain of hashes, or name the first bad place and end with 1."""
    given = context.parent.params if context.parent else {}
    click.echo(operate("verify_trail", data or given["data"], database or given["database"]))
