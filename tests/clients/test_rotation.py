"""The story of a rotated key, told by the libraries: regenerate, stale, resync."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from azure.identity.aio import ClientSecretCredential
from azure.mgmt.containerregistry import ContainerRegistryManagementClient
from azure.mgmt.containerregistry.aio import ContainerRegistryManagementClient as AsyncRegistryClient
from azure.mgmt.machinelearningservices.aio import MachineLearningServicesMgmtClient as AsyncMachineLearningClient
from azure.mgmt.storage import StorageManagementClient
from azure.mgmt.storage.aio import StorageManagementClient as AsyncStorageClient

from tests.clients.house import credential, pointed_at

if TYPE_CHECKING:
    from tests.clients.house import Azure, Neighbours
    from tests.server import Server


def values(listed: Any) -> list[str]:
    """The values of an account's keys, in their order."""
    return [key.value for key in listed.keys_property]


def test_a_rotated_storage_key_is_stale_in_the_workspace_until_it_is_resynced(
    azure: Azure, group: str, workspace: str, beside: Neighbours
) -> None:
    accounts = azure(StorageManagementClient).storage_accounts
    old, second = values(accounts.list_keys(group, beside.account_name))
    assert azure.workspaces.list_keys(group, workspace).user_storage_key == old

    rotated = values(accounts.regenerate_key(group, beside.account_name, {"keyName": "key1"}))
    assert rotated[0] != old
    assert rotated[1] == second, "the other key goes on"
    assert values(accounts.list_keys(group, beside.account_name)) == rotated
    assert azure.workspaces.list_keys(group, workspace).user_storage_key == old, "the workspace keeps a copy"

    azure.workspaces.begin_resync_keys(group, workspace).result()
    assert azure.workspaces.list_keys(group, workspace).user_storage_key == rotated[0]


def test_a_rotated_registry_password_is_stale_in_the_workspace_until_it_is_resynced(
    azure: Azure, group: str, workspace: str, beside: Neighbours
) -> None:
    def kept() -> dict[str, str]:
        credentials = azure.workspaces.list_keys(group, workspace).container_registry_credentials
        return {password.name: password.value for password in credentials.passwords}

    registries = azure(ContainerRegistryManagementClient).registries
    old = kept()
    answer = registries.regenerate_credential(group, beside.registry_name, {"name": "password2"})
    rotated = {password.name: password.value for password in answer.passwords}
    assert rotated["password"] == old["password"]
    assert rotated["password2"] != old["password2"]
    assert kept() == old
    azure.workspaces.begin_resync_keys(group, workspace).result()
    assert kept() == rotated


def test_asynchronous_code_tells_the_same_story(
    server: Server, azure: Azure, group: str, workspace: str, beside: Neighbours
) -> None:
    async def story() -> list[str | None]:
        async with (
            credential(server, kind=ClientSecretCredential) as owner,
            AsyncStorageClient(owner, **pointed_at(server)) as storage,
            AsyncRegistryClient(owner, **pointed_at(server)) as registry,
            AsyncMachineLearningClient(owner, **pointed_at(server), api_version="2023-10-01") as learning,
        ):
            seen = [(await learning.workspaces.list_keys(group, workspace)).user_storage_key]
            await storage.storage_accounts.regenerate_key(group, beside.account_name, {"keyName": "key1"})
            await registry.registries.regenerate_credential(group, beside.registry_name, {"name": "password"})
            seen.append((await learning.workspaces.list_keys(group, workspace)).user_storage_key)
            await (await learning.workspaces.begin_resync_keys(group, workspace)).result()
            seen.append((await learning.workspaces.list_keys(group, workspace)).user_storage_key)
            listed = await storage.storage_accounts.list_keys(group, beside.account_name)
            return [*seen, values(listed)[0]]

    before, stale, fresh, current = asyncio.run(story())
    assert before == stale != fresh == current
