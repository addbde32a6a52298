"""Answers that are given again: to the same request of the same caller, as long as the state is the same.

They may hold open secrets, and are dropped as soon as the state has changed.
"""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING, NamedTuple

from lru import LRU

if TYPE_CHECKING:
    from datetime import datetime

    from linarite.calls import Call, Case, Plan
    from linarite.model import Answer

_CALLERS = 32
"""Answers of one plan that are remembered at most: one for each query and token that asked of late."""


class Known(NamedTuple):
    """An answer, and what turned out while it was computed: who asked, and when their token ends."""

    answer: Answer
    case: Case


class Answers:
    """Computed at one state version: the same plan, query and token get the same answer; a body is ignored."""

    def __init__(self, most: int) -> None:
        """Remember those of so many plans at most."""
        self._version = -1
        self._by_plan: LRU[Plan, dict[tuple[str, str | None], Known]] = LRU(most)

    def find(self, plan: Plan, call: Call, version: int, now: datetime) -> Known | None:
        """What the same caller was answered at that version, unless their token has ended."""
        if version != self._version:
            self.drop(version)
        callers = self._by_plan.get(plan)
        found = callers.get((call.query_string, call.authorization)) if callers else None
        if found is None or found.case.expires is None or found.case.expires <= now:
            return None
        return found

    def keep(self, plan: Plan, call: Call, version: int, known: Known) -> None:
        """Remember what was answered, if it is of the newest version that was asked for."""
        if version != self._version:
            return
        callers = self._by_plan.get(plan)
        if callers is None:
            callers = self._by_plan[plan] = {}
        elif len(callers) >= _CALLERS:
            del callers[next(iter(callers))]
        _unite(callers)
        # A token is in as many places as its holder asks for: the text is kept once.
        token = call.authorization and intern(call.authorization)
        callers[call.query_string, token] = known

    def __len__(self) -> int:
        """Plans of which something is remembered."""
        return len(self._by_plan)

    def drop(self, version: int) -> None:
        """Forget all that is of another state."""
        if version != self._version:
            self._version = version
            self._by_plan.clear()


def _unite(callers: dict[tuple[str, str | None], Known]) -> None:
    """Let all who were answered the same bytes share one answer; the newest one nobody has rendered yet."""
    given: dict[object, Answer] = {}
    for caller, known in callers.items():
        answer = known.answer
        if answer.rendered is not None:
            callers[caller] = known._replace(answer=given.setdefault((answer.headers, answer.rendered), answer))
