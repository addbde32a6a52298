"""Subscriptions, the regions they offer, and the tenant they belong to (Microsoft.Resources, 2022-12-01)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.ids import ROOT, SUBSCRIPTION
from linarite.kind import Kind, Versions
from linarite.regions import REGIONS
from linarite.schema import Field, Free, Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from linarite.ids import ResourceId
    from linarite.model import Body, Resource
    from linarite.world import Reading

TENANTS_TYPE = "Microsoft.Resources/tenants"
LOCATIONS_TYPE = f"{SUBSCRIPTION}/locations"
VERSIONS = Versions(
    ("2015-01-01", "2016-06-01", "2018-02-01", "2020-01-01", "2021-01-01", "2022-12-01"), any_dated=True
)


def _present(reading: Reading, subscription: Resource, _: Body) -> Body:
    return {
        "id": subscription.id.text,
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription.name,
        "tenantId": reading.options.tenant,
        "displayName": subscription.body.get("displayName", subscription.name),
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


class _Locations:
    """The regions, the same for every subscription."""

    def get(self, reading: Reading, id_: ResourceId) -> Body | None:
        del reading
        return _region(id_.name) if id_.name.lower() in REGIONS else None

    def list(self, reading: Reading, scope: ResourceId) -> Iterable[tuple[ResourceId, Body]]:
        del reading
        return ((scope.child(LOCATIONS_TYPE, name), _region(name)) for name in REGIONS)


def _region(name: str) -> Body:
    shown = REGIONS[name.lower()]
    return {
        "displayName": shown,
        "regionalDisplayName": shown,
        "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
    }


def _present_location(reading: Reading, location: Resource, shown: Body) -> Body:
    del reading
    return {**shown, "id": location.id.text, "type": "Region"}


class _Tenants:
    """The one tenant."""

    def get(self, reading: Reading, id_: ResourceId) -> Body | None:
        return {} if id_.name.lower() == reading.options.tenant else None

    def list(self, reading: Reading, scope: ResourceId) -> Iterable[tuple[ResourceId, Body]]:
        del scope
        return [(ROOT.child(TENANTS_TYPE, reading.options.tenant), {})]


def _present_tenant(reading: Reading, tenant: Resource, _: Body) -> Body:
    del reading
    return {
        "id": f"/tenants/{tenant.name}",
        "tenantId": tenant.name,
        "tenantCategory": "Home",
        "displayName": "Linarite",
        "defaultDomain": "linarite.onmicrosoft.com",
        "domains": ["linarite.onmicrosoft.com"],
        "tenantType": "AAD",
        "countryCode": "US",
    }


SUBSCRIPTIONS = Kind(
    type=SUBSCRIPTION,
    versions=VERSIONS,
    fields=(Field(name="displayName", shape=Text()),),
    parent="/",
    tracked=False,
    methods=frozenset({"GET"}),
    present=_present,
)

LOCATIONS = Kind(
    type=LOCATIONS_TYPE,
    versions=VERSIONS,
    fields=(
        Field(name="displayName", shape=Text()),
        Field(name="regionalDisplayName", shape=Text()),
        Field(name="metadata", shape=Free()),
    ),
    parent=SUBSCRIPTION,
    tracked=False,
    methods=frozenset({"GET"}),
    for_everybody=True,
    source=_Locations(),
    present=_present_location,
)

TENANTS = Kind(
    type=TENANTS_TYPE,
    versions=VERSIONS,
    fields=(),
    parent="/",
    tracked=False,
    methods=frozenset(),
    for_everybody=True,
    source=_Tenants(),
    present=_present_tenant,
)
