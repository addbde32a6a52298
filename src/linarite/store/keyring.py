"""The instance's keyring in the database: wrapped by the root key, made on the first start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from linarite.seal import Keyring
from linarite.store import directory
from linarite.store.tables import state

if TYPE_CHECKING:
    from linarite.store.database import Database

_FACT = "keyring"


def is_made(database: Database) -> bool:
    """Whether the database has a keyring, which makes it an instance's."""
    with database.reading() as connection:
        return directory.fact(connection, _FACT) is not None


def unwrapped(database: Database, root: bytes) -> Keyring:
    """The keyring; made and kept where there is none.

    Raises:
        WrongRootKey: it was wrapped with another root key.
    """
    with database.writing() as connection:
        connection.execute(select(state).with_for_update())  # of processes that start together, one makes it
        wrapped = directory.fact(connection, _FACT)
        if wrapped is not None:
            return Keyring.unwrap(wrapped, root)
        ring = Keyring.fresh()
        directory.put_fact(connection, _FACT, ring.wrap(root))
        return ring
