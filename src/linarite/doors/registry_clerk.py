"""The clerk at the registry door's desk: whose password or role opens which registry, and which ones there are."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from linarite import access, ends, hosts
from linarite.doors.behind import REGISTRIES, everyone, named, place_of
from linarite.doors.clerks import record, slashed
from linarite.doors.registry.desk import ACR_DELETE, ACR_PULL, ACR_PUSH, EVERYTHING, Credential, Grant
from linarite.errors import Unauthenticated
from linarite.tokens import Reader

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

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


class RegistryClerk:
    """Knows the registries' passwords, and who may pull, push and delete."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        reader = engine.reader
        audiences = (*slashed("https://containerregistry.azure.net"), *reader.authority.audiences)
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
        await record(
            self._engine,
            action=f"{REGISTRIES}/{event.scope or 'signIn'}",
            target=f"{event.method} {event.path}"[:1024],
            caller=credential.subject if credential else "",
            client=(event.claimed_user or "")[:256],
            status=_TURNED_AWAY.get(event.reason, 401),
            code=event.reason,
            address=ends.host(event.caller.address),
        )


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
