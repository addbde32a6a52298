"""The gate: the one way to the state. What is not committed here has not happened, and nothing leaves before it is.

Writes and releases that arrive together share one commit (`store.batch`). A unit of work may run twice and has no
effect outside its transaction. While one batch is being written the next one gathers.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from functools import partial
from time import sleep
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from sqlalchemy.exc import OperationalError

from linarite.errors.server import server_busy, server_sealed
from linarite.store.batch import Batch, Outcome, Record, Stale, Unit
from linarite.store.driver import execute_of
from linarite.store.following import Following
from linarite.store.memory import Memory
from linarite.store.resources import row_at
from linarite.store.rhythm import Rhythm
from linarite.store.statements import VERSION
from linarite.store.view import Live, Miss, Moved, Remembered, View

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from linarite.errors import Refusal
    from linarite.model import Entry
    from linarite.seal import Keyring
    from linarite.store.batch import Written
    from linarite.store.database import Database
    from linarite.store.transaction import Transaction

__all__ = ["Gate", "Stale"]

T = TypeVar("T")

_MOST_IN_A_BATCH = 512
_KNOWN = 512
"""Rows of each sort that units of work remember at most: what most of them ask for is the same."""
_A_COMMIT = 0.001
"""Seconds after which another process has mostly ended its commit."""
_MOST_TRIES = 8
"""Of a batch, before the thread that writes waits for the other process."""
_A_NAP = 0.00001
"""Seconds, to which the kernel adds some fifty microseconds: less than a commit takes."""
_NAPS = 2
"""One after the other at most that bring nothing new."""

log = structlog.get_logger()


class Gate:
    """Looks, records and commits. One for a process and database; used from one event loop."""

    def __init__(self, database: Database, memory: Memory, keyring: Keyring | None) -> None:
        self.database = database
        self.memory = memory
        self.keyring = keyring
        """None while the server is sealed: everything is refused."""
        self._known = Memory(min(memory.most or _KNOWN, _KNOWN))
        """What units of work remember of one another's reading; it goes with their batches, into any thread."""
        self._waiting: list[Record | Unit] = []
        self._writing = False
        """Whether a batch gathers or is being written."""
        self._rhythm = Rhythm()
        self._elsewhere: asyncio.Task[None] | None = None
        """Where it is being written by the thread for that, the task that waits."""
        self._known_loop: asyncio.AbstractEventLoop | None = None
        self._following = Following(database, memory)

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def look(self, question: Callable[[View], T]) -> tuple[T, int]:
        """Answer a question from the newest committed state, with that state's version.

        Raises:
            Unavailable: the database cannot be read now.
        """
        await self.current()
        return await self.peek(question)

    async def current(self) -> int:
        """The version of the newest committed state, up to which what is remembered was brought.

        Raises:
            Unavailable: the database cannot be read now.
        """
        try:
            if self.database.inline:
                self._following.bring_up_here()
            else:
                await self._following.bring_up()
        except (OperationalError, sqlite3.OperationalError) as error:
            raise _unread(error) from error
        return self.memory.version

    async def peek(self, question: Callable[[View], T]) -> tuple[T, int]:
        """Answer from what is remembered, if it is; the answer may be old, and `record` will say so.

        Raises:
            Unavailable: it is not remembered, and the database cannot be read now.
        """
        keyring = self._unsealed()
        if self.database.inline:
            try:
                return self._peek_here(question, keyring)
            except (OperationalError, sqlite3.OperationalError) as error:
                raise _unread(error) from error
        with contextlib.suppress(Miss):
            return question(Remembered(self.memory, keyring)), self.memory.version

        def ask(connection: Connection) -> tuple[T, Memory]:
            live = Live(connection, keyring, execute_of(connection)(VERSION).fetchone()[0])
            return question(live), live.memory

        try:
            answer, learned = await self.database.read(ask)
        except OperationalError as error:
            raise _unread(error) from error
        self.memory.take(learned)
        return answer, learned.version

    def _peek_here(self, question: Callable[[View], T], keyring: Keyring) -> tuple[T, int]:
        """The same, where a row is read right in the midst of the question, as long as the state is still the same."""

        def open_live() -> Live:
            connection = self.database.begin_reading()
            return Live(connection, keyring, execute_of(connection)(VERSION).fetchone()[0], self.memory)

        view = Remembered(self.memory, keyring, open_live, partial(row_at, self.database.here.execute))
        try:
            return question(view), view.version
        except Moved as moved:
            return question(moved.live), moved.live.version
        finally:
            self.database.end_reading()

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def record(self, entry: Entry, version: int | None = None) -> None:
        """Write one entry of the trail; returns when it is durable.

        Raises:
            Stale: `version` is given and is no longer the state's version. Nothing was written.
            Unavailable: it cannot be written now.
        """
        self._unsealed()
        done: asyncio.Future[None] = self._loop().create_future()
        self._submit(Record(entry, version, done))
        await done

    async def commit(self, work: Callable[[Transaction], T], entry: Callable[[T | Refusal], Entry | None]) -> T:
        """Run a unit of work; returns when it is durable, together with the entry made of its outcome.

        Raises:
            Refusal: the unit refused; its writes are undone, the entry made of the refusal is durable.
            Unavailable: it cannot be written now.
        """
        done: asyncio.Future[T] = self._loop().create_future()
        self._submit(Unit(work, entry, self._unsealed(), done))
        return await done

    def _unsealed(self) -> Keyring:
        if self.keyring is None:
            raise server_sealed()
        return self.keyring

    def _loop(self) -> asyncio.AbstractEventLoop:
        """The event loop; to ask asyncio for it costs a system call (Python 3.11 looks whether it is in a fork)."""
        if self._known_loop is None:
            self._known_loop = asyncio.get_running_loop()
        return self._known_loop

    def _submit(self, item: Record | Unit) -> None:
        self._waiting.append(item)
        if self._writing:
            return
        self._writing = True
        if self._rhythm.last > 1:
            self._loop().call_soon(self._gather, 0)
            return
        self._gather(0)  # one after one is not kept waiting for a turn of the loop
        if not self._writing:
            self._writing = True
            self._loop().call_soon(self._go_on)  # who comes in this turn gathers

    def _go_on(self) -> None:
        """Begin with the next batch, if anybody waits for one."""
        self._writing = bool(self._waiting)
        if self._writing:
            self._loop().call_soon(self._gather, 0)

    def _gather(self, before: int, tries: int = 0, naps: int = 0) -> None:
        """Write what is waiting, once a turn of the loop has brought nothing new."""
        waiting = len(self._waiting)
        if naps < _NAPS and self.database.inline and self._rhythm.falls_short(waiting):
            sleep(_A_NAP)  # the whole loop, as in a commit: the listener's threads want the interpreter, too
            self._loop().call_soon(self._gather, waiting, tries, naps + 1)
            return
        if before < waiting < _MOST_IN_A_BATCH and max(waiting, self._rhythm.last) > 1:
            self._loop().call_soon(self._gather, waiting, tries)
            return
        items, self._waiting = self._waiting[:_MOST_IN_A_BATCH], self._waiting[_MOST_IN_A_BATCH:]
        batch = Batch(self.database, items, self._known)
        try:
            written = batch.write_here()
        except BlockingIOError:
            if tries < _MOST_TRIES:
                self._waiting = [*items, *self._waiting]
                self._loop().call_later(_A_COMMIT, self._gather, 0, tries + 1)
                return
            written = None
        self._rhythm.note(len(items))
        if written is None:
            self._elsewhere = self._loop().create_task(self._write(batch))
        else:
            self._end(written)

    async def _write(self, batch: Batch) -> None:
        try:
            written = await self.database.write(batch.write)
        except Exception:
            log.exception("a batch could not be written", items=len(batch.items))
            self._end(None, batch.items)
        else:
            self._end(written)

    def _end(self, written: Written | None, lost: Sequence[Record | Unit] = ()) -> None:
        """Tell everybody what came of it, and begin with the next batch."""
        if written is not None and written.base == self.memory.version:
            self._following.go_on(written.version, [key for _, key in written.notes])
        for done, outcome in written.outcomes if written is not None else ():
            if outcome is None and not done.done():
                done.set_result(None)
            else:
                _settle(done, outcome)
        for item in lost:
            _settle(item.done, server_busy())
        self._elsewhere = None
        self._go_on()

    async def close(self) -> None:
        """Write what is waiting, then let go of the database."""
        while self._writing:
            await (self._elsewhere or asyncio.sleep(0))
        self.database.close()


def _unread(error: OperationalError | sqlite3.OperationalError) -> Refusal:
    """What is answered, as for a moment, where the database does not."""
    log.error("the database could not be read", why=str(getattr(error, "orig", error)))
    return server_busy()


def _settle(done: asyncio.Future[Any], outcome: Outcome) -> None:
    """Hand an outcome to its waiter, unless it has gone away; its work stands all the same."""
    if done.done():
        return
    if isinstance(outcome, BaseException):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)
