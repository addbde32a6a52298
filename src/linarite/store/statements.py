"""The statements that every commit runs, and those that a listKeys runs whose workspace is not remembered, as text.

They go past SQLAlchemy's own work (`docs/performance.md`); all others in the store are written with its expressions.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VERSION = "SELECT version FROM state"
OLDEST_CHANGE = "SELECT min(version) FROM changes"
CHANGED = "SELECT key FROM changes WHERE version > ?"
FIND = "SELECT id, body, version, deleted_at FROM resources WHERE key = ?"
SEALED = "SELECT name, box FROM secrets WHERE owner = ?"
HELD = "SELECT principal, role, scope FROM assignments WHERE principal = ?"

TAKE_STATE = {
    "sqlite": "SELECT version, seq, hash FROM state",
    "postgresql": "SELECT version, seq, hash FROM state FOR UPDATE",
}
"""By dialect: SQLite knows no lock of a row, for its transaction holds the whole file."""
LEAVE_STATE = "UPDATE state SET version = ?, seq = ?, hash = ?"

_LONGEST_INSERT = 64
"""Rows of the longest insert."""
_INSERTS = [
    f"INSERT INTO trail (seq, at, body, hash) VALUES {', '.join(['(?, ?, ?, ?)'] * count)}"  # noqa: S608 - of marks
    for count in range(_LONGEST_INSERT + 1)
]


def append(rows: Sequence[tuple[int, int, bytes, bytes]]) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Statements, with their parameters, that insert rows of the trail.

    One statement for many rows: the driver lets go of the interpreter once a statement, and where threads want it, it
    comes back only when they pause.
    """
    for start in range(0, len(rows), _LONGEST_INSERT):
        some = rows[start : start + _LONGEST_INSERT]
        yield _INSERTS[len(some)], tuple(chain.from_iterable(some))
