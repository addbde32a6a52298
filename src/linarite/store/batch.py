"""A batch: the entries and units of work that share one commit, written in one transaction.

The row of `state` is taken first, so the batches of all processes stand in one order: a release is recorded only if the
version that it was computed at is still the version then.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from linarite.errors import Refusal
from linarite.store import trail
from linarite.store.changes import since
from linarite.store.driver import execute_of, passing, pipelined, savepoint
from linarite.store.statements import LEAVE_STATE, PRUNE, TAKE_STATE, append, note
from linarite.store.transaction import Transaction

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from linarite.model import Entry
    from linarite.seal import Keyring
    from linarite.store.database import Database
    from linarite.store.driver import Execute
    from linarite.store.memory import Memory

Outcome = Any

_TRIES = 8
_CHANGES_KEPT = 10_000
_PRUNE_EVERY = 1_000
_OWN_FAULTS = (
    *(DataError, IntegrityError, ProgrammingError),
    *(sqlite3.DataError, sqlite3.IntegrityError, sqlite3.ProgrammingError),
)
"""What a unit can bring on itself. Other errors are the database's, and SQLite may have ended the transaction by then:
what came after would be written outside it ("Response To Errors Within A Transaction", lang_transaction.html)."""


class Stale(Exception):
    """The state has moved on since the answer was computed; compute it again."""


class Record(msgspec.Struct):
    """An entry alone, and the version that it is only true at, if there is one."""

    entry: Entry
    version: int | None
    done: asyncio.Future[Any]


class Unit(msgspec.Struct):
    """Work on the state, and the entry that is made of what came of it."""

    work: Callable[[Transaction], Any]
    entry: Callable[[Outcome], Entry | None]
    keyring: Keyring
    done: asyncio.Future[Any]


@dataclass(slots=True)
class Written:
    """What one batch came to: an outcome for each item, and what changed from which version to which."""

    base: int
    version: int
    notes: list[tuple[int, str]] = field(default_factory=list)
    """Which key changed with which version."""
    outcomes: list[tuple[asyncio.Future[Any], Outcome]] = field(default_factory=list)
    end: tuple[int, bytes | bytearray] = (0, b"")
    """The last place that it has on the trail, and the hash there, if it has any."""


class Batch:
    """Written once, however often that is tried."""

    def __init__(self, database: Database, items: Sequence[Record | Unit], known: Memory) -> None:
        """`known` is what the units of earlier batches read, for those of this one; nobody else uses it meanwhile."""
        self.items = items
        self._known = known
        self._database = database
        self._units = [item for item in items if type(item) is Unit]  # `isinstance` would ask the metaclass of structs
        self._tried: Written | None = None
        """The last try that came as far as to write."""

    def write_here(self) -> Written | None:
        """Write it in this very thread, the event loop's; None where `write` is to be called, in the thread for that.

        Raises:
            BlockingIOError: another process writes just now.
        """
        if self._units or not self._database.is_quick():
            return None
        try:
            with self._database.appending_here() as execute:
                return self._write(execute)
        except BlockingIOError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is: the thread that writes tries again, and says what is wrong
            return None

    def write(self) -> Written:
        """Write it, again where the database says that it may succeed then. To be called in the thread that writes."""
        for _ in range(_TRIES - 1):
            try:
                return self._write_once()
            except Exception as error:
                if not passing(error):
                    raise
        return self._write_once()

    def _write_once(self) -> Written:
        try:
            with self._database.appending() as connection:
                return self._write(execute_of(connection), connection)
        except BaseException:
            self._known.follow(-1, None)
            raise

    def _write(self, execute: Execute, connection: Connection | None = None) -> Written:
        """Write in an open transaction; a connection is needed if there are units, or it was tried before."""
        with pipelined(connection):
            version, seq, last = execute(TAKE_STATE[self._database.dialect]).fetchone()
        if connection is not None and self._tried is not None and trail.holds(connection, *self._tried.end):
            return self._tried  # it was committed, and the connection broke before the database could say so
        written = Written(base=version, version=version)
        entries = self._recorded(written)
        if connection is not None and self._units:
            self._work(connection, written, entries)
        if rows := trail.chain(entries, seq, last):
            seq, last = written.end = rows[-1][0], rows[-1][3]
            self._tried = written
        with pipelined(connection):
            for statement, arguments in (*note(written.notes), *append(rows)):
                execute(statement, arguments)
            if written.version // _PRUNE_EVERY != version // _PRUNE_EVERY:
                execute(PRUNE, (written.version - _CHANGES_KEPT,))
            if rows or written.version != version:
                execute(LEAVE_STATE, (written.version, seq, last))
        return written

    def _work(self, connection: Connection, written: Written, entries: list[Entry]) -> None:
        """Run the units, each over the state that the ones before it left."""
        known = self._known
        if known.version != written.base:
            known.follow(*since(connection, known.version))
        for unit in self._units:
            written.outcomes.append((unit.done, _run(connection, unit, written, entries, known)))
        known.version = written.version

    def _recorded(self, written: Written) -> list[Entry]:
        """The entries to record as they are; those of an older version are stale, and are not."""
        entries = []
        for item in self.items:
            if isinstance(item, Record):
                current = item.version is None or item.version == written.base
                written.outcomes.append((item.done, None if current else Stale()))
                if current:
                    entries.append(item.entry)
        return entries


def _run(connection: Connection, unit: Unit, written: Written, entries: list[Entry], known: Memory) -> Outcome:
    """Run one unit inside the batch's transaction; what it refuses or breaks undoes nobody else's work.

    What it wrote is known no more, for the next one to read it as the database has it.
    """
    known.version = written.version + 1
    transaction = Transaction(connection, unit.keyring, known.version, known)
    outcome: Outcome
    try:
        with savepoint(connection):
            outcome = unit.work(transaction)
    except Refusal as refusal:
        outcome = refusal
        known.clear()
    except Exception as error:
        known.clear()
        if isinstance(error, DBAPIError | sqlite3.Error) and not isinstance(error, _OWN_FAULTS):
            raise
        return error
    else:
        known.forget(transaction.changed)
        entries.extend(transaction.entries)
        if transaction.changed:
            written.version += 1
            written.notes.extend((written.version, key) for key in sorted(transaction.changed))
    entry = unit.entry(outcome)
    if entry is not None:
        entries.append(entry)
    return outcome
