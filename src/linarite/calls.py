"""What the engine works on: a call as it came, what it is about, and what turned out of it."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from sys import intern
from typing import TYPE_CHECKING, Any

import msgspec

from linarite.errors import Refusal
from linarite.ids import SUBSCRIPTION
from linarite.kind import Effect
from linarite.model import Deed, Entry
from linarite.routes import Route, Verb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from linarite.foreign import Vouched
    from linarite.ids import Address, ResourceId
    from linarite.model import Answer, Principal


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

    Made once for a method, a path and a query, and the same for everybody.
    """

    __slots__ = (
        "action",
        "address",
        "bucket",
        "deed",
        "effect",
        "refusal",
        "repeatable",
        "route",
        "scope",
        "scopes",
        "subscription",
        "target",
    )

    def __init__(
        self,
        method: str,
        path: str,
        address: Address | None = None,
        route: Route | None = None,
        refusal: Refusal | None = None,
    ) -> None:
        self.address = address
        self.route = route
        self.refusal = refusal
        self.effect = _effect(route)
        self.deed = Deed.RELEASE if self.effect is Effect.RELEASE else Deed.WRITE
        self.repeatable = route is not None and _repeatable(route)
        """Whether it is answered the same as long as the state is, whoever asks, whatever the time and the body."""
        # Interned: there are as many plans as paths, and few operations and buckets.
        self.action = intern(route.operation if route else f"{method} {path[:256]}")
        """Azure's name of the operation, or what was tried where there is none."""
        self.target = route.id.text if route else path[:1024]
        self.scopes = route.id.keys if route else ()
        """Keys of the scopes at which a role may grant it."""
        self.subscription = address.scope.within(SUBSCRIPTION) if address else None
        self.scope = self.subscription.name if self.subscription else ""
        """The subscription's name: whose token bucket the call draws on; empty for the tenant's."""
        self.bucket = intern(_bucket(self.subscription, self.action, route))


class Case(msgspec.Struct):
    """What turned out while a call was decided: who, why they may, and for a write, which keys changed."""

    principal: Principal | None = None
    expires: datetime | None = None
    """When the caller's token ends."""
    granted_at: str | None = None
    """Key of the scope at which a role of theirs grants it, where that was the question."""
    undisturbed: bool = False
    """Whether no fault on purpose stands that could have struck, this caller or another."""
    sources: AbstractSet[str] = frozenset()
    """Keys of what was looked at for the answer, where it may be given again."""
    caller_sources: AbstractSet[str] = frozenset()
    """Keys of what was looked at to know who asks, and whether they may."""
    changed: frozenset[str] = frozenset()


def entry_of(
    call: Call,
    outcome: Answer | Refusal,
    principal: Principal | None,
    *,
    at: datetime,
    action: str,
    target: str,
    deed: Deed = Deed.WRITE,
    version: int | None = None,
) -> Entry:
    """What the trail says of a call and what came of it.

    `action` is empty where the call is about nothing that is known; `deed` is what was done if it was not refused;
    `version` is that of a release alone: the state version from which its values leave.
    """
    code = ""
    if isinstance(outcome, Refusal):
        deed, code = Deed.REFUSAL, outcome.code
    return Entry(
        at=at,
        deed=deed,
        action=action or f"{call.method} {call.path[:256]}",
        target=target,
        caller=principal.object_id if principal else "",
        client=principal.client if principal else "",
        status=outcome.status,
        code=code,
        request=call.request,
        correlation=call.correlation,
        address=call.address,
        version=version,
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


def _repeatable(route: Route) -> bool:
    if route.action is not None:
        return route.action.effect is Effect.RELEASE and route.action.repeatable
    kind = route.kind
    return route.verb is Verb.GET and kind.source is None and not kind.is_progress and not kind.local


def _bucket(subscription: ResourceId | None, action: str, route: Route | None) -> str:
    """Whose it is, and the sort: reads by operations that end in `/read`, deletes by DELETE, writes by the rest."""
    whose = "tenant" if subscription is None else "subscription"
    if route is None or action.endswith("/read"):
        return f"{whose}-reads"
    return f"{whose}-deletes" if route.verb is Verb.DELETE else f"{whose}-writes"
