"""What the engine works on: a call as it came, what it is about, what turned out of it, and releases remembered."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from linarite.errors import Refusal
from linarite.ids import SUBSCRIPTION
from linarite.kind import Effect
from linarite.model import Deed, Entry
from linarite.recent import Recent
from linarite.routes import Route, Verb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from linarite.foreign import Vouched
    from linarite.ids import Address, ResourceId
    from linarite.model import Answer, Principal

_CALLERS = 8
"""Releases of one plan that are remembered at most: one for each token that asked of late."""


class Call(msgspec.Struct):
    """A request of a client, as the network layer understood it; nothing in it is trusted, and it does not print."""

    method: str
    path: str
    """Percent-decoded."""
    query_string: str
    query: Mapping[str, str]
    authorization: str | None
    json: Callable[[], Any]
    """The decoded body, None where there is none; raises a Refusal where it cannot be read."""
    origin: str
    request: str
    correlation: str
    address: str
    vouched: Vouched | Refusal | None = None
    """Set by the engine: for whom a trusted issuer stands that the token names, or why it does not count."""
    refusal: Refusal | None = None
    """Set where the body could not be received: raised once the caller is known to be allowed."""
    bucket: str = "subscription-writes"
    """Set by the engine: which of Azure's token buckets the call draws on."""
    remaining: int | None = None
    """Set by the engine once the caller is known: what is left in it."""
    met: tuple[str, ...] = ()
    """Set by the engine: the keys of the faults on purpose that had their chance."""
    struck_by: tuple[str, ...] = ()
    """Set by the engine: the names of those that took it."""

    @property
    def is_local(self) -> bool:
        """Whether it comes from this machine; a call from inside the server has no address."""
        return not self.address or _is_loopback(self.address)

    def __repr__(self) -> str:
        return f"Call({self.method} {self.path})"


class Plan:
    """What a call is about, from names alone; or the refusal, which is raised once the caller is known.

    Made once for a method, a path and an api-version, and the same for everybody.
    """

    __slots__ = ("address", "bucket", "effect", "operation", "refusal", "route", "subscription", "target")

    def __init__(self, address: Address | None, route: Route | None = None, refusal: Refusal | None = None) -> None:
        self.address = address
        self.route = route
        self.refusal = refusal
        self.operation = route.operation if route else ""
        self.target = route.id.text if route else ""
        self.effect = _effect(route)
        self.subscription = address.scope.within(SUBSCRIPTION) if address else None
        self.bucket = _bucket(self.subscription, route)

    @property
    def repeatable(self) -> bool:
        return self.route is not None and self.route.action is not None and self.route.action.repeatable


@dataclass(slots=True)
class Case:
    """What turned out while a call was decided: who, and for a write, which keys changed."""

    principal: Principal | None = None
    expires: datetime | None = None
    """When the caller's token ends."""
    changed: frozenset[str] = field(default_factory=frozenset)


class Released(NamedTuple):
    """A release that may be given again."""

    answer: Answer
    case: Case


class Releases:
    """Releases computed at one state version: the same plan, query and token get the same answer; a body is ignored.

    They hold open secrets, and are dropped as soon as the state has changed.
    """

    def __init__(self, most: int) -> None:
        """Remember those of so many plans at most."""
        self._version = -1
        self._by_plan: Recent[Plan, dict[tuple[str, str | None], Released]] = Recent(most)

    def find(self, plan: Plan, call: Call, version: int, now: datetime) -> Released | None:
        """What was released to the same caller at that version, unless their token has ended."""
        self.drop(version)
        callers = self._by_plan.get(plan)
        found = callers.get((call.query_string, call.authorization)) if callers is not None else None
        if found is None or found.case.expires is None or found.case.expires <= now:
            return None
        self._by_plan.move_to_end(plan)
        return found

    def keep(self, plan: Plan, call: Call, version: int, released: Released) -> None:
        if version != self._version:
            return
        callers = self._by_plan.get(plan)
        if callers is None:
            callers = self._by_plan[plan] = {}
        elif len(callers) >= _CALLERS:
            callers.clear()
        for kept in callers.values():  # one answer for all who get the same
            if (kept.answer.headers, kept.answer.body) == (released.answer.headers, released.answer.body):
                released = released._replace(answer=kept.answer)
            break
        # A token is in as many places as its holder asks for: the text is kept once.
        token = call.authorization and intern(call.authorization)
        callers[call.query_string, token] = released

    def __len__(self) -> int:
        """Plans of which something is remembered."""
        return len(self._by_plan)

    def drop(self, version: int) -> None:
        """Forget all that is of another state."""
        if version != self._version:
            self._version = version
            self._by_plan.clear()


def entry_of(
    call: Call,
    outcome: Answer | Refusal,
    principal: Principal | None,
    *,
    at: datetime,
    action: str,
    target: str,
    releases: bool = False,
    version: int | None = None,
) -> Entry:
    """What the trail says of a call and what came of it.

    `action` is empty where the call is about nothing that is known; `version` is kept of what `releases` values alone:
    the state version from which they leave.
    """
    refused = isinstance(outcome, Refusal)
    return Entry(
        at=at,
        deed=Deed.REFUSAL if refused else Deed.RELEASE if releases else Deed.WRITE,
        action=action or f"{call.method} {call.path[:256]}",
        target=target,
        caller=principal.object_id if principal else "",
        client=principal.client if principal else "",
        status=outcome.status,
        code=outcome.code if isinstance(outcome, Refusal) else "",
        request=call.request,
        correlation=call.correlation,
        address=call.address,
        version=version if releases else None,
    )


def _is_loopback(address: str) -> bool:
    found = ip_address(address)
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return (mapped or found).is_loopback


def _effect(route: Route | None) -> Effect:
    if route is None:
        return Effect.READ
    if route.action is not None:
        return route.action.effect
    return Effect.READ if route.verb in {Verb.GET, Verb.LIST} else Effect.WRITE


def _bucket(subscription: ResourceId | None, route: Route | None) -> str:
    """Whose it is, and the sort: reads by operations that end in `/read`, deletes by DELETE, writes by the rest."""
    whose = "tenant" if subscription is None else "subscription"
    if route is None or route.operation.endswith("/read"):
        return f"{whose}-reads"
    return f"{whose}-deletes" if route.verb is Verb.DELETE else f"{whose}-writes"
