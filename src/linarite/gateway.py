"""The gateway: what becomes of a call over one state, decided in the order in which Azure's gateway does.

Subscription, caller, rate, role, lock, registration, version of the type: only then a verb answers. What is decided may
be decided again; when it is, what is remembered of it and what goes on the trail, the engine knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from linarite import access, faults, listing, verbs
from linarite.context import Context, Work
from linarite.errors import Refusal
from linarite.errors.access import caller_remote
from linarite.errors.names import (
    namespace_unregistered,
    subscription_not_found,
    version_malformed,
    version_missing,
    version_unknown,
)
from linarite.errors.tokens import token_invalid
from linarite.ids import PROVIDER
from linarite.kind import is_dated
from linarite.regions import REGIONS
from linarite.routes import Verb
from linarite.store.transaction import Transaction
from linarite.verbs import Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from linarite.calls import Call, Case, Plan
    from linarite.foreign import Vouched
    from linarite.kind import Kind
    from linarite.longrunning import Pace
    from linarite.model import Answer, Principal
    from linarite.routes import Registry, Route
    from linarite.store.view import View
    from linarite.throttle import Buckets
    from linarite.tokens import Reader
    from linarite.world import Options

_PLATFORM = frozenset({"microsoft.resources", "microsoft.authorization"})
"""Namespaces that every subscription is registered for."""


class Terms(Protocol):
    """What a decision depends on beside the call and the state: an engine's, who may change some of it."""

    registry: Registry
    reader: Reader
    options: Options
    pace: Pace
    clock: Callable[[], datetime]
    buckets: Buckets


def decide(terms: Terms, view: View, call: Call, plan: Plan, case: Case, *, of_caller: View) -> Answer:
    """Decide a call over one state, in the gateway's order: version, subscription, caller, role, and the rest.

    `of_caller` is the same state: it is asked who calls and whether they may, and `view` all that makes the answer.
    """
    if plan.address is None and plan.refusal is not None:
        raise plan.refusal.with_traceback(None)
    version = call.query.get("api-version", "").lower()
    if not version:
        raise version_missing()
    subscription = plan.subscription
    if subscription is not None and view.resource(subscription.key) is None:
        raise subscription_not_found(subscription.name)
    caller = _caller(terms.reader, of_caller, call, case)
    if plan.route is None:
        raise (plan.refusal or subscription_not_found("")).with_traceback(None)
    now = terms.clock()
    count(terms, call, plan, caller, now)
    route = plan.route
    standing = view.faults()
    case.undisturbed = not standing
    if standing and not route.kind.local:
        faults.meet(standing, call, caller)
    make = Work if isinstance(view, Transaction) else Context
    context = make(
        view,
        now=now,
        options=terms.options,
        registry=terms.registry,
        caller=None if plan.repeatable else caller,  # what others are answered, too, cannot depend on who asks
        version=version,
        origin=call.origin,
        correlation=call.correlation,
        asked=route.id,
    )
    case.granted_at = _authorize(context, of_caller, plan, route, caller)
    if route.kind.local and not call.is_local:
        raise caller_remote()
    if (harm := route.harm) is not None:
        access.require_unlocked(view, route.id, harm)
    if call.refusal is not None:
        raise call.refusal
    _admit(view, route, subscription.key if subscription else None, version, terms.options.location)
    request = Request(route, call.query, call.json, terms.pace, call.method)
    return _answer(context, request, call.path)


def count(terms: Terms, call: Call, plan: Plan, caller: Principal, now: datetime) -> None:
    """Take a token of the caller's bucket, once for a call however often it is decided."""
    if call.remaining is None:
        call.remaining = 0
        scope = plan.scope or terms.options.tenant
        call.remaining = terms.buckets.take(plan.bucket, scope, caller.object_id, now)


def _caller(reader: Reader, view: View, call: Call, case: Case) -> Principal:
    """Who is calling; remembered in the case from here on, so that a refusal names them too."""
    if call.vouched is not None:
        return _vouched(reader, view, call.vouched, case)
    claims = reader.read(call.authorization, view.signing_keys())
    case.expires = claims.expires
    principal = view.principal(claims.object_id)
    if principal is None or principal.disabled:
        raise token_invalid(reader.authority.url)
    case.principal = principal
    return principal


def _vouched(reader: Reader, view: View, vouched: Vouched | Refusal, case: Case) -> Principal:
    """Somebody for whom a trusted issuer stands; it cannot stand for anybody of our own directory."""
    if isinstance(vouched, Refusal):
        raise vouched.with_traceback(None)
    if view.principal(vouched.principal.object_id) is not None:
        raise token_invalid(reader.authority.url)
    case.expires, case.principal = vouched.expires, vouched.principal
    return vouched.principal


def _authorize(context: Context, of_caller: View, plan: Plan, route: Route, caller: Principal) -> str | None:
    """Refuse what no role grants; answers at which scope one does. Lists decide for themselves, item by item."""
    if route.verb is Verb.LIST or (route.kind.for_everybody and route.verb is Verb.GET):
        return None
    if route.kind.is_progress:
        operation = context.operation(route.id.name)
        if operation is not None and operation.caller != caller.object_id:
            access.require(of_caller, caller, plan.action, operation.target)
        return None
    return access.require(of_caller, caller, plan.action, route.id)


def _admit(view: View, route: Route, subscription: str | None, version: str, location: str) -> None:
    """Refuse an unregistered namespace, and an api-version that the type does not know."""
    kind = route.kind
    if subscription is not None and kind.type != PROVIDER and kind.namespace.lower() not in _PLATFORM:
        found = view.resource(subscription)
        if found and kind.namespace.lower() in found.body.get("unregistered", ()):
            raise namespace_unregistered(kind.namespace)
    if not kind.versions.knows(version):
        raise _version_refused(kind, version, location)


def _answer(context: Context, request: Request, path: str) -> Answer:
    """Let a verb answer, and the kind's provider speak: only a refusal of the gateway stays the gateway's."""
    speaks = request.route.kind.speaks
    try:
        answer = _verb(context, request, path)
    except Refusal as refusal:
        if refusal.origin != "gateway":
            refusal.origin = speaks
        raise
    return answer if answer.origin == speaks else msgspec.structs.replace(answer, origin=speaks)


def _verb(context: Context, request: Request, path: str) -> Answer:
    verb, action = request.route.verb, request.route.action
    if verb is Verb.LIST:
        return listing.list_(context, request, path)
    if action is not None:
        return verbs.act(context, action, request)
    if isinstance(context, Work):
        return {Verb.PUT: verbs.put, Verb.PATCH: verbs.patch, Verb.DELETE: verbs.delete}[verb](context, request)
    return verbs.get(context, request)


def _version_refused(kind: Kind, version: str, location: str) -> Refusal:
    listed = kind.versions.listed[::-1]
    if not is_dated(version) or kind.namespace.lower() in _PLATFORM:
        return version_malformed(version, listed)
    return version_unknown(kind.short_type, version, listed, location, REGIONS)
