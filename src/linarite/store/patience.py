"""When to try again what did not go well: after one turn, and then after twice as many each time. It knows no more."""

from __future__ import annotations

_LONGEST = 64


class Patience:
    """Lets turns pass after each failure; a success ends that."""

    def __init__(self) -> None:
        self._passing = 0
        self._next = 1

    def is_over(self) -> bool:
        """Whether it may be tried in this turn; to be asked once for each."""
        if self._passing:
            self._passing -= 1
            return False
        return True

    def note(self, *, well: bool) -> None:
        """How it went."""
        if well:
            self._next = 1
        else:
            self._passing = self._next
            self._next = min(2 * self._next, _LONGEST)
