"""The engine: the one path by which anything is read, changed or revealed.

`serve` decides what a call is about from names alone, asks the newest state who is calling and whether they may, lets a
verb answer, and sees to it that a release, a write or a refusal is durable on the trail before it returns. Plain reads
leave no entry. A release is computed from what is remembered and recorded at that version; if the state has moved on,
it is computed again.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from linarite import access, faults, listing, verbs
from linarite.answers import Answers, Known
from linarite.calls import Call, Case, Plan, entry_of
from linarite.context import Context, Work
from linarite.errors import Conflict, Refusal
from linarite.errors.access import caller_remote
from linarite.errors.names import (
    namespace_unregistered,
    subscription_not_found,
    version_malformed,
    version_missing,
    version_unknown,
)
from linarite.errors.server import cut
from linarite.errors.tokens import token_invalid
from linarite.faults import Met
from linarite.ids import PROVIDER, parse
from linarite.kind import Effect, Kind, is_dated
from linarite.model import Answer, Entry
from linarite.recent import Recent
from linarite.regions import REGIONS
from linarite.routes import Route, Verb
from linarite.store.gate import Stale
from linarite.store.view import Transaction
from linarite.throttle import Buckets
from linarite.verbs import Request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from linarite.foreign import Trust, Vouched
    from linarite.longrunning import Pace
    from linarite.model import Principal
    from linarite.routes import Registry
    from linarite.store.gate import Gate
    from linarite.store.view import View
    from linarite.tokens import Reader
    from linarite.world import Options

    Follower = Callable[[frozenset[str]], Awaitable[None]]

_PLATFORM = frozenset({"microsoft.resources", "microsoft.authorization"})
"""Namespaces that every subscription is registered for."""

_READ, _RELEASE = Effect.READ, Effect.RELEASE
"""Names of our own, for Python 3.11 takes a tenth of a microsecond to find a member of an Enum."""

_RECOMPUTE = 64
_PLANS = 20_000
"""Plans that are remembered at most where the memory has no bound."""


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
        self._plans: Recent[tuple[str, str, str], Plan] = Recent(gate.memory.most or _PLANS)
        self.answers = Answers(gate.memory.most or _PLANS)
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
        entry = self._entry(call, plan, Case(caller), refusal or Answer(200), at=self.clock())
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
            outcome, case = again
        else:
            case = Case()
            outcome, version = await self.gate.peek(partial(self._outcome, call, plan, case))
        if isinstance(outcome, Refusal):
            await self.gate.record(self._entry(call, plan, case, outcome, at=self.clock()))
            raise outcome
        if again is None:
            self._keep(call, plan, version, Known(outcome, case))
        return outcome

    async def _release(self, call: Call, plan: Plan) -> Answer:
        gate = self.gate
        version = gate.memory.version
        for _ in range(_RECOMPUTE):
            now = self.clock()
            again = self._again(call, plan, version, now)
            if again is not None:
                outcome, case = again
            else:
                case = Case()
                outcome, version = await gate.peek(partial(self._outcome, call, plan, case))
            try:
                await gate.record(self._entry(call, plan, case, outcome, at=now, version=version), version)
            except Stale:
                version = await gate.current()
                continue
            if isinstance(outcome, Refusal):
                raise outcome
            if again is None:
                self._keep(call, plan, version, Known(outcome, case))
            return outcome
        raise Conflict("Conflict", "The state changes faster than it can be read. Please try again.")

    def _again(self, call: Call, plan: Plan, version: int, now: datetime) -> tuple[Answer | Refusal, Case] | None:
        """What the same call was answered at that version, and what turned out then; a refusal if a bucket is empty."""
        if not plan.repeatable or call.refusal is not None or call.vouched is not None:
            return None
        known = self.answers.find(plan, call, version, now)
        if known is not None and known.case.principal is not None:
            try:
                self._count(call, plan, known.case.principal, now)
            except Refusal as refusal:
                return refusal, known.case
        return known

    def _keep(self, call: Call, plan: Plan, version: int, known: Known) -> None:
        """Remember an answer that may be given again, unless the secrets in it are to stay sealed."""
        if plan.effect is _RELEASE and not self.gate.memory.opens_secrets:
            return
        if plan.repeatable and not call.met and call.vouched is None:
            self.answers.keep(plan, call, version, known)

    async def _write(self, call: Call, plan: Plan) -> Answer:
        case = Case()

        def work(transaction: Transaction) -> Answer:
            answer = self._decide(transaction, call, plan, case)
            case.changed = frozenset(transaction.changed)
            return answer

        answer = await self.gate.commit(work, lambda outcome: self._entry(call, plan, case, outcome, at=self.clock()))
        self.answers.drop(self.gate.memory.version)
        await self._announce(case.changed)
        return answer

    async def _announce(self, changed: frozenset[str]) -> None:
        if any(key.startswith("operation:") for key in changed):
            self.on_operation()
        for follower in self.followers:
            await follower(changed)

    # ── deciding ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _plan(self, call: Call) -> Plan:
        key = call.method, call.path, call.query.get("api-version", "")
        try:
            return self._plans[key]
        except KeyError:
            plan = self._plans[key] = self._planned(*key)
            return plan

    def _planned(self, method: str, path: str, version: str) -> Plan:
        address = None
        try:
            address = parse(path)
            return Plan(method, path, address, self.registry.resolve(method, address, version))
        except Refusal as refusal:
            return Plan(method, path, address, refusal=refusal.with_traceback(None))

    def _outcome(self, call: Call, plan: Plan, case: Case, view: View) -> Answer | Refusal:
        try:
            return self._decide(view, call, plan, case)
        except Refusal as refusal:
            return refusal

    def _decide(self, view: View, call: Call, plan: Plan, case: Case) -> Answer:
        """Decide a call over one state, in the gateway's order: version, subscription, caller, role, and the rest."""
        if plan.address is None and plan.refusal is not None:
            raise plan.refusal.with_traceback(None)
        version = call.query.get("api-version", "").lower()
        if not version:
            raise version_missing()
        subscription = plan.subscription
        if subscription is not None and view.resource(subscription.key) is None:
            raise subscription_not_found(subscription.name)
        caller = self._caller(view, call, case)
        if plan.route is None:
            raise (plan.refusal or subscription_not_found("")).with_traceback(None)
        now = self.clock()
        self._count(call, plan, caller, now)
        route = plan.route
        if (standing := view.faults()) and not route.kind.local:
            faults.meet(standing, call, caller)
        make = Work if isinstance(view, Transaction) else Context
        context = make(
            view,
            now=now,
            options=self.options,
            registry=self.registry,
            caller=caller,
            version=version,
            origin=call.origin,
            correlation=call.correlation,
            asked=route.id,
        )
        self._authorize(context, route, caller)
        if route.kind.local and not call.is_local:
            raise caller_remote()
        if route.harm is not None:
            access.require_unlocked(view, route.id, route.harm)
        if call.refusal is not None:
            raise call.refusal
        self._admit(view, route, subscription.key if subscription else None, version)
        request = Request(route, call.query, call.json, self.pace, call.method)
        return self._answer(context, request, call.path)

    def _count(self, call: Call, plan: Plan, caller: Principal, now: datetime) -> None:
        """Take a token of the caller's bucket, once for a call however often it is decided."""
        if call.remaining is None:
            call.remaining = 0
            scope = plan.scope or self.options.tenant
            call.remaining = self.buckets.take(plan.bucket, scope, caller.object_id, now)

    def _caller(self, view: View, call: Call, case: Case) -> Principal:
        """Who is calling; remembered in the case from here on, so that a refusal names them too."""
        if call.vouched is not None:
            return self._vouched(view, call.vouched, case)
        claims = self.reader.read(call.authorization, view.signing_keys())
        case.expires = claims.expires
        principal = view.principal(claims.object_id)
        if principal is None or principal.disabled:
            raise token_invalid(self.reader.authority.url)
        case.principal = principal
        return principal

    def _vouched(self, view: View, vouched: Vouched | Refusal, case: Case) -> Principal:
        """Somebody for whom a trusted issuer stands; it cannot stand for anybody of our own directory."""
        if isinstance(vouched, Refusal):
            raise vouched.with_traceback(None)
        if view.principal(vouched.principal.object_id) is not None:
            raise token_invalid(self.reader.authority.url)
        case.expires, case.principal = vouched.expires, vouched.principal
        return vouched.principal

    def _authorize(self, context: Context, route: Route, caller: Principal) -> None:
        """Refuse what no role grants. Lists decide for themselves, item by item."""
        if route.verb is Verb.LIST or (route.kind.for_everybody and route.verb is Verb.GET):
            return
        if route.kind.is_progress:
            operation = context.operation(route.id.name)
            if operation is not None and operation.caller != caller.object_id:
                access.require(context.view, caller, route.operation, operation.target)
            return
        access.require(context.view, caller, route.operation, route.id)

    def _admit(self, view: View, route: Route, subscription: str | None, version: str) -> None:
        """Refuse an unregistered namespace, and an api-version that the type does not know."""
        kind = route.kind
        if subscription is not None and kind.type != PROVIDER and kind.namespace.lower() not in _PLATFORM:
            found = view.resource(subscription)
            if found and kind.namespace.lower() in found.body.get("unregistered", ()):
                raise namespace_unregistered(kind.namespace)
        if not kind.versions.knows(version):
            raise _version_refused(kind, version, self.options.location)

    def _answer(self, context: Context, request: Request, path: str) -> Answer:
        """Let a verb answer, and the kind's provider speak: only a refusal of the gateway stays the gateway's."""
        speaks = request.route.kind.speaks
        try:
            answer = self._verb(context, request, path)
        except Refusal as refusal:
            if refusal.origin != "gateway":
                refusal.origin = speaks
            raise
        return answer if answer.origin == speaks else msgspec.structs.replace(answer, origin=speaks)

    def _verb(self, context: Context, request: Request, path: str) -> Answer:
        verb, action = request.route.verb, request.route.action
        if verb is Verb.LIST:
            return listing.list_(context, request, path)
        if action is not None:
            return verbs.act(context, action, request)
        if isinstance(context, Work):
            return {Verb.PUT: verbs.put, Verb.PATCH: verbs.patch, Verb.DELETE: verbs.delete}[verb](context, request)
        return verbs.get(context, request)

    # ── the trail ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _entry(
        self, call: Call, plan: Plan, case: Case, outcome: Answer | Refusal, *, at: datetime, version: int | None = None
    ) -> Entry:
        return entry_of(
            call,
            outcome,
            case.principal,
            at=at,
            action=plan.action,
            target=plan.target,
            deed=plan.deed,
            version=version,
        )


def _version_refused(kind: Kind, version: str, location: str) -> Refusal:
    listed = kind.versions.listed[::-1]
    if not is_dated(version) or kind.namespace.lower() in _PLATFORM:
        return version_malformed(version, listed)
    return version_unknown(kind.short_type, version, listed, location, REGIONS)
