"""Resource providers: which namespaces and types there are, at which versions, and whether a subscription uses them.

Every subscription starts registered for all of them. `unregister` makes the next request answer
`MissingSubscriptionRegistration`, on which Azure's SDKs register by themselves and try again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.errors.names import namespace_unknown
from linarite.ids import PROVIDER, ROOT, SUBSCRIPTION
from linarite.kind import Action, Effect, Kind, Versions
from linarite.model import copied
from linarite.regions import REGIONS
from linarite.schema import Field, Free, Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.ids import ResourceId
    from linarite.model import Body, Resource
    from linarite.world import Reading, Writing

_UNREGISTERED = "unregistered"
"""Member of a subscription's body: namespaces, in lower case."""


def _body(reading: Reading, scope: ResourceId | None, namespace: str) -> Body:
    kinds = [kind for kind in reading.registry.of_namespace(namespace) if kind.versions.listed]
    body: Body = {
        "namespace": kinds[0].namespace,
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [
            {
                "resourceType": kind.short_type,
                "locations": list(REGIONS.values()) if kind.tracked else [],
                "apiVersions": list(kind.versions.listed[::-1]),
                "capabilities": "SupportsTags, SupportsLocation" if kind.tracked else "None",
            }
            for kind in kinds
        ],
    }
    subscription = reading.find(scope) if scope is not None and scope.type == SUBSCRIPTION else None
    if subscription is not None:
        gone = namespace.lower() in subscription.body.get(_UNREGISTERED, ())
        body["registrationState"] = "NotRegistered" if gone else "Registered"
    return body


class _Providers:
    """The namespaces of the registry."""

    def get(self, reading: Reading, id_: ResourceId) -> Body | None:
        return _body(reading, id_.parent, id_.name) if self._served(reading, id_.name) else None

    def list(self, reading: Reading, scope: ResourceId) -> Iterable[tuple[ResourceId, Body]]:
        names = {kind.namespace.lower(): kind.namespace for kind in reading.registry.kinds if kind.versions.listed}
        return ((scope.child(PROVIDER, name), _body(reading, scope, name)) for name in sorted(names.values()))

    def _served(self, reading: Reading, namespace: str) -> bool:
        return any(kind.versions.listed for kind in reading.registry.of_namespace(namespace))


def _present(reading: Reading, provider: Resource, shown: Body) -> Body:
    del reading
    return {"id": _id(provider, shown), **{name: shown[name] for name in shown if name not in {"id", "name", "type"}}}


def _id(provider: Resource, body: Body) -> str:
    """The provider's id, its namespace written as the provider writes it."""
    return (provider.id.parent or ROOT).child(PROVIDER, body["namespace"]).text


def _register(work: Writing, provider: Resource, _: Body) -> Any:
    return _set(work, provider, registered=True)


def _unregister(work: Writing, provider: Resource, _: Body) -> Any:
    return _set(work, provider, registered=False)


def _set(work: Writing, provider: Resource, *, registered: bool) -> Any:
    scope = provider.id.parent
    subscription = work.find(scope) if scope is not None else None
    if subscription is None:
        raise namespace_unknown(provider.name)
    gone = set(subscription.body.get(_UNREGISTERED, ()))
    changed = gone - {provider.name.lower()} if registered else gone | {provider.name.lower()}
    if changed != gone:
        work.amend(subscription, {**copied(subscription.body), _UNREGISTERED: sorted(changed)})
    body = _body(work, scope, provider.name)
    return {"id": _id(provider, body), **body}


PROVIDERS = Kind(
    type=PROVIDER,
    versions=Versions(("2016-02-01", "2019-10-01", "2020-06-01", "2021-04-01", "2024-11-01"), any_dated=True),
    fields=(
        Field(name="namespace", shape=Text()),
        Field(name="registrationPolicy", shape=Text()),
        Field(name="registrationState", shape=Text()),
        Field(name="resourceTypes", shape=Free()),
    ),
    parent="*",
    tracked=False,
    methods=frozenset({"GET"}),
    for_everybody=True,
    source=_Providers(),
    present=_present,
    actions=(
        Action(name="register", effect=Effect.WRITE, run=_register),
        Action(name="unregister", effect=Effect.WRITE, run=_unregister),
    ),
)
