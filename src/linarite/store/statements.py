"""The statements that writes and lists run, and a listKeys whose workspace is not remembered, as text.

They go past SQLAlchemy's own work (`docs/performance.md`); all others in the store are written with its expressions.
"""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from linarite.store.trail import Row

VERSION = "SELECT version FROM state"
OLDEST_CHANGE = "SELECT min(version) FROM changes"
CHANGED = "SELECT key FROM changes WHERE version > ?"
PRUNE = "DELETE FROM changes WHERE version <= ?"
_ROW = "id, body, resources.version, deleted_at, sealed"
FIND = f"SELECT {_ROW} FROM resources WHERE key = ?"  # noqa: S608 - of columns
FIND_AT = f"SELECT state.version, {_ROW} FROM state LEFT JOIN resources ON key = ?"  # noqa: S608
"""The state's version and a row of it in one statement, which needs no transaction to hold the two together."""
HELD = "SELECT principal, role, scope FROM assignments WHERE principal = ?"

TAKE_STATE = {
    "sqlite": "SELECT version, seq, hash FROM state",
    "postgresql": "SELECT version, seq, hash FROM state FOR UPDATE",
}
"""By dialect: SQLite knows no lock of a row, for its transaction holds the whole file."""
LEAVE_STATE = "UPDATE state SET version = ?, seq = ?, hash = ?"

ADD = "INSERT INTO resources (key, parent, subscription, type, name, id, body, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
REWRITE = "UPDATE resources SET body = ?, version = ?, deleted_at = ? WHERE key = ?"
KEEP = "UPDATE resources SET sealed = ? WHERE key = ?"
PRINCIPAL = (
    "SELECT object_id, kind, client, tenant, name, app_id, disabled, resource FROM principals WHERE object_id = ?"
)

_OPERATION = "SELECT id, state, due, attempts, body FROM operations"
BEGIN_OPERATION = "INSERT INTO operations (id, target, state, due, attempts, body) VALUES (?, ?, ?, ?, 0, ?)"
FIND_OPERATION = f"{_OPERATION} WHERE id = ?"
RUNNING_ON = f"{_OPERATION} WHERE target = ? AND state = ?"
RUNNING = "SELECT due, lease_until FROM operations WHERE state = ?"
FREE = f"{_OPERATION} WHERE state = ? AND due <= ? AND (lease_until IS NULL OR lease_until <= ?) ORDER BY due LIMIT ?"
LEASE = "UPDATE operations SET lease = ?, lease_until = ?, attempts = attempts + 1 WHERE id = ?"
KEEP_OPERATION = "UPDATE operations SET body = ? WHERE id = ?"
END_OPERATION = "UPDATE operations SET state = ?, lease = NULL, lease_until = NULL, body = ? WHERE id = ?"

TRIED = "SELECT times FROM tries WHERE digest = ? AND until > ?"
FORGET_TRIES = "DELETE FROM tries WHERE digest = ?"

_LONGEST_INSERT = 64
"""Rows of the longest insert."""


def _inserts(columns: str, width: int) -> list[str]:
    """Statements that insert none, one and up to so many rows."""
    row = f"({', '.join('?' * width)})"
    return [
        f"INSERT INTO {columns} VALUES {', '.join([row] * count)}"  # noqa: S608 - of marks
        for count in range(_LONGEST_INSERT + 1)
    ]


_TRAIL = _inserts("trail (seq, at, body, hash)", 4)
_CHANGES = _inserts("changes (version, key)", 2)


@cache
def page(columns: tuple[str, ...], *, deleted: bool) -> str:
    """The next rows of resources by key, behind one key, that have given values in some columns; so many at most."""
    where = " AND ".join(f"{column} = ?" for column in columns)
    gone = "IS NOT NULL" if deleted else "IS NULL"
    return (
        "SELECT id, body, version, deleted_at FROM resources "  # noqa: S608 - of columns
        f"WHERE {where and where + ' AND '}deleted_at {gone} AND key > ? ORDER BY key LIMIT ?"
    )


def append(rows: Sequence[Row]) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Statements, with their parameters, that insert rows of the trail."""
    return _insert(_TRAIL, rows)


def note(rows: Sequence[tuple[int, str]]) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Statements, with their parameters, that note at which version which key changed."""
    return _insert(_CHANGES, rows)


def _insert(inserts: list[str], rows: Sequence[tuple[object, ...]]) -> Iterator[tuple[str, tuple[object, ...]]]:
    """One statement for many rows.

    The driver lets go of the interpreter once a statement, and where threads want it, it comes back only when they
    pause.
    """
    for start in range(0, len(rows), _LONGEST_INSERT):
        some = rows[start : start + _LONGEST_INSERT]
        yield inserts[len(some)], tuple(chain.from_iterable(some))
