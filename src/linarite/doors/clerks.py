"""The clerks at the doors' desks: they answer what a door asks, from the newest committed state, by the same roles.

A door knows no users, keys or roles. Whatever it wants to know, it asks here at every request, so that a key that was
regenerated or a role that was revoked stops counting with the commit that changed it. Refusals go on the trail.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from uuid import uuid4

from linarite import access, hosts
from linarite.doors.behind import ACCOUNTS, COMPONENTS, REGISTRIES, everyone, named, place_of
from linarite.doors.registry.desk import ACR_DELETE, ACR_PULL, ACR_PUSH, EVERYTHING, Credential, Grant
from linarite.doors.telemetry import Component, Reading
from linarite.errors import Refusal, Unauthenticated
from linarite.model import Deed, Entry
from linarite.tokens import Reader

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from linarite.doors import blob
    from linarite.doors.registry.desk import Action, Caller, Reason, TurnedAway
    from linarite.engine import Engine
    from linarite.model import Principal, Resource
    from linarite.store.view import View

_PASSWORDS = ("password", "password2")
_ENTRA = "entra"
_ROLE_ACTIONS: tuple[tuple[str, frozenset[Action]], ...] = (
    (f"{REGISTRIES}/pull/read", ACR_PULL),
    (f"{REGISTRIES}/push/write", ACR_PUSH),
    (f"{REGISTRIES}/artifacts/delete", ACR_DELETE),
)
"""What the operations of AcrPull, AcrPush and AcrDelete allow; Owners and Contributors have all three."""
_TURNED_AWAY: Mapping[Reason, int] = {"action": 403, "locked": 405}
"""Statuses of a registry's refusals that are not 401, by their reason."""
_QUERY = f"{COMPONENTS}/query/read"
_READING_REFUSED = {
    Reading.UNAUTHENTICATED: (401, "AuthorizationRequiredError"),
    Reading.FORBIDDEN: (403, "InsufficientAccessError"),
}
"""Statuses and codes of the events API."""


def _slashed(*resources_: str) -> tuple[str, ...]:
    return tuple(form for one in resources_ for form in (one, one + "/"))


class RegistryClerk:
    """Knows the registries' passwords, and who may pull, push and delete."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        reader = engine.reader
        audiences = (*_slashed("https://containerregistry.azure.net"), *reader.authority.audiences)
        self._reader = Reader(reader.authority, engine.clock, audiences)

    async def sign_in(self, user: str, password: str, caller: Caller) -> Credential | None:
        """The admin user of a registry has the registry's name and either of two passwords."""
        meant = _meant(caller)

        def question(view: View) -> Credential | None:
            registry = named(view, REGISTRIES, user) if meant in {None, user.lower()} else None
            if registry is None or not registry.properties.get("adminUserEnabled"):
                return None
            secrets = view.secrets(registry.key)
            matching = [
                name
                for name in _PASSWORDS
                if name in secrets and hmac.compare_digest(secrets[name].reveal().encode(), password.encode())
            ]
            if not matching:
                return None
            return Credential(registry.name, registry.name, matching[0], _mark(secrets[matching[0]].reveal()))

        found, _ = await self._engine.gate.look(question)
        return found

    async def exchange(self, unverified_token: str, caller: Caller) -> Credential | None:
        """The holder of an Entra token, at the registry whose host they call; at a shared host, the first of theirs."""
        meant = _meant(caller)

        def question(view: View) -> Credential | None:
            try:
                claims = self._reader.read(f"Bearer {unverified_token}", view.signing_keys())
            except Unauthenticated:
                return None
            principal = view.principal(claims.object_id)
            if principal is None or principal.disabled:
                return None
            for registry in everyone(view, REGISTRIES):
                if meant in {None, registry.name.lower()} and _granted(view, principal, registry):
                    return Credential(registry.name, principal.object_id, _ENTRA, principal.object_id)
            return None

        found, _ = await self._engine.gate.look(question)
        return found

    async def current(self, credential: Credential) -> Grant | None:
        """Whether the password still is what it was, or what the principal's roles are now."""

        def question(view: View) -> Grant | None:
            registry = named(view, REGISTRIES, credential.registry)
            if registry is None:
                return None
            if credential.kind == _ENTRA:
                principal = view.principal(credential.subject)
                actions = _granted(view, principal, registry) if principal and not principal.disabled else frozenset()
                return Grant(actions, place_of(registry)) if actions else None
            secret = view.secrets(registry.key).get(credential.kind)
            if secret is None or not registry.properties.get("adminUserEnabled"):
                return None
            same = hmac.compare_digest(_mark(secret.reveal()), credential.mark)
            return Grant(EVERYTHING, place_of(registry)) if same else None

        found, _ = await self._engine.gate.look(question)
        return found

    async def gone(self, places: Collection[str]) -> set[str]:
        """Places of none of the registries that stand."""
        standing, _ = await self._engine.gate.look(lambda view: {*map(place_of, everyone(view, REGISTRIES))})
        return {*places} - standing

    async def turned_away(self, event: TurnedAway) -> None:
        """Put a refusal on the trail; not the first request of a client, which asks how to sign in."""
        if event.reason == "anonymous":
            return
        credential = event.credential
        await _record(
            self._engine,
            action=f"{REGISTRIES}/{event.scope or 'signIn'}",
            target=f"{event.method} {event.path}"[:1024],
            caller=credential.subject if credential else "",
            client=(event.claimed_user or "")[:256],
            status=_TURNED_AWAY.get(event.reason, 401),
            code=event.reason,
            address=event.caller.address,
        )


class BlobClerk:
    """Knows whose roles reach into which storage account."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def may(self, question: blob.Question) -> bool:
        """Whether a role grants any of the actions on the account; a refusal goes on the trail."""

        def ask(view: View) -> tuple[bool, str]:
            account = named(view, ACCOUNTS, question.account)
            if account is None:
                return False, question.account
            principal = view.principal(question.oid)
            allowed = (
                principal is not None
                and not principal.disabled
                and any(
                    access.allowed(view, principal, action, account.id, data=question.data)
                    for action in question.actions
                )
            )
            return allowed, account.id.text

        (allowed, target), _ = await self._engine.gate.look(ask)
        if not allowed:
            await _record(
                self._engine,
                action=question.actions[0],
                target=target,
                caller=question.oid,
                status=403,
                code="AuthorizationPermissionMismatch",
            )
        return allowed

    async def turned_away(self, event: blob.TurnedAway) -> None:
        """Put on the trail what the door refused by itself."""
        account, _ = await self._engine.gate.look(lambda view: named(view, ACCOUNTS, event.account))
        await _record(
            self._engine,
            action=f"{ACCOUNTS}/{event.service}Services/{event.operation}",
            target=account.id.text if account else event.account[:128],
            caller=event.oid or "",
            status=event.status,
            code=event.code,
            address=event.address,
        )


class TelemetryClerk:
    """Knows whose instrumentation key is whose, from memory, and who may read a component."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        reader = engine.reader
        audiences = (
            *_slashed("https://api.applicationinsights.io", "https://monitor.azure.com"),
            *reader.authority.audiences,
        )
        self._reader = Reader(reader.authority, engine.clock, audiences)
        self._by_key: dict[str, Component] = {}
        self._ids: dict[str, Resource] = {}

    def learn(self, components: Iterable[Resource]) -> list[str]:
        """Know exactly these from now on; answers the ids (`AppId`) of those that are no more."""
        before = [component.properties["AppId"] for component in self._ids.values()]
        self._ids = {one.properties["AppId"].lower(): one for one in components}
        self._by_key = {
            one.properties["InstrumentationKey"].lower(): Component(one.properties["AppId"], one.name)
            for one in self._ids.values()
        }
        return [app_id for app_id in before if app_id.lower() not in self._ids]

    def component_of(self, instrumentation_key: str) -> Component | None:
        """The component this key belongs to now."""
        return self._by_key.get(instrumentation_key)

    async def turned_away(self, path: str, address: str) -> None:
        """Put on the trail that telemetry came for nobody."""
        await _record(
            self._engine,
            action=f"{COMPONENTS}/track",
            target=f"POST {path}"[:1024],
            caller="",
            status=400,
            code="InvalidInstrumentationKey",
            address=address,
        )

    async def may_read(self, app_id: str, authorization: str | None) -> Reading:
        """Whether the bearer's roles let them read the component; a refusal goes on the trail."""
        component = self._ids.get(app_id.lower())

        def question(view: View) -> tuple[Reading, str]:
            try:
                claims = self._reader.read(authorization, view.signing_keys())
            except Refusal:
                return Reading.UNAUTHENTICATED, ""
            principal = view.principal(claims.object_id)
            if principal is None or principal.disabled:
                return Reading.UNAUTHENTICATED, claims.object_id
            allowed = component is not None and access.allowed(view, principal, _QUERY, component.id)
            return Reading.ALLOWED if allowed else Reading.FORBIDDEN, principal.object_id

        (found, caller), _ = await self._engine.gate.look(question)
        if found is not Reading.ALLOWED:
            status, code = _READING_REFUSED[found]
            target = component.id.text if component else app_id[:128]
            await _record(self._engine, action=_QUERY, target=target, caller=caller, status=status, code=code)
        return found


def _granted(view: View, principal: Principal, registry: Resource) -> frozenset[Action]:
    """Everything that the principal's roles allow in a registry."""
    allowed: frozenset[Action] = frozenset()
    for operation, actions in _ROLE_ACTIONS:
        if access.allowed(view, principal, operation, registry.id):
            allowed |= actions
    return allowed


def _meant(caller: Caller) -> str | None:
    """The registry whose own host name a client calls, in lower case; None at an address that all of them share."""
    found = hosts.named(caller.host.partition(":")[0])
    return found[1] if found and found[0] == "azurecr" else None


def _mark(password: str) -> str:
    """Changes with the password and tells nothing of it: a password is 39 random bytes."""
    return hashlib.sha256(password.encode()).hexdigest()[:32]


async def _record(
    engine: Engine,
    *,
    action: str,
    target: str,
    caller: str,
    status: int,
    code: str,
    client: str = "",
    address: str = "",
) -> None:
    """Put a refusal on the trail; returns when it is durable."""
    request = str(uuid4())
    await engine.gate.record(
        Entry(
            at=engine.clock(),
            deed=Deed.REFUSAL,
            action=action,
            target=target,
            caller=caller,
            client=client,
            status=status,
            code=code,
            request=request,
            correlation=request,
            address=address.rpartition(":")[0] or address,
        )
    )
