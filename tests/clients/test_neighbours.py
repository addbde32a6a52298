"""The libraries of a workspace's neighbours: storage, registry, Application Insights, key vault."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.applicationinsights import ApplicationInsightsManagementClient
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.storage import StorageManagementClient

from tests.clients.house import LOCATION, code_of, fresh

if TYPE_CHECKING:
    from tests.clients.house import Azure

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ACCOUNT = {"location": LOCATION, "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"}
REGISTRY = {"location": LOCATION, "sku": {"name": "Basic"}, "properties": {"adminUserEnabled": True}}


# ── storage ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def storage(azure: Azure) -> Any:
    return azure(StorageManagementClient)


@pytest.fixture
def account(storage: Any, group: str) -> str:
    """Name of a storage account of the test's own."""
    name = fresh("st")
    storage.storage_accounts.begin_create(group, name, ACCOUNT).result()
    return name


def keys_of(listed: Any) -> dict[str, str]:
    return {key.key_name: key.value for key in listed.keys_property}


def test_an_account_is_made_and_read_again(storage: Any, group: str) -> None:
    name = fresh("st")
    made = storage.storage_accounts.begin_create(group, name, {**ACCOUNT, "tags": {"a": "b"}}).result()
    assert (made.name, made.kind, made.sku.name, made.sku.tier) == (name, "StorageV2", "Standard_LRS", "Standard")
    assert made.provisioning_state == "Succeeded"
    assert name in made.primary_endpoints.blob
    assert storage.storage_accounts.get_properties(group, name).tags == {"a": "b"}
    assert name in {each.name for each in storage.storage_accounts.list()}
    assert [each.name for each in storage.storage_accounts.list_by_resource_group(group)] == [name]


def test_an_account_is_changed_in_part(storage: Any, group: str, account: str) -> None:
    changed = storage.storage_accounts.update(group, account, {"tags": {"c": "d"}})
    assert (changed.tags, changed.kind) == ({"c": "d"}, "StorageV2")


def test_the_keys_of_an_account_are_listed(storage: Any, group: str, account: str) -> None:
    listed = storage.storage_accounts.list_keys(group, account)
    assert [key.key_name for key in listed.keys_property] == ["key1", "key2"]
    assert {key.permissions.upper() for key in listed.keys_property} == {"FULL"}
    assert all(len(base64.b64decode(value, validate=True)) == 64 for value in keys_of(listed).values())


@pytest.mark.parametrize(("name", "other"), [("key1", "key2"), ("key2", "key1")])
def test_one_key_is_regenerated_and_the_other_goes_on(
    storage: Any, group: str, account: str, name: str, other: str
) -> None:
    before = keys_of(storage.storage_accounts.list_keys(group, account))
    after = keys_of(storage.storage_accounts.regenerate_key(group, account, {"keyName": name}))
    assert after[name] != before[name]
    assert after[other] == before[other]
    assert keys_of(storage.storage_accounts.list_keys(group, account)) == after


def test_a_key_that_an_account_does_not_have_is_not_regenerated(storage: Any, group: str, account: str) -> None:
    with pytest.raises(HttpResponseError) as caught:
        storage.storage_accounts.regenerate_key(group, account, {"keyName": "key3"})
    assert caught.value.status_code == 400


def test_the_name_of_an_account_is_checked(storage: Any, account: str) -> None:
    def check(name: str) -> Any:
        asked = {"name": name, "type": "Microsoft.Storage/storageAccounts"}
        return storage.storage_accounts.check_name_availability(asked)

    assert check(fresh("st")).name_available
    assert (check(account).name_available, check(account).reason) == (False, "AlreadyExists")
    assert (check("No_Good").name_available, check("No_Good").reason) == (False, "AccountNameInvalid")


def test_the_name_of_an_account_is_taken_in_every_group(azure: Azure, storage: Any, account: str) -> None:
    with pytest.raises(ResourceExistsError) as caught:
        storage.storage_accounts.begin_create("testrg123", account, ACCOUNT)
    assert code_of(caught.value) == "StorageAccountAlreadyTaken"


def test_containers_of_an_account_are_made_listed_and_deleted(storage: Any, group: str, account: str) -> None:
    containers = storage.blob_containers
    made = containers.create(group, account, "images", {"properties": {"metadata": {"a": "b"}}})
    assert (made.name, made.type) == ("images", "Microsoft.Storage/storageAccounts/blobServices/containers")
    assert [each.name for each in containers.list(group, account)] == ["images"]
    assert containers.get(group, account, "images").name == "images"
    containers.delete(group, account, "images")
    assert list(containers.list(group, account)) == []


def test_a_deleted_account_is_gone_and_its_name_is_free(storage: Any, group: str, account: str) -> None:
    storage.storage_accounts.delete(group, account)
    with pytest.raises(ResourceNotFoundError):
        storage.storage_accounts.get_properties(group, account)
    storage.storage_accounts.begin_create(group, account, ACCOUNT).result()


# ── registry ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def registries(azure: Azure) -> Any:
    return azure(ContainerRegistryManagementClient).registries


@pytest.fixture
def registry(registries: Any, group: str) -> str:
    """Name of a registry of the test's own."""
    name = fresh("cr")
    registries.begin_create(group, name, REGISTRY).result()
    return name


def passwords_of(listed: Any) -> dict[str, str]:
    return {password.name: password.value for password in listed.passwords}


def test_a_registry_is_made_and_read_again(registries: Any, group: str) -> None:
    name = fresh("cr")
    made = registries.begin_create(group, name, REGISTRY).result()
    assert (made.name, made.sku.name, made.properties.admin_user_enabled) == (name, "Basic", True)
    assert made.properties.provisioning_state == "Succeeded"
    assert made.properties.login_server
    assert registries.get(group, name).as_dict() == made.as_dict()
    assert name in {each.name for each in registries.list()}
    assert [each.name for each in registries.list_by_resource_group(group)] == [name]


def test_the_credentials_of_a_registry_are_listed(registries: Any, group: str, registry: str) -> None:
    found = registries.list_credentials(group, registry)
    assert found.username == registry
    assert list(passwords_of(found)) == ["password", "password2"]
    assert all(re.fullmatch(r"[A-Za-z0-9+/=]{32,}", value) for value in passwords_of(found).values())


@pytest.mark.parametrize(("name", "other"), [("password", "password2"), ("password2", "password")])
def test_one_password_is_regenerated_and_the_other_goes_on(
    registries: Any, group: str, registry: str, name: str, other: str
) -> None:
    before = passwords_of(registries.list_credentials(group, registry))
    after = passwords_of(registries.regenerate_credential(group, registry, {"name": name}))
    assert after[name] != before[name]
    assert after[other] == before[other]
    assert passwords_of(registries.list_credentials(group, registry)) == after


def test_a_registry_whose_admin_user_is_off_has_no_credentials(registries: Any, group: str, registry: str) -> None:
    changed = registries.begin_update(group, registry, {"properties": {"adminUserEnabled": False}}).result()
    assert not changed.properties.admin_user_enabled
    with pytest.raises(HttpResponseError) as caught:
        registries.list_credentials(group, registry)
    assert caught.value.status_code == 400


def test_the_name_of_a_registry_is_checked(registries: Any, registry: str) -> None:
    def check(name: str) -> bool:
        asked = {"name": name, "type": "Microsoft.ContainerRegistry/registries"}
        return bool(registries.check_name_availability(asked).name_available)

    assert (check(fresh("cr")), check(registry), check("no-good")) == (True, False, False)


def test_a_deleted_registry_is_gone(registries: Any, group: str, registry: str) -> None:
    registries.begin_delete(group, registry).result()
    with pytest.raises(ResourceNotFoundError):
        registries.get(group, registry)


# ── Application Insights ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_component_is_made_with_its_key_and_connection_string(azure: Azure, group: str) -> None:
    components, name = azure(ApplicationInsightsManagementClient).components, fresh("ai")
    body = {"location": LOCATION, "kind": "web", "properties": {"Application_Type": "web"}}
    made = components.create_or_update(group, name, body)
    assert GUID.fullmatch(made.instrumentation_key)
    assert GUID.fullmatch(made.app_id)
    assert made.connection_string.startswith(f"InstrumentationKey={made.instrumentation_key};IngestionEndpoint=https")
    again = components.get(group, name)
    assert again.instrumentation_key == made.instrumentation_key
    assert components.create_or_update(group, name, body).instrumentation_key == made.instrumentation_key
    assert [each.name for each in components.list_by_resource_group(group)] == [name]
    assert name in {each.name for each in components.list()}
    assert components.update_tags(group, name, {"tags": {"a": "b"}}).tags == {"a": "b"}
    components.delete(group, name)
    with pytest.raises(ResourceNotFoundError):
        components.get(group, name)


# ── key vault ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def vaults(azure: Azure) -> Any:
    return azure(KeyVaultManagementClient).vaults


def vault_body(azure: Azure) -> dict[str, Any]:
    properties = {
        "tenantId": azure.server.known["tenantId"],
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
    }
    return {"location": LOCATION, "properties": properties}


def test_a_vault_is_made_and_read_again(azure: Azure, vaults: Any, group: str) -> None:
    name = fresh("kv")
    with pytest.raises(ResourceNotFoundError):
        vaults.get(group, name)
    made = vaults.begin_create_or_update(group, name, vault_body(azure)).result()
    assert (made.name, made.properties.sku.name) == (name, "standard")
    assert made.properties.tenant_id == azure.server.known["tenantId"]
    assert name in made.properties.vault_uri
    assert vaults.get(group, name).properties.enable_rbac_authorization
    assert [each.name for each in vaults.list_by_resource_group(group)] == [name]
    assert name in {each.name for each in vaults.list_by_subscription()}
    assert vaults.update(group, name, {"tags": {"a": "b"}}).tags == {"a": "b"}


def test_the_name_of_a_vault_is_checked_and_taken_everywhere(azure: Azure, vaults: Any, group: str) -> None:
    name = fresh("kv")
    asked = {"name": name, "type": "Microsoft.KeyVault/vaults"}
    assert vaults.check_name_availability(asked).name_available
    vaults.begin_create_or_update(group, name, vault_body(azure)).result()
    assert not vaults.check_name_availability(asked).name_available
    with pytest.raises(ResourceExistsError, match="already in use"):
        vaults.begin_create_or_update("testrg123", name, vault_body(azure))


def test_a_deleted_vault_is_gone(azure: Azure, vaults: Any, group: str) -> None:
    name = fresh("kv")
    vaults.begin_create_or_update(group, name, vault_body(azure)).result()
    vaults.delete(group, name)
    with pytest.raises(ResourceNotFoundError):
        vaults.get(group, name)
