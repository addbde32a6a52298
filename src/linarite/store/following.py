"""Follows the commits of all processes: what is remembered is brought up to the newest version, key by key."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from linarite.store import changes

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from linarite.store.database import Database
    from linarite.store.memory import Memory


class Following:
    """Keeps a memory at the newest committed version. Used from one event loop."""

    def __init__(self, database: Database, memory: Memory) -> None:
        self._database = database
        self._memory = memory
        self._data_version = -1
        self._turn: asyncio.Future[None] | None = None
        self._next: asyncio.Future[None] | None = None

    def bring_up_here(self) -> None:
        """SQLite only: in the event loop's own thread; a glance where nobody else has committed."""
        seen = self._database.data_version()
        if seen == self._data_version:
            return
        try:
            self.go_on(*self._changes(self._database.begin_reading()))
        finally:
            self._database.end_reading()
        self._data_version = seen

    async def bring_up(self) -> None:
        """In a thread that may wait for the database; whoever comes while it is asked shares the next question."""
        if self._turn is None:
            turn = self._turn = asyncio.get_running_loop().create_future()
            await self._ask(turn)
            return
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._next)

    def go_on(self, version: int, keys: list[str] | None) -> None:
        """Take up a newer version, on the way to which these keys were noted; None for everything."""
        if version > self._memory.version:
            self._memory.follow(version, keys)

    async def _ask(self, turn: asyncio.Future[None]) -> None:
        """Ask once for everybody who was waiting when the question left."""
        try:
            self.go_on(*await self._database.read(self._changes))
            turn.set_result(None)
        except Exception as error:
            turn.set_exception(error)
            turn.exception()
            raise
        finally:
            self._turn, self._next = self._next, None
            if self._turn is not None:
                asyncio.ensure_future(self._ask(self._turn)).add_done_callback(_seen)

    def _changes(self, connection: Connection) -> tuple[int, list[str] | None]:
        """The newest version, and the keys that changed since the remembered one; None for all."""
        return changes.since(connection, self._memory.version)


def _seen(task: asyncio.Future[None]) -> None:
    if not task.cancelled():
        task.exception()
