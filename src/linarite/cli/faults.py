"""`linarite fault`: faults on purpose, to test retries."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

from linarite.cli.options import AsJson, Data, Database, operate

faults = typer.Typer(help="Set, list and clear faults on purpose, to test retries.", no_args_is_help=True)


@faults.command("add")
def fault_add(
    fault: Annotated[str, typer.Argument(help="429, 500, 502, 503, 504, challenge, delay, cut or lose.")],
    *,
    path: Annotated[str | None, typer.Option(help="Paths that it strikes, * for anything; all unless given.")] = None,
    method: Annotated[str | None, typer.Option(help="Method that it strikes; all unless given.")] = None,
    client: Annotated[str | None, typer.Option(help="Whom it strikes, by client or object id.")] = None,
    count: Annotated[int | None, typer.Option(help="How often it strikes; without end unless given.")] = None,
    chance: Annotated[int | None, typer.Option(help="How often in a hundred; always unless given.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Length of a delay, or what Retry-After says.")] = None,
    claims: Annotated[str | None, typer.Option(help="JSON that a challenge asks for.")] = None,
    name: Annotated[str | None, typer.Option(help="Its name; one of its own unless given.")] = None,
    data: Data = None,
    database: Database = None,
) -> None:
    """Set a fault: it counts for the next request, of a server that runs too."""
    given = {
        "fault": fault,
        "path": path,
        "method": method,
        "client": client,
        "count": count,
        "chance": chance,
        "seconds": seconds,
        "claims": claims,
    }
    wanted = {one: value for one, value in given.items() if value is not None}
    typer.echo(operate("add_fault", data, database, name, wanted)["name"])


@faults.command("list")
def fault_list(*, data: Data = None, database: Database = None, as_json: AsJson = False) -> None:
    """List the faults, and how often each struck."""
    import_module("linarite.tables").print_faults(operate("list_faults", data, database), as_json=as_json)


@faults.command("clear")
def fault_clear(
    name: Annotated[str | None, typer.Argument(help="Name of the one; all unless given.")] = None,
    *,
    data: Data = None,
    database: Database = None,
) -> None:
    """Take away one fault, or all."""
    gone = operate("clear_faults", data, database, name)
    typer.echo(f"Cleared {', '.join(gone)}." if gone else "There was none.")
