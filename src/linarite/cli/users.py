"""`linarite user`: the users who may sign in."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

from linarite.cli.groups import Group
from linarite.cli.options import as_json, data, database, grant, operate

if TYPE_CHECKING:
    from pathlib import Path

users = Group("user", help="Add, list and remove the users who may sign in.")

ask_password = click.option(
    "--ask-password", is_flag=True, help="Ask for the password, or read it as a line of standard input."
)
known_name = click.argument("name", help="Their user principal name or object id.")


@users.command("add")
@click.argument("name", help="User principal name; without a domain, one of the tenant's.")
@click.option("--display-name", help="What people call them.")
@click.option("--role", help="Role that they get, by name or id; none unless given.")
@click.option("--scope", help="Id of what it is for; the subscription unless given.")
@ask_password
@data
@database
@as_json
def user_add(
    *,
    name: str,
    display_name: str | None,
    role: str | None,
    scope: str | None,
    ask_password: bool,
    data: Path | None,
    database: str | None,
    as_json: bool,
) -> None:
    """Add a user; their password is made up and printed this once, unless --ask-password is given."""
    granted = grant(role, scope)
    password = _password() if ask_password else None
    made = operate("add_user", data, database, name, password, shown=display_name, **granted)
    import_module("linarite.tables").print_user(*made, as_json=as_json)


@users.command("list")
@data
@database
@as_json
def user_list(*, data: Path | None, database: str | None, as_json: bool) -> None:
    """List the users with their ids and roles."""
    found = operate("list_users", data, database)
    import_module("linarite.tables").print_users(found, as_json=as_json)


@users.command("remove")
@known_name
@data
@database
def user_remove(*, name: str, data: Path | None, database: str | None) -> None:
    """Remove a user: their password, tokens and roles count no more."""
    gone = operate("remove_user", data, database, name)
    click.echo(f"Removed {gone}.")


@users.command("password")
@known_name
@ask_password
@data
@database
@as_json
def user_password(*, name: str, ask_password: bool, data: Path | None, database: str | None, as_json: bool) -> None:
    """Give a user another password, made up and printed this once, unless --ask-password is given."""
    password = _password() if ask_password else None
    made = operate("change_password", data, database, name, password)
    import_module("linarite.tables").print_user(*made, as_json=as_json)


def _password() -> str:
    """A password as somebody types it twice, or as a line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\n")
