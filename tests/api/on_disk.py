"""What a running server has on disk, read beside it: the trail, and the version of the state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from linarite.store import tables, trail
from linarite.store.database import throwaway_engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from sqlalchemy import Connection

    from linarite.model import Entry
    from tests.server import Server

    T = TypeVar("T")


def looked(server: Server, question: Callable[[Connection], T]) -> T:
    """The answer of the database to a question; nothing of it is remembered from one question to the next."""
    engine = throwaway_engine(f"sqlite:///{server.folder / 'linarite.db'}")
    try:
        with engine.connect() as connection:
            return question(connection)
    finally:
        engine.dispose()


def state_version(server: Server) -> int:
    """It moves with every change, and with nothing else."""
    return looked(server, lambda connection: int(connection.execute(select(tables.state.c.version)).scalar_one()))


def entries(server: Server, after: int = 0) -> list[Entry]:
    """The entries behind a place, oldest first."""
    return [entry for _, entry in looked(server, lambda connection: trail.entries(connection, after, 100_000))]


def new_entries(server: Server, act: Callable[[], T]) -> tuple[T, list[Entry]]:
    """What an act answered, and the entries that are on disk the moment it did."""
    before = looked(server, trail.length)
    answer = act()
    return answer, entries(server, before)


def unbroken(server: Server) -> bool:
    """Whether the trail holds from its first entry to its last."""
    return looked(server, trail.first_broken) is None
