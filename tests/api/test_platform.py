"""The platform around the groups: subscriptions, the tenant, locations, providers and their registration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.kinds.workspaces.declared import VERSIONS
from linarite.regions import REGIONS
from tests.api.people import give, hire
from tests.api.place import ARM, fresh, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.place import Place
    from tests.server import Caller, Server

MLS = "Microsoft.MachineLearningServices"
INSIGHTS = "Microsoft.OperationalInsights"
VERSION = "2022-12-01"


def test_there_is_one_subscription(server: Server, owner: Caller) -> None:
    subscription = owner.get(server.subscription, version=VERSION).json()
    assert subscription["id"] == server.subscription
    assert (subscription["state"], subscription["tenantId"]) == ("Enabled", server.known["tenantId"])
    assert subscription["subscriptionId"] == server.known["subscriptionId"]
    assert owner.get("/subscriptions", version=VERSION).json() == {"value": [subscription]}
    assert owner.get(server.subscription.upper(), version=VERSION).json() == subscription


def test_whoever_has_a_role_somewhere_in_it_sees_the_subscription(server: Server, owner: Caller, place: Place) -> None:
    person = hire(server)
    assert person.caller.get("/subscriptions", version=VERSION).json() == {"value": []}
    give(owner, place.group, "Reader", person)
    [found] = person.caller.get("/subscriptions", version=VERSION).json()["value"]
    assert found["id"] == server.subscription


def test_there_is_one_tenant_and_everybody_sees_it(server: Server) -> None:
    [tenant] = hire(server).caller.get("/tenants", version=VERSION).json()["value"]
    assert (tenant["id"], tenant["tenantId"]) == (f"/tenants/{server.known['tenantId']}", server.known["tenantId"])


def test_the_locations_are_listed_for_everybody(server: Server) -> None:
    listed = hire(server).caller.get(f"{server.subscription}/locations", version=VERSION).json()["value"]
    assert {one["name"]: one["displayName"] for one in listed} == REGIONS
    assert listed[0]["id"] == f"{server.subscription}/locations/{listed[0]['name']}"
    assert listed[0]["type"] == "Region"


# ── providers ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_provider_names_its_types_with_their_versions_and_locations(server: Server, owner: Caller) -> None:
    provider = owner.get(f"{server.subscription}/providers/{MLS.lower()}", version=ARM).json()
    assert (provider["id"], provider["namespace"]) == (f"{server.subscription}/providers/{MLS}", MLS)
    assert provider["registrationState"] == "Registered"
    [workspaces] = [one for one in provider["resourceTypes"] if one["resourceType"] == "workspaces"]
    assert workspaces["apiVersions"] == list(VERSIONS.listed[::-1])
    assert workspaces["locations"] == list(REGIONS.values())


def test_the_tenant_has_the_same_providers_without_a_registration(server: Server, owner: Caller) -> None:
    assert "registrationState" not in owner.get(f"/providers/{MLS}", version=ARM).json()
    tenants, ours = (
        {one["namespace"] for one in owner.get(f"{scope}/providers", version=ARM).json()["value"]}
        for scope in ("", server.subscription)
    )
    assert tenants == ours >= {MLS, "Microsoft.Storage", "Microsoft.KeyVault", "Microsoft.ContainerRegistry"}


def test_a_provider_that_is_not_served_is_unknown(server: Server, owner: Caller) -> None:
    for method, path in (("GET", ""), ("POST", "/register"), ("POST", "/unregister")):
        answer = owner.call(method, f"{server.subscription}/providers/Microsoft.Nothing{path}", version=ARM)
        said = "The resource namespace 'Microsoft.Nothing' is invalid."
        assert refusal(answer) == (404, "InvalidResourceNamespace", said)


def test_the_operations_of_a_provider_are_those_that_roles_grant(owner: Caller) -> None:
    names = {one["name"] for one in owner.get(f"/providers/{MLS}/operations").json()["value"]}
    assert {
        f"{MLS}/workspaces/{one}"
        for one in (
            "read",
            "write",
            "delete",
            "listKeys/action",
            "listStorageAccountKeys/action",
            "listNotebookKeys/read",
            "listNotebookAccessToken/read",
            "resynckeys/action",
            "prepareNotebook/action",
            "diagnose/read",
            "outboundNetworkDependenciesEndpoints/read",
        )
    } <= names


# ── registration ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def provider(server: Server, owner: Caller) -> Iterator[str]:
    """A provider that is registered again afterwards."""
    path = f"{server.subscription}/providers/{INSIGHTS}"
    yield path
    assert owner.post(f"{path}/register", version=ARM).status_code == 200


def test_an_unregistered_namespace_is_refused_until_it_is_registered(
    owner: Caller, place: Place, provider: str
) -> None:
    listed = f"{place.group}/providers/{INSIGHTS}/workspaces"
    wanted = f"{listed}/{fresh('l')}"
    body = {"location": "eastus"}
    assert owner.post(f"{provider}/unregister", version=ARM).json()["registrationState"] == "NotRegistered"
    assert owner.get(provider, version=ARM).json()["registrationState"] == "NotRegistered"
    said = (
        f"The subscription is not registered to use namespace '{INSIGHTS}'. See https://aka.ms/rps-not-found for how "
        "to register subscriptions."
    )
    for answer in (owner.get(listed, version="2020-08-01"), owner.put(wanted, body, version="2020-08-01")):
        assert refusal(answer) == (409, "MissingSubscriptionRegistration", said)
        assert answer.headers["x-ms-failure-cause"] == "gateway"
    registered = owner.post(f"{provider.lower()}/REGISTER", version=ARM).json()
    assert (registered["id"], registered["registrationState"]) == (provider, "Registered")
    assert owner.get(listed, version="2020-08-01").json() == {"value": []}
    assert owner.put(wanted, body, version="2020-08-01").status_code in {200, 201}


def test_both_can_be_said_twice(owner: Caller, provider: str) -> None:
    for word, state in (("unregister", "NotRegistered"), ("register", "Registered")):
        for _ in range(2):
            answer = owner.post(f"{provider}/{word}", version=ARM)
            assert (answer.status_code, answer.json()["registrationState"]) == (200, state)


def test_the_platform_itself_needs_no_registration(server: Server, owner: Caller, place: Place) -> None:
    path = f"{server.subscription}/providers/Microsoft.Resources"
    assert owner.post(f"{path}/unregister", version=ARM).status_code == 200
    assert owner.get(place.group, version=ARM).status_code == 200
    assert owner.post(f"{path}/register", version=ARM).status_code == 200


def test_whoever_may_only_read_registers_nothing(server: Server, owner: Caller, provider: str) -> None:
    person = hire(server)
    given = give(owner, server.subscription, "Reader", person)
    for word in ("register", "unregister"):
        assert refusal(person.caller.post(f"{provider}/{word}", version=ARM))[:2] == (403, "AuthorizationFailed")
    assert owner.get(provider, version=ARM).json()["registrationState"] == "Registered"
    owner.delete(given, version="2022-04-01")
