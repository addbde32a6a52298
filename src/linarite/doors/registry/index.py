"""The index of one registry: which repositories, blobs, manifests and tags there are, in an SQLite file.

What belongs together changes together: a manifest, its tag and its place among the referrers are one transaction, on
disk before the caller hears of it. Reading goes on beside writing and beside other processes. This module knows the
tables and how to run a transaction; what the rows mean is for the modules that use it.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from pathlib import Path

Result = TypeVar("Result")

VERSION = 1
PATIENCE = 20.0
"""Seconds that a transaction waits for one of another process."""
AGAIN = 0.01

TABLES = """
CREATE TABLE repository (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    can_delete INTEGER NOT NULL DEFAULT 1,
    can_write INTEGER NOT NULL DEFAULT 1,
    can_read INTEGER NOT NULL DEFAULT 1,
    can_list INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE blob ( -- a blob may be had from this repository
    repository INTEGER NOT NULL REFERENCES repository ON DELETE CASCADE,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    seen TEXT NOT NULL, -- when a client last pushed it or made sure of it
    PRIMARY KEY (repository, digest)
) WITHOUT ROWID;
CREATE INDEX blob_by_digest ON blob (digest);
CREATE TABLE manifest (
    repository INTEGER NOT NULL REFERENCES repository ON DELETE CASCADE,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    artifact_type TEXT,
    subject TEXT,
    annotations TEXT NOT NULL, -- JSON
    attributes TEXT NOT NULL, -- JSON: what Azure's metadata API tells beside times, tags and locks
    size INTEGER NOT NULL,
    body BLOB NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    can_delete INTEGER NOT NULL DEFAULT 1,
    can_write INTEGER NOT NULL DEFAULT 1,
    can_read INTEGER NOT NULL DEFAULT 1,
    can_list INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (repository, digest)
);
CREATE INDEX manifest_by_subject ON manifest (repository, subject, digest);
CREATE INDEX manifest_by_time ON manifest (repository, updated, digest);
CREATE TABLE tag (
    repository INTEGER NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    can_delete INTEGER NOT NULL DEFAULT 1,
    can_write INTEGER NOT NULL DEFAULT 1,
    can_read INTEGER NOT NULL DEFAULT 1,
    can_list INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (repository, name),
    FOREIGN KEY (repository, digest) REFERENCES manifest ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX tag_by_digest ON tag (repository, digest);
CREATE INDEX tag_by_time ON tag (repository, updated, name);
CREATE TABLE reference ( -- a manifest needs a blob
    repository INTEGER NOT NULL,
    manifest TEXT NOT NULL,
    blob TEXT NOT NULL,
    PRIMARY KEY (repository, blob, manifest),
    FOREIGN KEY (repository, manifest) REFERENCES manifest ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX reference_by_manifest ON reference (repository, manifest);
"""


class IndexUnusable(Exception):
    """The file is no index, has a form that this release does not know, or has no folder; the message is a sentence."""


def look_at(path: Path) -> None:
    """Look whether the index there can be used, if there is one.

    Raises:
        IndexUnusable: it cannot.
    """
    if not path.exists():
        return
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=PATIENCE)) as connection:
            _require_known(path, connection)
    except sqlite3.Error as error:
        raise unusable(path, str(error)) from error


class Index:
    """Reads on the caller's thread, writes one transaction at a time on the writer's."""

    def __init__(self, path: Path, writer: Executor) -> None:
        """`writer` must have exactly one thread: the connection that writes lives in it."""
        self._path = path
        self._writer = writer
        self._writing: sqlite3.Connection | None = None
        self._reading: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Make or open the file.

        Raises:
            IndexUnusable: it is something else, or a later release wrote it.
        """
        await asyncio.get_running_loop().run_in_executor(self._writer, self._open_for_writing)
        self._reading = _connect(self._path)

    def rows(self, sql: str, *parameters: Any, **named: Any) -> list[sqlite3.Row]:
        """What is committed now; `?` takes the next positional parameter, `:name` a named one."""
        assert self._reading is not None, "the index is open"  # noqa: S101 - a defect of ours, not of a caller
        return self._reading.execute(sql, named or parameters).fetchall()

    def row(self, sql: str, *parameters: Any) -> sqlite3.Row | None:
        found = self.rows(sql, *parameters)
        return found[0] if found else None

    async def write(self, unit: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `unit` as one transaction; when this returns, it is on disk. If it raises, nothing has changed."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._write, unit)

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.close()
        await asyncio.get_running_loop().run_in_executor(self._writer, self._close_for_writing)

    def _open_for_writing(self) -> None:
        try:
            self._writing = _logged_ahead(_connect(self._path))
            self._write(self._set_up)
        except sqlite3.OperationalError:  # of the disk, or of others who use it; another time it may be well
            raise
        except sqlite3.DatabaseError as error:
            raise unusable(self._path, str(error)) from error

    def _set_up(self, connection: sqlite3.Connection) -> None:
        if _require_known(self._path, connection) < VERSION:
            for statement in TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")

    def _write(self, unit: Callable[[sqlite3.Connection], Result]) -> Result:
        connection = self._writing
        assert connection is not None, "the index is open"  # noqa: S101 - a defect of ours, not of a caller
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = unit(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # SQLite may have rolled back by itself, as on a full disk
                connection.execute("ROLLBACK")
            raise
        return result

    def _close_for_writing(self) -> None:
        if self._writing is not None:
            self._writing.close()


def _require_known(path: Path, connection: sqlite3.Connection) -> int:
    """The form that a file has, 0 for a new one."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise unusable(path, "a later release wrote it, which alone can read it")
    return version


def unusable(path: Path, why: str) -> IndexUnusable:
    """That a file or a folder of a registry cannot be used, and why."""
    return IndexUnusable(f"The registry door cannot use {path}: {why}.")


def _logged_ahead(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Have the file written by way of a log. Of two who want that at once of a new file, SQLite sends one away."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(AGAIN)
        else:
            return connection


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    return connection
