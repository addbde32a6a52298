"""The engine: the one path by which anything is read, changed or revealed.

`serve` tells what a call is about from names alone, lets the gateway decide it over the newest state, and sees to it
that a release, a write or a refusal is durable on the trail before it returns. Plain reads leave no entry. A release is
computed from what is remembered and recorded at that version; if the state has moved on, it is computed again.
"""

from __future__ import annotations

from functools import partial
from sys import intern
from typing import TYPE_CHECKING

from lru import LRU

from linarite import faults, gateway
from linarite.answers import Answers
from linarite.calls import Call, Case, Plan, entry_of
from linarite.errors import Conflict, Refusal
from linarite.errors.server import cut
from linarite.faults import Met
from linarite.ids import parse
from linarite.kind import Effect
from linarite.model import Answer
from linarite.store.gate import Stale
from linarite.store.watched import Watched
from linarite.throttle import Buckets

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from linarite.foreign import Trust
    from linarite.longrunning import Pace
    from linarite.model import Entry, Principal
    from linarite.routes import Registry
    from linarite.store.gate import Gate
    from linarite.store.transaction import Transaction
    from linarite.store.view import View
    from linarite.tokens import Reader
    from linarite.world import Options

    Follower = Callable[[frozenset[str]], Awaitable[None]]
    _Given = tuple[Answer | Refusal, Principal | None]
    """What comes of a call, and who asks."""

_READ, _RELEASE = Effect.READ, Effect.RELEASE
"""Names of our own, for Python 3.11 takes a tenth of a microsecond to find a member of an Enum."""

_RECOMPUTE = range(64)
"""Times that a release is computed while the state changes under it; a range is too dear to be made for each call."""
_PLANS = 20_000
"""Plans and answers that are remembered at most where the memory has no bound."""
_PLANS_A_ROW = 4
"""Otherwise so many for each row: an answer is no larger than the row behind it, and spares ten times as much."""

_LONGEST_REMEMBERED = 1024
"""Characters of a path and a query of which something is remembered: nobody knows yet who asks, and for what."""


class Engine:
    """Serves calls over one gate."""

    def __init__(
        self,
        gate: Gate,
        registry: Registry,
        reader: Reader,
        *,
        options: Options,
        pace: Pace,
        clock: Callable[[], datetime],
        buckets: Buckets | None = None,
        trust: Trust | None = None,
    ) -> None:
        self.gate = gate
        self.registry = registry
        self.reader = reader
        self.options = options
        self.pace = pace
        self.clock = clock
        self.buckets = buckets or Buckets()
        self.trust = trust
        most = (gate.memory.most or 0) * _PLANS_A_ROW or _PLANS
        self._plans: LRU[tuple[str, str, str], Plan] = LRU(most)
        self.answers = Answers(most, gate.memory.version)
        gate.memory.followers.append(self.answers.follow)
        self.followers: list[Follower] = []
        """Called with the keys that a commit changed, before the change is acknowledged."""
        self.on_operation: Callable[[], None] = lambda: None
        """Called when there is long-running work to do."""

    async def serve(self, call: Call) -> Answer:
        """Answer a call.

        Raises:
            Refusal: it is refused; the refusal is on the trail.
        """
        if self.trust is not None:
            call.vouched = await self.trust.vouch(call.authorization)
        plan = self._plan(call)
        call.bucket = plan.bucket
        effect = plan.effect
        try:
            if effect is _READ:
                return await self._read(call, plan)
            if effect is _RELEASE:
                return await self._release(call, plan)
            return await self._write(call, plan)
        except Met as met:
            lost = await self._strike(call, plan, met)
        answer = await self.serve(call)
        if lost:
            raise cut()
        return answer

    async def _strike(self, call: Call, plan: Plan, met: Met) -> bool:
        """Let a fault on purpose strike a call, which goes on where it is not refused by that; may lose its answer."""
        fault, caller = met.fault, met.caller
        call.met += (fault.id.key,)
        refusal = faults.refusal(fault, call, plan, caller, self.reader.authority.url)
        entry = self._entry(call, plan, caller, refusal or Answer(200), at=self.clock())
        if not await faults.strike(self.gate, fault, entry):
            return False
        call.struck_by += (fault.name,)
        if refusal is not None:
            raise refusal
        return fault.what == "lose"

    # ── the three ways of one path ──────────────────────────────────────────────────────────────────────────────────

    async def _read(self, call: Call, plan: Plan) -> Answer:
        version, now = await self.gate.current(), self.clock()
        again = self._again(call, plan, version, now)
        if again is not None:
            outcome, principal = again
        else:
            outcome, principal, _ = await self._decide(call, plan)
        if isinstance(outcome, Refusal):
            await self.gate.record(self._entry(call, plan, principal, outcome, at=self.clock()))
            raise outcome
        return outcome

    async def _release(self, call: Call, plan: Plan) -> Answer:
        gate = self.gate
        version = gate.memory.version
        for _ in _RECOMPUTE:
            now = self.clock()
            again = self._again(call, plan, version, now)
            if again is not None:
                outcome, principal = again
            else:
                outcome, principal, version = await self._decide(call, plan)
            try:
                await gate.record(self._entry(call, plan, principal, outcome, at=now, version=version), version)
            except Stale:
                version = await gate.current()
                continue
            if isinstance(outcome, Refusal):
                raise outcome
            return outcome
        raise Conflict("Conflict", "The state changes faster than it can be read. Please try again.")

    async def _decide(self, call: Call, plan: Plan) -> tuple[Answer | Refusal, Principal | None, int]:
        """What comes of a call over what is remembered, who asks, and at which version; what is answered is kept."""
        case = Case()
        outcome, version = await self.gate.peek(partial(self._outcome, call, plan, case))
        if not isinstance(outcome, Refusal):
            self._keep(call, plan, version, outcome, case)
        return outcome, case.principal, version

    def _outcome(self, call: Call, plan: Plan, case: Case, view: View) -> Answer | Refusal:
        of_caller = view
        if plan.repeatable:
            for_answer, for_caller = Watched(view), Watched(view)
            case.sources, case.caller_sources = for_answer.sources, for_caller.sources
            view, of_caller = for_answer, for_caller
        try:
            return gateway.decide(self, view, call, plan, case, of_caller=of_caller)
        except Refusal as refusal:
            return refusal

    def _again(self, call: Call, plan: Plan, version: int, now: datetime) -> _Given | None:
        """What the same was answered at that version, and who asks for it now; a refusal if a bucket is empty."""
        if not plan.repeatable or call.refusal is not None or call.vouched is not None:
            return None
        known = self.answers.find(plan, call.authorization, version, now)
        if known is None:
            return None
        _, principal = known
        try:
            gateway.count(self, call, plan, principal, now)
        except Refusal as refusal:
            return refusal, principal
        return known

    def _keep(self, call: Call, plan: Plan, version: int, answer: Answer, case: Case) -> None:
        """Remember an answer that may be given again, unless the secrets in it are to stay sealed."""
        if plan.effect is _RELEASE and not self.gate.memory.opens_secrets:
            return
        if plan.repeatable and case.undisturbed and call.vouched is None:
            self.answers.keep(plan, call.authorization, version, answer, case)

    async def _write(self, call: Call, plan: Plan) -> Answer:
        case = Case()

        def work(transaction: Transaction) -> Answer:
            answer = gateway.decide(self, transaction, call, plan, case, of_caller=transaction)
            case.changed = frozenset(transaction.changed)
            return answer

        answer = await self.gate.commit(
            work, lambda outcome: self._entry(call, plan, case.principal, outcome, at=self.clock())
        )
        await self._announce(case.changed)
        return answer

    async def _announce(self, changed: frozenset[str]) -> None:
        if any(key.startswith("operation:") for key in changed):
            self.on_operation()
        for follower in self.followers:
            await follower(changed)

    # ── planning ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _plan(self, call: Call) -> Plan:
        method, path, query = call.method, call.path, call.query_string
        try:
            return self._plans[method, path, query]
        except KeyError:
            plan = self._planned(method, path, call.query.get("api-version", ""))
            if len(path) + len(query) > _LONGEST_REMEMBERED:
                plan.repeatable = False
            else:
                self._plans[intern(method), path, intern(query)] = plan
            return plan

    def _planned(self, method: str, path: str, version: str) -> Plan:
        address = None
        try:
            address = parse(path)
            return Plan(method, path, address, self.registry.resolve(method, address, version))
        except Refusal as refusal:
            return Plan(method, path, address, refusal=refusal.with_traceback(None))

    # ── the trail ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _entry(
        self,
        call: Call,
        plan: Plan,
        principal: Principal | None,
        outcome: Answer | Refusal,
        *,
        at: datetime,
        version: int | None = None,
    ) -> Entry:
        return entry_of(
            call,
            outcome,
            principal,
            at=at,
            action=plan.action,
            target=plan.target,
            deed=plan.deed,
            version=version,
        )
