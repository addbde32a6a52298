"""Joins the database of an instance for a moment, for the commands of its operator: beside its server, or without one.

Several processes may share a database, so what is committed here counts at once for every server on it. This module
knows no command, and never makes an instance: `linarite up` does.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from linarite import seal
from linarite.errors import Refusal
from linarite.store import census, keyring
from linarite.store.database import Database, DatabaseTrouble
from linarite.store.gate import Gate
from linarite.store.memory import Memory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from linarite.settings import Settings


class NoInstance(Exception):
    """There is no instance to be joined; the message is a sentence for the command line."""


TROUBLE = (NoInstance, DatabaseTrouble, seal.RootKeyUnavailable, seal.WrongRootKey, Refusal)
"""What can keep a command from its instance; each says in a sentence what to do."""


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database of an instance, for commands that need none of its secrets.

    Raises:
        NoInstance: nothing was ever started on the folder, or the database cannot be read.
    """
    path = settings.data / "linarite.db"
    if not settings.database and not path.exists():
        message = (
            f"There is no instance in {settings.data}. Start one with `linarite up`, or name its folder with --data."
        )
        raise NoInstance(message)
    url = settings.database or f"sqlite:///{path}"
    try:
        census.take(url)
    except DatabaseTrouble as error:
        raise NoInstance(f"The database cannot be used. {error}") from error
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


@contextlib.asynccontextmanager
async def joined(settings: Settings, environment: Mapping[str, str]) -> AsyncIterator[Gate]:
    """The gate of an instance, with its keyring, for commands that write.

    Raises:
        NoInstance: as `opened` does, or nothing was ever started on the database.
        RootKeyUnavailable, WrongRootKey: its secrets cannot be opened.
    """
    with opened(settings) as database:
        if not keyring.is_made(database):
            raise NoInstance("The database holds no instance yet. Start one with `linarite up`.")
        ring = keyring.unwrapped(database, seal.root_key(settings.root_key, environment))
        gate = Gate(database, Memory(settings.snapshot_rows, opens_secrets=settings.open_secrets), ring)
        try:
            yield gate
        finally:
            await gate.close()
