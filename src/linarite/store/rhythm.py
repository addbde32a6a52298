"""How many come together, by the batches so far: whether it is worth a moment to wait for those on their way."""

from __future__ import annotations

_FEW = 16
"""Where more are usual, none is waited for: others want the processor, and the cost of a commit is shared by many."""
_REMEMBERED = 8
"""Batches in which a new size becomes the usual one."""


class Rhythm:
    """The sizes of a gate's batches."""

    def __init__(self) -> None:
        self.last = 0
        """Items of the last batch."""
        self._usual = 1.0

    def note(self, size: int) -> None:
        """Take up the size of a batch."""
        self.last = size
        self._usual += (size - self._usual) / _REMEMBERED

    def falls_short(self, waiting: int) -> bool:
        """Whether so many are fewer than usual, where few are usual; never where one after one is."""
        return waiting < round(self._usual) <= _FEW
