"""The SQLite file of the telemetry door: its table, and what is done to it. Functions over a connection, none waits.

It does not know threads, nor what an event looks like inside.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from linarite.doors.telemetry.asked import Asked

SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY,
    app_id TEXT NOT NULL,
    type TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    operation TEXT,
    received INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS event_by_time ON event (app_id, timestamp);
CREATE INDEX IF NOT EXISTS event_by_operation ON event (app_id, operation) WHERE operation IS NOT NULL;
CREATE INDEX IF NOT EXISTS event_by_age ON event (received);
"""
INSERT = """
INSERT INTO event (app_id, type, timestamp, operation, received, body) VALUES (?, ?, ?, ?, ?, ?)
"""
SELECT_BY_TIME = """
SELECT body FROM event
WHERE app_id = :app_id AND timestamp >= :since AND timestamp < :until AND (:type IS NULL OR type = :type)
ORDER BY timestamp DESC, seq DESC LIMIT :top OFFSET :skip
"""
SELECT_BY_OPERATION = """
SELECT body FROM event
WHERE app_id = :app_id AND operation = :operation
AND timestamp >= :since AND timestamp < :until AND (:type IS NULL OR type = :type)
ORDER BY timestamp DESC, seq DESC LIMIT :top OFFSET :skip
"""
ALWAYS = 1 << 62
"""A microsecond that no date of four digits reaches, nor its negative."""
PRUNED_AT_ONCE = 1000
WAITS = 2.0
"""Seconds for somebody else who uses the file, a backup for instance."""


class Row(NamedTuple):
    """An event to keep; times are microseconds since 1970, `body` is the event as JSON."""

    app_id: str
    type: str
    timestamp: int
    operation: str | None
    received: int
    body: bytes


def open_to_write(path: Path) -> sqlite3.Connection:
    """The one connection that writes; the file and its folder are made where they are not, for this user alone.

    Raises:
        OSError, sqlite3.Error: that cannot be, or it is something else.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=WAITS, isolation_level=None)
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(SCHEMA)
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that sees what is committed, and waits for nobody who writes."""
    return sqlite3.connect(path, timeout=WAITS, isolation_level=None)


def insert(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """All of them, on disk when this returns; or none."""
    with _transaction(connection):
        connection.executemany(INSERT, rows)


def select(connection: sqlite3.Connection, app_id: str, kind: str | None, asked: Asked) -> list[bytes]:
    """The bodies asked for, newest first; of one type, or of any."""
    statement = SELECT_BY_TIME if asked.operation is None else SELECT_BY_OPERATION
    values = {
        "app_id": app_id,
        "type": kind,
        "since": -ALWAYS if asked.since is None else asked.since,
        "until": ALWAYS if asked.until is None else asked.until,
        "operation": asked.operation,
        "top": asked.top,
        "skip": asked.skip,
    }
    return [body for (body,) in connection.execute(statement, values)]


def forget(connection: sqlite3.Connection, app_id: str) -> None:
    """Nothing of this component is left."""
    connection.execute("DELETE FROM event WHERE app_id = ?", (app_id,))


def prune(connection: sqlite3.Connection, received_before: int, largest: int) -> None:
    """Let go of what came before that microsecond, then of the oldest until at most `largest` bytes are in use."""
    connection.execute("DELETE FROM event WHERE received < ?", (received_before,))
    while _size(connection) > largest:
        oldest = "DELETE FROM event WHERE seq IN (SELECT seq FROM event ORDER BY seq LIMIT ?)"
        if connection.execute(oldest, (PRUNED_AT_ONCE,)).rowcount == 0:
            break
    connection.executescript("PRAGMA incremental_vacuum")  # `execute` would step once, which is one page


def _size(connection: sqlite3.Connection) -> int:
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
