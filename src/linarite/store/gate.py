"""The gate: the one way to the state. What is not committed here has not happened, and nothing leaves before it is.

Writes and releases that arrive together share one commit. The row of `state` is taken first, so the batches of all
processes stand in one order: a release is recorded only if the version it was computed at is still the version then,
and its caller computes it again where it is not. A unit of work may run twice and has no effect outside its
transaction. While one batch is being written the next one gathers.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import structlog
from sqlalchemy import delete, insert, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError, ProgrammingError

from linarite.errors import Refusal, server_busy, server_sealed
from linarite.store import trail
from linarite.store.changes import since as changes_since
from linarite.store.database import passing
from linarite.store.statements import Statements
from linarite.store.tables import changes, state
from linarite.store.view import Live, Miss, Remembered, Transaction, View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from linarite.model import Entry
    from linarite.seal import Keyring
    from linarite.store.database import Database, Execute
    from linarite.store.memory import Memory

T = TypeVar("T")
Outcome = Any

_TRIES = 8
_MOST_IN_A_BATCH = 512
_CHANGES_KEPT = 10_000
_PRUNE_EVERY = 1_000
_VERSION = select(state.c.version)
_OWN_FAULTS = (DataError, IntegrityError, ProgrammingError)
"""What a unit can bring on itself. Other errors are the database's, and SQLite may have ended the transaction by then:
what came after would be written outside it ("Response To Errors Within A Transaction", lang_transaction.html)."""

log = structlog.get_logger()


class Stale(Exception):
    """The state has moved on since the answer was computed; compute it again."""


@dataclass(slots=True)
class _Record:
    entry: Entry
    version: int | None
    done: asyncio.Future[Any]


@dataclass(slots=True)
class _Unit:
    work: Callable[[Transaction], Any]
    entry: Callable[[Outcome], Entry | None]
    done: asyncio.Future[Any]


@dataclass(slots=True)
class _Written:
    """What one batch came to: an outcome for each item, and what changed from which version to which."""

    base: int
    version: int
    changed: set[str] = field(default_factory=set)
    outcomes: list[tuple[asyncio.Future[Any], Outcome]] = field(default_factory=list)
    end: tuple[int, bytes] = (0, b"")
    """The last place that it has on the trail, and the hash there, if it has any."""


class Gate:
    """Looks, records and commits. One for a process and database; used from one event loop."""

    def __init__(self, database: Database, memory: Memory, keyring: Keyring | None) -> None:
        self.database = database
        self.memory = memory
        self.keyring = keyring
        """None while the server is sealed: everything is refused."""
        self._statements = Statements(database.writer.dialect)
        self._waiting: list[_Record | _Unit] = []
        self._flushing: asyncio.Task[None] | None = None
        self._data_version = -1
        self._follow_turn: asyncio.Future[None] | None = None
        self._follow_next: asyncio.Future[None] | None = None

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def look(self, question: Callable[[View], T]) -> tuple[T, int]:
        """Answer a question from the newest committed state, with that state's version.

        Raises:
            Unavailable: the database cannot be read now.
        """
        with _answering():
            await self._follow()
        return await self.peek(question)

    async def peek(self, question: Callable[[View], T]) -> tuple[T, int]:
        """Answer from what is remembered, if it is; the answer may be old, and `record` will say so.

        Raises:
            Unavailable: it is not remembered, and the database cannot be read now.
        """
        keyring = self._unsealed()
        try:
            return question(Remembered(self.memory)), self.memory.version
        except Miss:
            pass

        def ask(connection: Connection) -> tuple[T, Memory]:
            version = connection.execute(_VERSION).scalar_one()
            # In a thread of its own it could see what is remembered change meanwhile.
            live = Live(connection, keyring, version, self.memory if self.database.inline else None)
            return question(live), live.learned

        with _answering():
            answer, learned = await self.database.read(ask)
        self.memory.take(learned)
        return answer, learned.version

    async def _follow(self) -> None:
        """Bring what is remembered up to the newest committed version."""
        if self.database.inline:
            self._follow_inline()
            return
        if self._follow_turn is None:
            turn = self._follow_turn = asyncio.get_running_loop().create_future()
            await self._follow_over(turn)
            return
        if self._follow_next is None:
            self._follow_next = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._follow_next)

    async def _follow_over(self, turn: asyncio.Future[None]) -> None:
        """Ask once for everybody who was waiting when the question left."""
        try:
            version, keys = await self.database.read(self._changes_since)
            self._forget(version, keys)
            turn.set_result(None)
        except Exception as error:
            turn.set_exception(error)
            turn.exception()
            raise
        finally:
            self._follow_turn, self._follow_next = self._follow_next, None
            if self._follow_turn is not None:
                asyncio.ensure_future(self._follow_over(self._follow_turn)).add_done_callback(_seen)

    def _follow_inline(self) -> None:
        seen = self.database.data_version()
        if seen == self._data_version:
            return
        with self.database.reading() as connection:
            self._forget(*self._changes_since(connection))
        self._data_version = seen

    def _changes_since(self, connection: Connection) -> tuple[int, list[str] | None]:
        """The newest version, and the keys that changed since the remembered one; None for all."""
        return changes_since(connection, self.memory.version)

    def _forget(self, version: int, keys: list[str] | None) -> None:
        if version < self.memory.version:
            return
        if keys is None:
            self.memory.clear()
        else:
            self.memory.forget(keys)
        self.memory.version = version

    # ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────

    async def record(self, entry: Entry, version: int | None = None) -> None:
        """Write one entry of the trail; returns when it is durable.

        Raises:
            Stale: `version` is given and is no longer the state's version. Nothing was written.
            Unavailable: it cannot be written now.
        """
        self._unsealed()
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._submit(_Record(entry, version, done))
        await done

    async def commit(self, work: Callable[[Transaction], T], entry: Callable[[T | Refusal], Entry | None]) -> T:
        """Run a unit of work; returns when it is durable, together with the entry made of its outcome.

        Raises:
            Refusal: the unit refused; its writes are undone, the entry made of the refusal is durable.
            Unavailable: it cannot be written now.
        """
        self._unsealed()
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._submit(_Unit(work, entry, done))
        return await done

    def _unsealed(self) -> Keyring:
        if self.keyring is None:
            raise server_sealed()
        return self.keyring

    def _submit(self, item: _Record | _Unit) -> None:
        self._waiting.append(item)
        if self._flushing is None:
            self._flushing = asyncio.ensure_future(self._flush())

    async def _flush(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST_IN_A_BATCH], self._waiting[_MOST_IN_A_BATCH:]
                try:
                    written = await self.database.write(lambda batch=batch: self._write(batch))  # type: ignore[misc]
                except Exception:
                    log.exception("a batch could not be written", items=len(batch))
                    for item in batch:
                        _settle(item.done, server_busy())
                    continue
                if written.base == self.memory.version:
                    self._forget(written.version, list(written.changed))
                for done, outcome in written.outcomes:
                    _settle(done, outcome)
        finally:
            self._flushing = None

    def _write(self, batch: list[_Record | _Unit]) -> _Written:
        """Write a batch, again where the database says that it may succeed then. Runs in the writing thread."""
        tried: list[_Written] = []
        for _ in range(_TRIES - 1):
            try:
                return self._write_once(batch, tried)
            except Exception as error:
                if not passing(error):
                    raise
        return self._write_once(batch, tried)

    def _write_once(self, batch: list[_Record | _Unit], tried: list[_Written]) -> _Written:
        if tried or any(isinstance(item, _Unit) for item in batch):
            with self.database.writing() as connection:
                return self._write_with(connection.exec_driver_sql, connection, batch, tried)
        with self.database.appending() as execute:
            return self._write_with(execute, None, batch, tried)

    def _write_with(
        self, execute: Execute, connection: Connection | None, batch: list[_Record | _Unit], tried: list[_Written]
    ) -> _Written:
        """Write a batch in an open transaction; a connection is needed if it has units, or was tried before."""
        version, seq, last = execute(self._statements.take_state).fetchone()
        if connection is not None and (committed := _committed(connection, tried)) is not None:
            return committed
        written = _Written(base=version, version=version)
        entries = list(_recorded(batch, written))
        if connection is not None:
            for item in batch:
                if isinstance(item, _Unit):
                    written.outcomes.append((item.done, self._run(connection, item, written, entries)))
        if rows := trail.chain(entries, seq, last):
            seq, last = written.end = rows[-1][0], rows[-1][3]
            tried.append(written)
            for statement, arguments in self._statements.append(rows):
                execute(statement, arguments)
        if rows or written.version != version:
            execute(self._statements.leave_state, (written.version, seq, last))
        return written

    def _run(self, connection: Connection, unit: _Unit, written: _Written, entries: list[Entry]) -> Outcome:
        """Run one unit inside the batch's transaction; what it refuses or breaks undoes nobody else's work."""
        transaction = Transaction(connection, self._unsealed(), written.version + 1)
        outcome: Outcome
        try:
            with connection.begin_nested():
                outcome = unit.work(transaction)
        except Refusal as refusal:
            outcome = refusal
        except Exception as error:
            if isinstance(error, DBAPIError) and not isinstance(error, _OWN_FAULTS):
                raise
            return error
        else:
            entries.extend(transaction.entries)
            if transaction.changed:
                written.version += 1
                written.changed |= transaction.changed
                self._note_changes(connection, written.version, transaction.changed)
        entry = unit.entry(outcome)
        if entry is not None:
            entries.append(entry)
        return outcome

    def _note_changes(self, connection: Connection, version: int, keys: set[str]) -> None:
        connection.execute(insert(changes), [{"version": version, "key": key} for key in sorted(keys)])
        if version % _PRUNE_EVERY == 0:
            connection.execute(delete(changes).where(changes.c.version <= version - _CHANGES_KEPT))

    async def close(self) -> None:
        """Write what is waiting, then let go of the database."""
        while self._flushing is not None:
            await self._flushing
        self.database.close()


def _committed(connection: Connection, tried: list[_Written]) -> _Written | None:
    """The last try, if it was committed after all, and the connection broke before the database could say so."""
    return next((written for written in tried[-1:] if trail.holds(connection, *written.end)), None)


@contextlib.contextmanager
def _answering() -> Iterator[None]:
    """Refuse, as for a moment, where the database does not answer."""
    try:
        yield
    except OperationalError as error:
        log.error("the database could not be read", why=str(error.orig))  # noqa: TRY400 - one line for each who asks
        raise server_busy() from error


def _recorded(batch: list[_Record | _Unit], written: _Written) -> Iterator[Entry]:
    """The entries to record as they are; those of an older version are stale, and are not."""
    for item in batch:
        if isinstance(item, _Record):
            current = item.version is None or item.version == written.base
            written.outcomes.append((item.done, None if current else Stale()))
            if current:
                yield item.entry


def _settle(done: asyncio.Future[Any], outcome: Outcome) -> None:
    """Hand an outcome to its waiter, unless it has gone away; its work stands all the same."""
    if done.done():
        return
    if isinstance(outcome, BaseException):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)


def _seen(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()
