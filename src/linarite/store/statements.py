"""The three statements that every commit runs, as text for the driver: the hot path's way past SQLAlchemy's own work.

Measured: `docs/performance.md`. Everything else in the store is written with SQLAlchemy's expressions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Dialect

_LONGEST_INSERT = 64
"""Rows of the longest insert; a batch is cut into powers of two, so that few statements have to be prepared."""


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
        self._inserts = {
            count: (_APPEND + ", ".join([_ROW] * count)).replace("?", mark)
            for count in (1, 2, 4, 8, 16, 32, _LONGEST_INSERT)
        }

    def append(self, rows: Sequence[tuple[int, int, bytes, bytes]]) -> Iterator[tuple[str, tuple[object, ...]]]:
        """Statements, with their parameters, that insert rows of the trail.

        One statement for many rows: the driver lets go of the interpreter once a statement, and gets it back only when
        the busy event loop pauses, so one statement a row would wait that long for every row.
        """
        start = 0
        while start < len(rows):
            count = min(_LONGEST_INSERT, 1 << ((len(rows) - start).bit_length() - 1))
            yield self._inserts[count], tuple(value for row in rows[start : start + count] for value in row)
            start += count
