"""azure-mgmt-resource and -resource-subscriptions: subscriptions, groups, providers, and resources of every type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.resource.subscriptions import SubscriptionClient

from tests.clients.house import LOCATION, code_of, fresh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.clients.house import Azure, Neighbours
    from tests.server import Server

WORKSPACE = "Microsoft.MachineLearningServices/workspaces"


@pytest.fixture
def resources(azure: Azure) -> Any:
    return azure(ResourceManagementClient)


@pytest.fixture
def subscriptions(azure: Azure, server: Server) -> Iterator[Any]:
    scopes = [f"{server.origin}/.default"]
    with SubscriptionClient(azure.credential, base_url=server.origin, credential_scopes=scopes) as client:
        yield client


# ── subscriptions ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_one_subscription_is_listed_and_read(subscriptions: Any, server: Server) -> None:
    [found] = subscriptions.subscriptions.list()
    assert (found.subscription_id, found.id) == (server.known["subscriptionId"], server.subscription)
    assert found.state == "Enabled"
    assert subscriptions.subscriptions.get(found.subscription_id).tenant_id == server.known["tenantId"]


def test_the_locations_of_a_subscription_are_listed(subscriptions: Any, server: Server) -> None:
    locations = {one.name: one for one in subscriptions.subscriptions.list_locations(server.known["subscriptionId"])}
    assert locations["eastus"].display_name == "East US"


def test_the_tenant_is_listed(subscriptions: Any, server: Server) -> None:
    assert [tenant.tenant_id for tenant in subscriptions.tenants.list()] == [server.known["tenantId"]]


def test_another_subscription_is_not_found(azure: Azure, subscriptions: Any) -> None:
    with pytest.raises(HttpResponseError) as caught:
        subscriptions.subscriptions.get("99999999-0000-0000-0000-000000000000")
    assert code_of(caught.value) == "SubscriptionNotFound"


# ── groups ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_group_is_made_changed_and_read_again(resources: Any, server: Server) -> None:
    name = fresh("group-")
    made = resources.resource_groups.create_or_update(name, {"location": LOCATION, "tags": {"a": "b"}})
    assert (made.id, made.location) == (f"{server.subscription}/resourceGroups/{name}", "eastus")
    assert made.properties.provisioning_state == "Succeeded"
    resources.resource_groups.update(name, {"tags": {"c": "d"}})
    assert resources.resource_groups.get(name).tags == {"c": "d"}
    assert name in {group.name for group in resources.resource_groups.list()}


def test_a_groups_existence_is_asked_for(resources: Any, group: str) -> None:
    assert resources.resource_groups.check_existence(group)
    assert not resources.resource_groups.check_existence(fresh("group-"))


def test_a_group_is_deleted_with_all_that_is_in_it(
    azure: Azure, resources: Any, group: str, workspace: str, beside: Neighbours
) -> None:
    resources.resource_groups.begin_delete(group).result()
    assert not resources.resource_groups.check_existence(group)
    with pytest.raises(ResourceNotFoundError) as caught:
        azure.workspaces.get(group, workspace)
    assert code_of(caught.value) == "ResourceGroupNotFound"
    assert beside.account not in {each.id for each in resources.resources.list()}


# ── providers ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_provider_names_its_types_and_their_versions(resources: Any) -> None:
    provider = resources.providers.get("Microsoft.MachineLearningServices")
    assert provider.registration_state == "Registered"
    versions = {one.resource_type: one.api_versions for one in provider.resource_types}["workspaces"]
    assert "2023-10-01" in versions
    assert versions == sorted(versions, reverse=True)


def test_the_providers_are_listed(resources: Any) -> None:
    namespaces = {provider.namespace.lower() for provider in resources.providers.list()}
    assert namespaces >= {
        "microsoft.machinelearningservices",
        "microsoft.storage",
        "microsoft.containerregistry",
        "microsoft.insights",
        "microsoft.keyvault",
        "microsoft.operationalinsights",
        "microsoft.authorization",
        "microsoft.resources",
    }


def test_a_provider_that_is_not_served_is_unknown(resources: Any) -> None:
    with pytest.raises(ResourceNotFoundError) as caught:
        resources.providers.get("Microsoft.Nothing")
    assert code_of(caught.value) == "InvalidResourceNamespace"


# ── resources of every type ─────────────────────────────────────────────────────────────────────────────────────────


def test_resources_are_listed_by_group(resources: Any, group: str, workspace: str, beside: Neighbours) -> None:
    found = {each.id: each for each in resources.resources.list_by_resource_group(group)}
    ids = {beside.account, beside.registry, beside.component, beside.vault}
    assert ids < found.keys()
    [other] = found.keys() - ids
    assert (found[other].name, found[other].type, found[other].location) == (workspace, WORKSPACE, "eastus")


def test_resources_are_listed_by_type(resources: Any, workspace: str) -> None:
    found = list(resources.resources.list(filter=f"resourceType eq '{WORKSPACE}'"))
    assert {each.type for each in found} == {WORKSPACE}
    assert {workspace, "workspaces123"} <= {each.name for each in found}


@pytest.mark.parametrize(
    "condition",
    [
        "resourceGroup eq '{group}' and resourceType eq 'Microsoft.Storage/storageAccounts'",
        "name eq '{name}'",
        "resourceType eq 'microsoft.storage/STORAGEACCOUNTS' and name eq '{name}' and location eq 'eastus'",
    ],
)
def test_resources_are_listed_by_what_a_filter_says(
    resources: Any, group: str, beside: Neighbours, condition: str
) -> None:
    wanted = condition.format(group=group, name=beside.account_name)
    assert [each.id for each in resources.resources.list(filter=wanted)] == [beside.account]


def test_pages_of_resources_are_followed_to_the_last(resources: Any, group: str, beside: Neighbours) -> None:
    pages = list(resources.resources.list_by_resource_group(group, top=1).by_page())
    assert [len(list(page)) for page in pages] == [1, 1, 1, 1]
    together = resources.resources.list_by_resource_group(group, top=3)
    assert {each.id for each in together} == {beside.account, beside.registry, beside.component, beside.vault}


def test_a_filter_that_cannot_be_read_is_refused(resources: Any) -> None:
    with pytest.raises(HttpResponseError) as caught:
        list(resources.resources.list(filter="colour eq 'blue'"))
    assert (caught.value.status_code, code_of(caught.value)) == (400, "InvalidFilterInQueryString")


def test_a_resource_of_any_type_is_made_read_and_deleted_by_its_id(
    azure: Azure, resources: Any, group: str, beside: Neighbours
) -> None:
    id_ = f"{azure.server.subscription}/resourceGroups/{group}/providers/{WORKSPACE}/{fresh('ws')}"
    body = {
        "location": LOCATION,
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "storageAccount": beside.account,
            "keyVault": beside.vault,
            "applicationInsights": beside.component,
        },
    }
    version = "2023-10-01"
    made = resources.resources.begin_create_or_update_by_id(id_, api_version=version, parameters=body).result()
    assert (made.id, made.type) == (id_, WORKSPACE)
    assert resources.resources.get_by_id(id_, api_version=version).properties["storageAccount"] == beside.account
    assert resources.resources.check_existence_by_id(id_, api_version=version)
    resources.resources.begin_delete_by_id(id_, api_version=version).result()
    with pytest.raises(ResourceNotFoundError):
        resources.resources.get_by_id(id_, api_version=version)
