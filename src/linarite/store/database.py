"""The two databases behind one door: SQLite in the data folder, or PostgreSQL by URL.

SQLite: write-ahead log, `synchronous=FULL`, one writing connection in a thread of its own, one reading connection that
is used right where the question is asked (a point read costs less than a change of thread). Several processes may share
a file: a lock file orders their writers, for SQLite's own busy handler polls and starves. PostgreSQL: one writing
connection, a few reading ones, all in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool, StaticPool

from linarite.store.hand import Hand

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

T = TypeVar("T")
Execute = Callable[..., Any]
"""Runs a statement with its parameters; the answer has `fetchone`."""

_READERS = 4
_WAL_PAGES = 4000
_RETRYABLE = {"40001", "40P01"}
"""SQLSTATE of a serialization failure and of a deadlock."""


class DatabaseTrouble(Exception):
    """The database cannot be opened; the message is a sentence for the command line."""


class Database:
    """Connections, threads and transactions; knows no table. Its errors do not print what was being written."""

    def __init__(self, url: str) -> None:
        """`url` is SQLAlchemy's: `sqlite:///PATH`, `postgresql://…`.

        Raises:
            DatabaseTrouble: the URL cannot be read or names another database.
        """
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            message = "The database URL cannot be read. It looks like postgresql://user@host:5432/name."
            raise DatabaseTrouble(message) from error
        if parsed.get_backend_name() == "postgresql":
            self._open_postgresql(parsed.set(drivername="postgresql+psycopg"))
        elif parsed.get_backend_name() == "sqlite" and parsed.database:
            self._open_sqlite(parsed, parsed.database)
        else:
            message = f"A {parsed.get_backend_name()} database cannot be used. SQLite and PostgreSQL can."
            raise DatabaseTrouble(message)
        self._writing: Connection | None = None
        self._driver: Any = None
        """The driver's own connection below that."""
        self._hand = Hand("linarite-gate")
        self._read_threads = ThreadPoolExecutor(_READERS, "linarite-read")

    def _open_sqlite(self, url: Any, path: str) -> None:
        self.inline = True
        _create_private(path)
        self._lock: int | None = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        arguments = {"check_same_thread": False, "isolation_level": None, "timeout": 30, "cached_statements": 256}
        self.writer = create_engine(url, poolclass=StaticPool, connect_args=arguments, hide_parameters=True)
        self.reader = create_engine(url, poolclass=StaticPool, connect_args=arguments, hide_parameters=True)
        for engine, begin in ((self.writer, "BEGIN IMMEDIATE"), (self.reader, "BEGIN")):
            event.listen(engine, "connect", _tune_sqlite)
            event.listen(engine, "begin", _begin(begin))
        self._watch = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    def _open_postgresql(self, url: Any) -> None:
        self.inline = False
        self._lock = None
        arguments = {"connect_timeout": 10, "application_name": "linarite"}
        self.writer = create_engine(url, pool_size=1, connect_args=arguments, hide_parameters=True)
        self.reader = create_engine(
            url,
            pool_size=_READERS,
            pool_pre_ping=True,
            connect_args=arguments,
            hide_parameters=True,
            isolation_level="REPEATABLE READ",
        )

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that commits at the end; one at a time in a process, in order among processes of a file."""
        with self._turn(), self._kept() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def appending(self) -> Iterator[Execute]:
        """The same for statements of the driver alone, which is what most commits are: on SQLite past SQLAlchemy."""
        if not self.inline:
            with self.writing() as connection:
                yield connection.exec_driver_sql
            return
        with self._turn(), self._kept():
            driver = self._driver
            driver.execute("BEGIN IMMEDIATE")
            yield driver.execute
            driver.execute("COMMIT")

    @contextlib.contextmanager
    def _kept(self) -> Iterator[Connection]:
        """The writing connection, kept from one transaction to the next, rolled back and replaced when it broke."""
        if self._writing is None:
            self._writing = self.writer.connect()
            self._driver = self._writing.connection.driver_connection
        try:
            yield self._writing
        except BaseException:
            self._writing.close()
            self._writing = None
            raise

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state and leaves none behind."""
        with self.reader.connect() as connection, connection.begin():
            yield connection

    def data_version(self) -> int:
        """SQLite only: a number that changes with every commit of another connection, in whatever process.

        Asked at every read, so past SQLAlchemy: 4 microseconds instead of 60.
        """
        row: tuple[int] = self._watch.execute("PRAGMA data_version").fetchone()
        return row[0]

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        if self._lock is None:
            yield
            return
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    async def write(self, work: Callable[[], T]) -> T:
        """Run work in the thread that writes; it opens its own transaction with `writing`."""
        return await self._hand.do(work)

    async def read(self, question: Callable[[Connection], T]) -> T:
        """Run a question over a reading transaction, where it costs least."""

        def ask() -> T:
            with self.reading() as connection:
                return question(connection)

        if self.inline:
            return ask()
        return await asyncio.get_running_loop().run_in_executor(self._read_threads, ask)

    def close(self) -> None:
        """Wait for what is running, and let go of everything."""
        self._hand.close()
        self._read_threads.shutdown()
        if self._writing is not None:
            self._writing.close()
        self.reader.dispose()
        self.writer.dispose()
        if self.inline:
            self._watch.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def passing(error: Exception) -> bool:
    """Whether the same transaction may well succeed when it is tried again."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    invalidated = isinstance(error, DBAPIError) and error.connection_invalidated
    return state in _RETRYABLE or invalidated or (isinstance(cause, sqlite3.Error) and "is locked" in str(cause))


def throwaway_engine(url: str) -> Engine:
    """An engine for one visit, as the doctor makes."""
    return create_engine(url, poolclass=NullPool, hide_parameters=True)


def _create_private(path: str | Path) -> None:
    """Make the file readable by its owner alone before SQLite does; its companions take the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        message = f"The database file {path} cannot be opened: {error.strerror}. Check the folder's owner and mode."
        raise DatabaseTrouble(message) from error


def _tune_sqlite(connection: Any, _: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"wal_autocheckpoint={_WAL_PAGES}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(statement: str) -> Callable[[Connection], None]:
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)

    return begin
