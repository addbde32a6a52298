"""The clerks at the doors' desks: they answer what a door asks, from the newest committed state, by the same roles.

A door knows no users, keys or roles. Whatever it wants to know, it asks here at every request, so that a key that was
regenerated or a role that was revoked stops counting with the commit that changed it. Refusals go on the trail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from linarite import access, ends
from linarite.doors.behind import ACCOUNTS, COMPONENTS, named
from linarite.doors.telemetry import Component, Reading
from linarite.errors import Refusal
from linarite.model import Deed, Entry
from linarite.tokens import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.doors import blob
    from linarite.engine import Engine
    from linarite.model import Resource
    from linarite.store.view import View

_QUERY = f"{COMPONENTS}/query/read"
_READING_REFUSED = {
    Reading.UNAUTHENTICATED: (401, "AuthorizationRequiredError"),
    Reading.FORBIDDEN: (403, "InsufficientAccessError"),
}
"""Statuses and codes of the events API."""


def slashed(*resources_: str) -> tuple[str, ...]:
    """Each as clients ask a token for it: with a slash at its end, and without."""
    return tuple(form for one in resources_ for form in (one, one + "/"))


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
            await record(
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
        await record(
            self._engine,
            action=f"{ACCOUNTS}/{event.service}Services/{event.operation}",
            target=account.id.text if account else event.account[:128],
            caller=event.oid or "",
            status=event.status,
            code=event.code,
            address=ends.host(event.address),
        )


class TelemetryClerk:
    """Knows whose instrumentation key is whose, from memory, and who may read a component."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        reader = engine.reader
        audiences = (
            *slashed("https://api.applicationinsights.io", "https://monitor.azure.com"),
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
        await record(
            self._engine,
            action=f"{COMPONENTS}/track",
            target=f"POST {path}"[:1024],
            caller="",
            status=400,
            code="InvalidInstrumentationKey",
            address=ends.host(address),
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
            await record(self._engine, action=_QUERY, target=target, caller=caller, status=status, code=code)
        return found


async def record(
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
    """Put a refusal on the trail; returns when it is durable. `address` has no port."""
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
            address=address,
        )
    )
