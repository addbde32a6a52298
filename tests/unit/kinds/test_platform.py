"""Tenants, subscriptions and their regions, resource groups, providers and what they can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from linarite.errors import BadRequest, Conflict, Forbidden, NotFound
from linarite.first_start import SUBSCRIPTION_ID, TENANT
from linarite.regions import REGIONS
from tests.unit.kinds.house import GROUP, SUBSCRIPTION

if TYPE_CHECKING:
    from tests.unit.kinds.house import House

ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/account1"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


def give(house: House, scope: str, who: str, role: str = READER) -> None:
    name = "99999999-0000-0000-0000-000000000001"
    wanted = {
        "roleDefinitionId": f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}",
        "principalId": who,
    }
    house.put(f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}", {"properties": wanted})


# ── tenant and subscriptions ────────────────────────────────────────────────────────────────────────────────────────


def test_the_tenant_is_there_for_whoever_is_signed_in(house: House) -> None:
    assert [one["tenantId"] for one in house.list("/tenants", by=house.join())] == [TENANT]


def test_a_subscription_has_azures_shape(house: House) -> None:
    [found] = house.list("/subscriptions")
    assert found == house.get(SUBSCRIPTION)
    assert (found["id"], found["subscriptionId"], found["tenantId"]) == (SUBSCRIPTION, SUBSCRIPTION_ID, TENANT)
    assert (found["state"], found["authorizationSource"], found["managedByTenants"]) == ("Enabled", "RoleBased", [])
    assert "name" not in found


def test_whoever_holds_no_role_sees_no_subscription_and_is_not_refused(house: House) -> None:
    assert house.list("/subscriptions", by=house.join()) == []


def test_whoever_holds_a_role_in_a_subscription_sees_it(house: House) -> None:
    who = house.join()
    give(house, GROUP, who)
    assert [one["subscriptionId"] for one in house.list("/subscriptions", by=who)] == [SUBSCRIPTION_ID]


def test_a_list_in_a_subscription_is_refused_to_whoever_holds_no_role_there(house: House) -> None:
    with pytest.raises(Forbidden):
        house.list(f"{SUBSCRIPTION}/resourceGroups", by=house.join())


def test_every_region_is_offered_to_everybody(house: House) -> None:
    found = house.list(f"{SUBSCRIPTION}/locations", by=house.join())
    assert {one["name"]: one["displayName"] for one in found} == REGIONS
    assert found[0]["id"] == f"{SUBSCRIPTION}/locations/eastus"
    assert (found[0]["type"], found[0]["regionalDisplayName"]) == ("Region", "East US")


# ── resource groups ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_group_is_made_changed_and_deleted_with_all_in_it(house: House) -> None:
    group, version = f"{SUBSCRIPTION}/resourceGroups/New.Group", "2024-11-01"
    made = house.put(group, {"location": "West Europe"}, version=version)
    assert (made.status, made.body["location"]) == (201, "westeurope")
    assert made.body["type"] == "Microsoft.Resources/resourceGroups"
    assert made.body["properties"] == {"provisioningState": "Succeeded"}
    assert house.patch(group, {"tags": {"a": "b"}}, version=version)["tags"] == {"a": "b"}
    assert house.call("HEAD", group.upper().replace("SUBSCRIPTIONS", "subscriptions"), version=version).status == 204
    account = ACCOUNT.replace(GROUP, group)
    house.put(account, {"location": "eastus", "sku": {"name": "Standard_LRS"}, "properties": {}})
    assert house.delete(group, version=version).status == 200
    with pytest.raises(NotFound) as caught:
        house.get(account)
    assert caught.value.code == "ResourceGroupNotFound"


def test_a_group_is_managed_by_one_resource_for_ever(house: House) -> None:
    group = f"{SUBSCRIPTION}/resourceGroups/managed"
    body = {"location": "eastus", "managedBy": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/account1"}
    house.put(group, body, version="2024-11-01")
    with pytest.raises(BadRequest):
        house.put(group, {**body, "managedBy": f"{body['managedBy']}2"}, version="2024-11-01")


def test_permission_to_read_groups_has_azures_name(house: House) -> None:
    with pytest.raises(Forbidden) as caught:
        house.get(GROUP, by=house.join(), version="2024-11-01")
    assert "'Microsoft.Resources/subscriptions/resourceGroups/read'" in caught.value.message


# ── providers ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_provider_names_its_types_with_their_versions_newest_first(house: House) -> None:
    found = house.get(f"{SUBSCRIPTION}/providers/microsoft.storage", version="2021-04-01")
    assert found["id"] == f"{SUBSCRIPTION}/providers/Microsoft.Storage"
    assert (found["namespace"], found["registrationState"]) == ("Microsoft.Storage", "Registered")
    types = {one["resourceType"]: one for one in found["resourceTypes"]}
    assert {"storageAccounts", "storageAccounts/blobServices", "storageAccounts/blobServices/containers"} <= set(types)
    versions = types["storageAccounts"]["apiVersions"]
    assert versions == sorted(versions, reverse=True)
    assert types["storageAccounts"]["locations"] == list(REGIONS.values())


def test_providers_of_the_tenant_are_not_registered_anywhere(house: House) -> None:
    found = house.list("/providers", version="2021-04-01", by=house.join())
    assert {"Microsoft.MachineLearningServices", "microsoft.insights", "Microsoft.Resources"} <= {
        one["namespace"] for one in found
    }
    assert not any("registrationState" in one for one in found)


def test_an_unknown_provider_is_not_found(house: House) -> None:
    with pytest.raises(NotFound) as caught:
        house.get(f"{SUBSCRIPTION}/providers/Microsoft.Nothing", version="2021-04-01")
    assert caught.value.code == "InvalidResourceNamespace"


def test_an_unregistered_provider_serves_nothing_until_it_is_registered(house: House) -> None:
    provider = f"{SUBSCRIPTION}/providers/microsoft.storage"
    gone = house.post(f"{provider}/unregister", version="2021-04-01")
    assert (gone["id"], gone["registrationState"]) == (f"{SUBSCRIPTION}/providers/Microsoft.Storage", "NotRegistered")
    with pytest.raises(Conflict) as caught:
        house.list(f"{SUBSCRIPTION}/providers/Microsoft.Storage/storageAccounts")
    assert caught.value.code == "MissingSubscriptionRegistration"
    assert house.post(f"{provider}/register", version="2021-04-01")["registrationState"] == "Registered"
    assert house.get(provider, version="2021-04-01")["registrationState"] == "Registered"
    assert house.list(f"{SUBSCRIPTION}/providers/Microsoft.Storage/storageAccounts") == []


def test_operations_of_a_provider_are_what_roles_may_grant(house: House) -> None:
    found = {one["name"]: one for one in house.list("/providers/Microsoft.Storage/operations", by=house.join())}
    assert {
        "Microsoft.Storage/storageAccounts/read",
        "Microsoft.Storage/storageAccounts/write",
        "Microsoft.Storage/storageAccounts/delete",
        "Microsoft.Storage/storageAccounts/listKeys/action",
        "Microsoft.Storage/checknameavailability/read",
    } <= set(found)
    assert set(found["Microsoft.Storage/storageAccounts/read"]) == {"name", "display", "isDataAction"}


def test_operations_of_the_platform_are_listed_too(house: House) -> None:
    names = {one["name"] for one in house.list("/providers/Microsoft.Resources/operations")}
    assert "Microsoft.Resources/subscriptions/resourceGroups/write" in names
    names = {one["name"] for one in house.list("/providers/Microsoft.Authorization/operations")}
    assert "Microsoft.Authorization/roleAssignments/write" in names
