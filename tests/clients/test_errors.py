"""Refusals arrive as the exceptions that code catches, with Azure's codes; registration is repaired by the client."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.machinelearningservices import MachineLearningServicesMgmtClient
from azure.mgmt.resource.resources import ResourceManagementClient

from tests.clients.house import code_of, fresh, pointed_at

if TYPE_CHECKING:
    from tests.clients.house import Azure
    from tests.server import Server


class Forged:
    """A credential whose token nobody signed."""

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken("eyJhbGciOiJub25lIn0.eyJvaWQiOiJ4In0.", int(time.time()) + 3600)


def test_a_workspace_that_is_not_there_is_not_found(azure: Azure, group: str) -> None:
    with pytest.raises(ResourceNotFoundError) as caught:
        azure.workspaces.get(group, "nothere")
    error = caught.value.error
    assert error is not None
    assert (caught.value.status_code, code_of(caught.value)) == (404, "ResourceNotFound")
    assert error.message == (
        f"The Resource 'Microsoft.MachineLearningServices/workspaces/nothere' under resource group '{group}' was not "
        "found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )


def test_a_group_that_is_not_there_is_not_found(azure: Azure) -> None:
    with pytest.raises(ResourceNotFoundError) as caught:
        azure.workspaces.list_keys("nothere", "workspaces123")
    assert code_of(caught.value) == "ResourceGroupNotFound"


def test_a_subscription_that_is_not_there_is_not_found(azure: Azure, server: Server) -> None:
    there = pointed_at(server) | {"subscription_id": "99999999-0000-0000-0000-000000000000"}
    with (
        MachineLearningServicesMgmtClient(azure.credential, **there) as client,
        pytest.raises(ResourceNotFoundError) as caught,
    ):
        client.workspaces.list_keys("testrg123", "workspaces123")
    assert code_of(caught.value) == "SubscriptionNotFound"


def test_a_token_that_nobody_signed_is_an_authentication_error(server: Server) -> None:
    with (
        MachineLearningServicesMgmtClient(Forged(), **pointed_at(server)) as client,
        pytest.raises(ClientAuthenticationError) as caught,
    ):
        client.workspaces.list_keys("testrg123", "workspaces123")
    assert (caught.value.status_code, code_of(caught.value)) == (401, "InvalidAuthenticationToken")


def test_every_problem_of_a_body_is_told_at_once(azure: Azure, group: str) -> None:
    body = {"location": "eastus", "properties": {"storageAccount": "no id", "publicNetworkAccess": "Maybe"}}
    with pytest.raises(HttpResponseError) as caught:
        azure(ResourceManagementClient).resources.begin_create_or_update_by_id(
            f"{azure.server.subscription}/resourceGroups/{group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{fresh('ws')}",
            api_version="2023-10-01",
            parameters=body,
        )
    assert caught.value.status_code == 400
    assert caught.value.response is not None
    said = caught.value.response.text()
    assert "storageAccount" in said
    assert "publicNetworkAccess" in said


def test_a_client_registers_a_namespace_by_itself_and_tries_again(
    azure: Azure, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    providers = azure(ResourceManagementClient).providers
    waited: list[float] = []
    # The policy of azure-mgmt-core waits ten seconds before it looks again; nothing else of it is changed.
    monkeypatch.setattr("azure.mgmt.core.policies._base.time.sleep", waited.append)
    assert providers.unregister("Microsoft.KeyVault").registration_state == "NotRegistered"
    try:
        assert list(azure(KeyVaultManagementClient).vaults.list_by_resource_group(group)) == []
        assert providers.get("Microsoft.KeyVault").registration_state == "Registered"
        assert waited == [10]
    finally:
        providers.register("Microsoft.KeyVault")
