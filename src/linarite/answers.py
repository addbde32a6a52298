"""Answers that are given again, to everybody who may have them, until something changes that was looked at for them.

What a repeatable request is answered follows from the request and the state; who asks matters to the role check alone.
So an answer is remembered once, and of each caller who they are and where they were found to hold a role that grants
what they ask for. Answers may hold open secrets, and go with the change that makes them others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from linarite.derived import Derived
from linarite.store.keys import EVERYTHING

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from linarite.calls import Case, Plan
    from linarite.model import Answer, Principal

_CALLERS = 20_000
"""Callers that are remembered at most: as many as verified tokens."""

_NOWHERE: AbstractSet[str] = frozenset()


class _Given(msgspec.Struct, frozen=True, gc=False):
    """What was answered, and the keys of what was looked at for it."""

    answer: Answer
    sources: tuple[str, ...]


class _Caller(msgspec.Struct, frozen=True, gc=False):
    """Whom a token stands for, and what they were allowed."""

    principal: Principal
    expires: datetime
    """When the token ends."""
    granted: dict[str, set[str]]
    """Keys of scopes at which a role of theirs grants an operation, by the operation."""
    sources: frozenset[str]
    """Keys of what was looked at to know all this."""

    def may(self, plan: Plan) -> bool:
        """Whether it is known that they may do what a plan is about; if not, they may still be allowed to."""
        return not self.granted.get(plan.action, _NOWHERE).isdisjoint(plan.scopes)


class Answers:
    """They are all of one state version, and go on to the next one but for what has changed; a body is ignored."""

    def __init__(self, most: int, version: int) -> None:
        """Remember those of so many plans at most, of that version at first."""
        self._version = version
        self._by_plan: Derived[Plan, _Given] = Derived(most)
        self._callers: Derived[str, _Caller] = Derived(_CALLERS)
        """By the header that they show their token in."""

    def find(
        self, plan: Plan, authorization: str | None, version: int, now: datetime
    ) -> tuple[Answer, Principal] | None:
        """What a plan is answered at that version, and who asks: somebody who may have it, with a token that counts."""
        if version != self._version:
            return None
        given = self._by_plan.get(plan)
        if given is None:
            return None
        caller = self._callers.get(authorization or "")
        if caller is None or caller.expires <= now or not caller.may(plan):
            return None
        return given.answer, caller.principal

    def keep(self, plan: Plan, authorization: str | None, version: int, answer: Answer, case: Case) -> None:
        """Remember what somebody was answered, and that they may be, if it is of the version that all others are of."""
        if version != self._version or authorization is None:
            return
        if case.principal is None or case.expires is None or case.granted_at is None:
            return
        self._by_plan.keep(plan, _Given(answer, tuple(case.sources)))
        known = self._callers.get(authorization)
        granted, sources = (known.granted, known.sources) if known is not None else ({}, frozenset())
        granted.setdefault(plan.action, set()).add(case.granted_at)
        if known is None or not sources >= case.caller_sources:
            caller = _Caller(case.principal, case.expires, granted, sources | case.caller_sources)
            self._callers.keep(authorization, caller)

    def follow(self, version: int, changed: AbstractSet[str]) -> None:
        """Go on to another version, at which what has these keys is different."""
        self._version = version
        if EVERYTHING in changed:
            self._by_plan.clear()
            self._callers.clear()
        elif changed:
            for derived in (self._by_plan, self._callers):
                derived.changed((*changed, EVERYTHING))

    def __len__(self) -> int:
        """Plans of which an answer is remembered."""
        return len(self._by_plan)
