"""Answers that are given again, to everybody who may have them, as long as the state is the same.

What a repeatable request is answered follows from the request and the state; who asks matters to the role check alone.
So an answer is remembered once, and of each caller who they are and where they were found to hold a role that grants
what they ask for. Answers may hold open secrets, and are dropped as soon as the state has changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from lru import LRU

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from linarite.calls import Case, Plan
    from linarite.model import Answer, Principal

_CALLERS = 20_000
"""Callers that are remembered at most: as many as verified tokens."""

_NOWHERE: AbstractSet[str] = frozenset()


class _Caller(msgspec.Struct, gc=False):
    """Whom a token stands for at one state, and what they were allowed."""

    principal: Principal
    expires: datetime
    """When the token ends."""
    granted: dict[str, set[str]]
    """Keys of scopes at which a role of theirs grants an operation, by the operation."""

    def may(self, plan: Plan) -> bool:
        """Whether it is known that they may do what a plan is about; if not, they may still be allowed to."""
        return not self.granted.get(plan.action, _NOWHERE).isdisjoint(plan.scopes)


class Answers:
    """Computed at one state version; a body is ignored."""

    def __init__(self, most: int) -> None:
        """Remember those of so many plans at most."""
        self._version = -1
        self._by_plan: LRU[Plan, Answer] = LRU(most)
        self._callers: LRU[str | None, _Caller] = LRU(_CALLERS)
        """By the header that they show their token in."""

    def find(
        self, plan: Plan, authorization: str | None, version: int, now: datetime
    ) -> tuple[Answer, Principal] | None:
        """What a plan is answered at that version, and who asks: somebody who may have it, with a token that counts."""
        if version != self._version:
            self.drop(version)
        answer = self._by_plan.get(plan)
        if answer is None:
            return None
        caller = self._callers.get(authorization)
        if caller is None or caller.expires <= now or not caller.may(plan):
            return None
        return answer, caller.principal

    def keep(self, plan: Plan, authorization: str | None, version: int, answer: Answer, case: Case) -> None:
        """Remember what somebody was answered, and that they may be, if it is of the newest version asked for."""
        if version != self._version or case.principal is None or case.expires is None or case.granted_at is None:
            return
        self._by_plan[plan] = answer
        caller = self._callers.get(authorization)
        if caller is None:
            caller = self._callers[authorization] = _Caller(case.principal, case.expires, {})
        caller.granted.setdefault(plan.action, set()).add(case.granted_at)

    def __len__(self) -> int:
        """Plans of which an answer is remembered."""
        return len(self._by_plan)

    def drop(self, version: int) -> None:
        """Forget all that is of another state."""
        if version != self._version:
            self._version = version
            self._by_plan.clear()
            self._callers.clear()
