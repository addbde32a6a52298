"""The two databases behind one door: SQLite in the data folder, or PostgreSQL by URL.

SQLite: write-ahead log, `synchronous=FULL`, and two connections: one writes in a thread of its own; one reads right
where the question is asked, for a point read costs less than a change of thread, and appends there, too, as long as the
disk is quick. PostgreSQL: one writing connection, a few reading ones, all in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool, StaticPool

from linarite.store import sqlite
from linarite.store.driver import execute_of
from linarite.store.hand import Hand
from linarite.store.patience import Patience

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from linarite.store.driver import Execute

T = TypeVar("T")

_READERS = 4
_WAITS = 30
"""Seconds to wait for the SQLite file: somebody writes it, or holds it as a whole, as who makes or leaves it does."""
_QUICK = 0.002
"""Seconds that a commit may take if the event loop is to wait for the next one."""


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
        self.dialect = parsed.get_backend_name()
        self.inline = self.dialect == "sqlite"
        """Whether a row is read right where the question is asked."""
        self._own = contextlib.ExitStack()
        """What is let go of in the end."""
        if self.dialect == "postgresql":
            self._open_postgresql(parsed.set(drivername="postgresql+psycopg"))
        elif self.dialect == "sqlite" and parsed.database:
            self._open_sqlite(parsed, parsed.database)
        else:
            message = f"A {self.dialect} database cannot be used. SQLite and PostgreSQL can."
            raise DatabaseTrouble(message)
        self._patience = Patience()
        """With a disk that was not quick."""
        self._writing: Connection | None = None
        self._hand = Hand("linarite-gate")
        self._read_threads = ThreadPoolExecutor(_READERS, "linarite-read")

    def _open_sqlite(self, url: Any, path: str) -> None:
        try:
            sqlite.create_private(path)
        except OSError as error:
            message = f"The database file {path} cannot be opened: {error.strerror}. Check the folder's owner and mode."
            raise DatabaseTrouble(message) from error
        self.writer = _sqlite_engine(url, "BEGIN IMMEDIATE", timeout=_WAITS)
        self.reader = _sqlite_engine(url, "BEGIN", timeout=0.1)
        self._turn = self._own.enter_context(contextlib.closing(sqlite.Turn(path)))
        self._checkpoints = self._own.enter_context(contextlib.closing(sqlite.Checkpoints(path)))

    def _open_postgresql(self, url: Any) -> None:
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

    @cached_property
    def _reading(self) -> Connection:
        """SQLite only: the reading connection, kept."""
        return self._own.enter_context(self.reader.connect())

    @cached_property
    def here(self) -> sqlite3.Connection:
        """The driver's own below that. The event loop reads with it and, so that pages stay cached, appends with it."""
        found: sqlite3.Connection = self._reading.connection.driver_connection  # type: ignore[assignment]
        return found

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that commits at the end; one at a time in a process, in order among processes of a file."""
        with self._in_turn(), self._kept() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def appending(self) -> Iterator[Connection]:
        """The same for statements of the driver; on SQLite, SQLAlchemy takes part from its first own statement on."""
        if not self.inline:
            with self.writing() as connection:
                yield connection
            return
        with self._in_turn(), self._kept() as connection:
            execute = execute_of(connection)
            execute("BEGIN IMMEDIATE")
            yield connection
            if connection.in_transaction():
                connection.commit()
            else:
                execute("COMMIT")

    def is_quick(self) -> bool:
        """Whether a commit is to be tried with `appending_here`; to be asked once for each."""
        return self.inline and self._patience.is_over()

    @contextlib.contextmanager
    def appending_here(self) -> Iterator[Execute]:
        """SQLite only: the same in the event loop's own thread, without waiting for anybody else.

        A change of thread and back costs more than a quick disk does (`docs/performance.md`).

        Raises:
            BlockingIOError: somebody else writes.
            sqlite3.Error: it did not succeed, or nobody knows.
        """
        with self._turn.taken(wait=False):
            here, quick = self.here, False
            try:
                here.execute("BEGIN IMMEDIATE")
                yield here.execute
                begun = perf_counter()
                here.execute("COMMIT")
                quick = perf_counter() - begun < _QUICK
            except BaseException:
                here.rollback()
                raise
            finally:
                self._patience.note(well=quick)
        self._checkpoints.committed()

    @contextlib.contextmanager
    def _kept(self) -> Iterator[Connection]:
        """The writing connection, kept from one transaction to the next, rolled back and replaced when it broke."""
        if self._writing is None:
            self._writing = self.writer.connect()
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

    def begin_reading(self) -> Connection:
        """SQLite only: the same in the event loop's own thread, on a connection that is kept, until `end_reading`."""
        self.here.execute("BEGIN")
        return self._reading

    def end_reading(self) -> None:
        if self.here.in_transaction:
            self._reading.rollback()  # where SQLAlchemy took part
            self.here.rollback()

    def data_version(self) -> int:
        """SQLite only: a number that changes with every commit but those made with `appending_here`.

        Asked at every read, so past SQLAlchemy: 4 microseconds instead of 60.
        """
        row: tuple[int] = self.here.execute("PRAGMA data_version").fetchone()
        return row[0]

    @contextlib.contextmanager
    def _in_turn(self) -> Iterator[None]:
        if not self.inline:
            yield
            return
        with self._turn.taken():
            yield
        self._checkpoints.committed()

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
        self._own.close()
        self.reader.dispose()
        self.writer.dispose()


def throwaway_engine(url: str) -> Engine:
    """An engine for one visit, as the doctor makes."""
    return create_engine(url, poolclass=NullPool, hide_parameters=True)


def _sqlite_engine(url: Any, begin: str, *, timeout: float) -> Engine:
    """An engine over one connection; `timeout` are seconds to wait for somebody else's lock once it is open."""
    arguments = {"check_same_thread": False, "isolation_level": None, "timeout": _WAITS, "cached_statements": 256}
    engine = create_engine(url, poolclass=StaticPool, connect_args=arguments, hide_parameters=True)

    def tune(connection: Any, _: object) -> None:
        sqlite.tune(connection)
        connection.execute(f"PRAGMA busy_timeout={timeout * 1000:.0f}")

    def start(connection: Connection) -> None:
        if not connection.connection.driver_connection.in_transaction:  # type: ignore[union-attr]
            connection.exec_driver_sql(begin)

    event.listen(engine, "connect", tune)
    event.listen(engine, "begin", start)
    return engine
