"""SQLite's own side of the database: a private file, the turns of its writers, and the log that is brought home.

Several processes may share a file: a lock file orders their writers, for SQLite's own busy handler polls and starves.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHECKPOINT_AFTER = 250
"""Commits between two checkpoints; the log has 5 to 10 MB by then."""

_CACHE = 16_000
"""KiB of pages that a connection keeps at most: the upper floors of the trees of a million workspaces."""

_WAL_PAGES = 20_000
"""Pages at which SQLite makes a checkpoint by itself, in the midst of a commit: only what is very large comes here."""


log = structlog.get_logger()


def create_private(path: str | Path) -> None:
    """Make a file readable by its owner alone before SQLite does; its companions take the same mode.

    Raises:
        OSError: it cannot be opened.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def tune(connection: Any) -> None:
    """Fit a connection out: what is committed is on the disk, and what hangs on a row goes with it."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(f"PRAGMA wal_autocheckpoint={_WAL_PAGES}")
    connection.execute(f"PRAGMA cache_size=-{_CACHE}")


class Turn:
    """The right to write, one holder at a time among all that made a `Turn` of the file, in whatever process."""

    def __init__(self, path: str) -> None:
        self._file: int | None = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextlib.contextmanager
    def taken(self, *, wait: bool = True) -> Iterator[None]:
        """Have it meanwhile.

        Raises:
            BlockingIOError: somebody has it, and it was not to be waited for.
        """
        if self._file is None:
            message = "The database is closed."
            raise ValueError(message)
        fcntl.flock(self._file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Checkpoints:
    """Bring home what is in the write-ahead log, in a thread of their own.

    SQLite does so in the midst of a commit, which then takes 15 milliseconds and more. Most is copied while others
    write; only a log that is home to its last page starts again from its front, so the rest is copied in a writer's
    turn ("Write-Ahead Logging", wal.html, 2.1 and 3).
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._turn = Turn(path)  # of its own: writers of this process, too, wait for it
        self._thread = ThreadPoolExecutor(1, "linarite-checkpoint")
        self._running: Future[None] | None = None
        self._commits = 0

    def committed(self) -> None:
        """Count a commit; with enough of them, a checkpoint begins."""
        self._commits += 1
        if self._commits >= _CHECKPOINT_AFTER and (self._running is None or self._running.done()):
            self._commits = 0
            self._running = self._thread.submit(self._make)

    def _make(self) -> None:
        try:
            with contextlib.closing(sqlite3.connect(self._path)) as connection:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
                with self._turn.taken():
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            log.warning("the write-ahead log could not be brought home, and grows", why=str(error))

    def close(self) -> None:
        self._thread.shutdown()
        self._turn.close()
