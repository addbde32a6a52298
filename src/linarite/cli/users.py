"""`linarite user`: the users who may sign in."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated

import typer

from linarite.cli.options import AsJson, Data, Database, fail, operate

users = typer.Typer(help="Add, list and remove the users who may sign in.", no_args_is_help=True)

AskPassword = Annotated[
    bool, typer.Option("--ask-password", help="Ask for the password, or read it as a line of standard input.")
]


@users.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="User principal name; without a domain, one of the tenant's.")],
    *,
    display_name: Annotated[str | None, typer.Option(help="What people call them.")] = None,
    role: Annotated[str | None, typer.Option(help="Role that they get, by name or id; none unless given.")] = None,
    scope: Annotated[str | None, typer.Option(help="Id of what it is for; the subscription unless given.")] = None,
    ask_password: AskPassword = False,
    data: Data = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Add a user; their password is made up and printed this once, unless --ask-password is given."""
    if scope is not None and role is None:
        fail("--scope says what a role is for: give --role too.")
    password = _password() if ask_password else None
    made = operate("add_user", data, database, name, password, shown=display_name, role=role, scope=scope)
    import_module("linarite.tables").print_user(*made, as_json=as_json)


@users.command("list")
def user_list(*, data: Data = None, database: Database = None, as_json: AsJson = False) -> None:
    """List the users with their ids and roles."""
    found = operate("list_users", data, database)
    import_module("linarite.tables").print_users(found, as_json=as_json)


@users.command("remove")
def user_remove(
    name: Annotated[str, typer.Argument(help="Their user principal name or object id.")],
    *,
    data: Data = None,
    database: Database = None,
) -> None:
    """Remove a user: their password, tokens and roles count no more."""
    gone = operate("remove_user", data, database, name)
    typer.echo(f"Removed {gone}.")


@users.command("password")
def user_password(
    name: Annotated[str, typer.Argument(help="Their user principal name or object id.")],
    *,
    ask_password: AskPassword = False,
    data: Data = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Give a user another password, made up and printed this once, unless --ask-password is given."""
    password = _password() if ask_password else None
    made = operate("change_password", data, database, name, password)
    import_module("linarite.tables").print_user(*made, as_json=as_json)


def _password() -> str:
    """A password as somebody types it twice, or as a line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\n")
