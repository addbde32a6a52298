"""The three statements that every commit runs, as text for the driver: the hot path's way past SQLAlchemy's own work.

Measured: `docs/performance.md`. Everything else in the store is written with SQLAlchemy's expressions.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Dialect

_LONGEST_INSERT = 64
"""Rows of the longest insert."""

_TAKE = "SELECT version, seq, hash FROM state"
_LEAVE = "UPDATE state SET version = ?, seq = ?, hash = ?"
_APPEND = "INSERT INTO trail (seq, at, body, hash) VALUES "
_ROW = "(?, ?, ?, ?)"


class Statements:
    """For one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        sqlite = dialect.name == "sqlite"
        mark = "?" if sqlite else "%s"
        self.take_state = _TAKE if sqlite else _TAKE + " FOR UPDATE"
        self.leave_state = _LEAVE.replace("?", mark)
        counts = range(_LONGEST_INSERT + 1)
        self._inserts = [(_APPEND + ", ".join([_ROW] * count)).replace("?", mark) for count in counts]

    def append(self, rows: Sequence[tuple[int, int, bytes, bytes]]) -> Iterator[tuple[str, tuple[object, ...]]]:
        """Statements, with their parameters, that insert rows of the trail.

        One statement for many rows: the driver lets go of the interpreter once a statement, and gets it back only when
        the busy event loop pauses, so one statement a row would wait that long for every row.
        """
        for start in range(0, len(rows), _LONGEST_INSERT):
            some = rows[start : start + _LONGEST_INSERT]
            yield self._inserts[len(some)], tuple(chain.from_iterable(some))
