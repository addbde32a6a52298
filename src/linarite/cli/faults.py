"""`linarite fault`: faults on purpose, to test retries."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import click

from linarite.cli.groups import Group
from linarite.cli.options import as_json, data, database, operate

if TYPE_CHECKING:
    from pathlib import Path

faults = Group("fault", help="Set, list and clear faults on purpose, to test retries.")


@faults.command("add")
@click.argument("fault", help="429, 500, 502, 503, 504, challenge, delay, cut or lose.")
@click.option("--path", help="Paths that it strikes, * for anything; all unless given.")
@click.option("--method", help="Method that it strikes; all unless given.")
@click.option("--client", help="Whom it strikes, by client or object id.")
@click.option("--count", type=int, help="How often it strikes; without end unless given.")
@click.option("--chance", type=int, help="How often in a hundred; always unless given.")
@click.option("--seconds", type=float, help="Length of a delay, or what Retry-After says.")
@click.option("--claims", help="JSON that a challenge asks for.")
@click.option("--name", help="Its name; one of its own unless given.")
@data
@database
def fault_add(*, name: str | None, data: Path | None, database: str | None, **given: object) -> None:
    """Set a fault: it counts for the next request, of a server that runs too."""
    wanted = {one: value for one, value in given.items() if value is not None}
    click.echo(operate("add_fault", data, database, name, wanted)["name"])


@faults.command("list")
@data
@database
@as_json
def fault_list(*, data: Path | None, database: str | None, as_json: bool) -> None:
    """List the faults, and how often each struck."""
    import_module("linarite.tables").print_faults(operate("list_faults", data, database), as_json=as_json)


@faults.command("clear")
@click.argument("name", required=False, help="Name of the one; all unless given.")
@data
@database
def fault_clear(*, name: str | None, data: Path | None, database: str | None) -> None:
    """Take away one fault, or all."""
    gone = operate("clear_faults", data, database, name)
    click.echo(f"Cleared {', '.join(gone)}." if gone else "There was none.")
