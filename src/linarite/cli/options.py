"""What commands share: options by which an instance is named, what they do with it, and how they fail."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from linarite import client
from linarite.settings import BadSettings, Settings, load

PATH = click.Path(path_type=Path)

data = click.option("--data", type=PATH, help="Folder that holds everything; $LINARITE_DATA, or the user's own.")
database = click.option("--database", help="PostgreSQL URL; SQLite in the data folder unless given.")
as_json = click.option("--json", "as_json", is_flag=True, help="Answer JSON.")


def settings_of(**given: object) -> Settings:
    try:
        return load(os.environ, **{name: value for name, value in given.items() if value is not None})
    except BadSettings as error:
        fail(str(error))


def running(data: Path | None) -> dict[str, Any]:
    """What a running server tells of itself, the owner's secret included."""
    try:
        known = client.ready(settings_of(data=data).data)
    except client.NotRunning as error:
        fail(str(error))
    if known["clientSecret"] is None:
        fail(client.SEALED)
    return known


def grant(role: str | None, scope: str | None) -> dict[str, str | None]:
    """The role that somebody gets and the scope that it is for, as they were given; a scope alone is refused."""
    if scope is not None and role is None:
        fail("--scope says what a role is for: give --role too.")
    return {"role": role, "scope": scope}


def operate(deed: str, data: Path | None, database: str | None, *arguments: object, **more: object) -> Any:
    """Do something to an instance by its database, whether or not a server runs on it."""
    operator = import_module("linarite.operator_desk")
    settings = settings_of(data=data, database=database)
    try:
        return getattr(operator, deed)(settings, os.environ, *arguments, **more)
    except operator.TROUBLE as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    raise click.exceptions.Exit(1)
