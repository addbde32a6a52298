"""azure-mgmt-machinelearningservices 2.0.0b2, at the version of Azure's page: every operation of workspaces."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.mgmt.machinelearningservices import MachineLearningServicesMgmtClient
from azure.mgmt.machinelearningservices.models import (
    DiagnoseRequestProperties,
    DiagnoseWorkspaceParameters,
    WorkspaceUpdateParameters,
)
from azure.mgmt.resource.resources import ResourceManagementClient

from tests.clients.house import code_of, described, fresh, make_neighbours

if TYPE_CHECKING:
    from tests.clients.house import Azure, Neighbours
    from tests.server import Server

SAMPLE = ("testrg123", "workspaces123")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


# ── create, read, change, delete ────────────────────────────────────────────────────────────────────────────────────


def test_a_workspace_is_made_and_read_again(azure: Azure, group: str, beside: Neighbours) -> None:
    name = fresh("ws")
    wanted = described(beside, description="made by a test", friendly_name="Mine", tags={"a": "b"})
    made = azure.workspaces.begin_create_or_update(group, name, wanted).result()
    assert made.id == (
        f"{azure.server.subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{name}"
    )
    assert (made.name, made.type) == (name, "Microsoft.MachineLearningServices/workspaces")
    assert (made.location, made.tags, made.provisioning_state) == ("eastus", {"a": "b"}, "Succeeded")
    assert (made.description, made.friendly_name) == ("made by a test", "Mine")
    assert (made.storage_account, made.key_vault) == (beside.account, beside.vault)
    assert (made.container_registry, made.application_insights) == (beside.registry, beside.component)
    assert GUID.fullmatch(made.workspace_id)
    assert GUID.fullmatch(made.identity.principal_id)
    assert made.discovery_url.startswith(azure.server.origin)
    assert made.system_data.created_by_type == "Application"
    assert azure.workspaces.get(group, name).as_dict() == made.as_dict()


def test_a_workspace_is_changed_in_part(azure: Azure, group: str, workspace: str) -> None:
    before = azure.workspaces.get(group, workspace)
    change = WorkspaceUpdateParameters(tags={"c": "d"}, description="changed", friendly_name="Yours")
    changed = azure.workspaces.begin_update(group, workspace, change).result()
    assert (changed.tags, changed.description, changed.friendly_name) == ({"c": "d"}, "changed", "Yours")
    assert (changed.workspace_id, changed.storage_account) == (before.workspace_id, before.storage_account)
    assert azure.workspaces.get(group, workspace).description == "changed"


def test_workspaces_are_listed_by_group_and_by_subscription(azure: Azure, group: str, workspace: str) -> None:
    assert [each.name for each in azure.workspaces.list_by_resource_group(group)] == [workspace]
    everywhere = {each.name for each in azure.workspaces.list_by_subscription()}
    assert {workspace, SAMPLE[1]} <= everywhere


def test_a_name_is_found_in_any_case_and_shown_as_it_was_made(azure: Azure, group: str, workspace: str) -> None:
    assert azure.workspaces.get(group.upper(), workspace.upper()).name == workspace


def test_a_deleted_workspace_is_gone_and_its_name_is_kept_for_a_while(
    azure: Azure, group: str, workspace: str, beside: Neighbours
) -> None:
    assert azure.workspaces.begin_delete(group, workspace).result() is None
    with pytest.raises(ResourceNotFoundError) as caught:
        azure.workspaces.get(group, workspace)
    assert code_of(caught.value) == "ResourceNotFound"
    assert list(azure.workspaces.list_by_resource_group(group)) == []
    with pytest.raises(HttpResponseError, match="Soft-deleted workspace exists"):
        azure.workspaces.begin_create_or_update(group, workspace, described(beside))


def test_a_purged_workspace_frees_its_name(azure: Azure, group: str, workspace: str, beside: Neighbours) -> None:
    azure.workspaces.begin_delete(group, workspace, params={"forceToPurge": "true"}).result()
    again = azure.workspaces.begin_create_or_update(group, workspace, described(beside)).result()
    assert again.provisioning_state == "Succeeded"


def test_a_workspace_without_a_location_is_refused_by_the_server(azure: Azure, group: str, beside: Neighbours) -> None:
    nowhere = described(beside)
    nowhere.location = None
    with pytest.raises(HttpResponseError) as caught:
        azure.workspaces.begin_create_or_update(group, fresh("ws"), nowhere)
    assert (caught.value.status_code, code_of(caught.value)) == (400, "LocationRequired")


def test_a_workspace_does_not_move(azure: Azure, group: str, workspace: str, beside: Neighbours) -> None:
    elsewhere = described(beside)
    elsewhere.location = "westeurope"
    with pytest.raises(ResourceExistsError) as caught:
        azure.workspaces.begin_create_or_update(group, workspace, elsewhere)
    assert code_of(caught.value) == "InvalidResourceLocation"


def test_a_neighbour_that_is_not_there_is_refused(azure: Azure, group: str, beside: Neighbours) -> None:
    wanted = described(beside)
    wanted.storage_account = beside.account + "x"
    with pytest.raises(HttpResponseError) as caught:
        azure.workspaces.begin_create_or_update(group, fresh("ws"), wanted).result()
    assert caught.value.status_code == 400


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_list_keys_answers_every_key_of_the_workspace(
    azure: Azure, group: str, workspace: str, beside: Neighbours
) -> None:
    keys = azure.workspaces.list_keys(group, workspace)
    assert keys.user_storage_resource_id == beside.account
    assert len(base64.b64decode(keys.user_storage_key, validate=True)) == 64
    assert GUID.fullmatch(keys.app_insights_instrumentation_key)
    registry = keys.container_registry_credentials
    assert (registry.location, registry.username) == ("eastus", beside.registry_name)
    assert [password.name for password in registry.passwords] == ["password", "password2"]
    assert len({password.value for password in registry.passwords}) == 2
    assert keys.notebook_access_keys.primary_access_key is None, "nobody has prepared the notebook yet"


def test_list_storage_account_keys_is_a_part_of_list_keys(azure: Azure) -> None:
    alone = azure.workspaces.list_storage_account_keys(*SAMPLE)
    assert alone.user_storage_key == azure.workspaces.list_keys(*SAMPLE).user_storage_key


def test_preparing_the_notebook_makes_its_keys_and_tokens(azure: Azure, group: str, workspace: str) -> None:
    assert azure.workspaces.list_notebook_access_token(group, workspace).access_token is None
    info = azure.workspaces.begin_prepare_notebook(group, workspace).result()
    assert info.fqdn.endswith(".notebooks.azure.net")
    assert azure.workspaces.get(group, workspace).notebook_info.resource_id == info.resource_id
    keys = azure.workspaces.list_notebook_keys(group, workspace)
    assert re.fullmatch(r"[0-9a-f]{64}", keys.primary_access_key)
    assert keys.as_dict() == azure.workspaces.list_keys(group, workspace).notebook_access_keys.as_dict()
    token = azure.workspaces.list_notebook_access_token(group, workspace)
    assert (token.token_type, token.notebook_resource_id) == ("Bearer", info.resource_id)
    assert token.access_token.count(".") == 2


def test_resync_keys_ends_well(azure: Azure, group: str, workspace: str) -> None:
    poller = azure.workspaces.begin_resync_keys(group, workspace)
    assert poller.result() is None
    assert poller.status() == "Succeeded"


# ── looking after a workspace ───────────────────────────────────────────────────────────────────────────────────────


def test_diagnose_finds_nothing_wrong_with_the_sample(azure: Azure) -> None:
    found = azure.workspaces.begin_diagnose(*SAMPLE).result()
    assert set(_diagnosed(found)) == set()


def test_diagnose_finds_a_neighbour_that_is_gone(azure: Azure, group: str, workspace: str, beside: Neighbours) -> None:
    ResourceManager = azure(ResourceManagementClient)  # noqa: N806 - it is read as a name
    ResourceManager.resources.begin_delete_by_id(beside.account, api_version="2023-01-01").result()
    wanted = DiagnoseWorkspaceParameters(value=DiagnoseRequestProperties(storage_account={}))
    found = azure.workspaces.begin_diagnose(group, workspace, wanted).result()
    assert set(_diagnosed(found)) == {"storage_account_results"}
    assert beside.account_name in found.value.storage_account_results[0].message


def _diagnosed(found: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(found.value).items() if name.endswith("_results") and value}


def test_what_a_workspace_must_reach_is_listed(azure: Azure) -> None:
    found = azure.workspaces.list_outbound_network_dependencies_endpoints(*SAMPLE)
    by_category = {one.properties.category: one.properties.endpoints for one in found.value}
    assert by_category["Azure Active Directory"][0].endpoint_details[0].port == 443


def test_the_operations_of_the_provider_are_listed(azure: Azure) -> None:
    client = azure(MachineLearningServicesMgmtClient, api_version="2023-10-01")
    names = {one.name for one in client.operations.list()}
    assert "Microsoft.MachineLearningServices/workspaces/listKeys/action" in names


# ── other versions ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "version", ["2018-11-19", "2020-01-01", "2021-04-01", "2022-10-01", "2023-04-01", "2024-10-01"]
)
def test_list_keys_is_the_same_at_every_version(azure: Azure, version: str) -> None:
    now = azure.workspaces.list_keys(*SAMPLE).as_dict()
    then = azure(MachineLearningServicesMgmtClient, api_version=version).workspaces.list_keys(*SAMPLE).as_dict()
    assert then == now


def test_the_library_works_at_its_own_version_too(azure: Azure, group: str) -> None:
    client = azure(MachineLearningServicesMgmtClient)
    beside, name = make_neighbours(azure, group), fresh("ws")
    made = client.workspaces.begin_create_or_update(group, name, described(beside)).result()
    assert made.provisioning_state == "Succeeded"
    client.workspaces.begin_resync_keys(group, name).result()
    client.workspaces.begin_delete(group, name).result()
    assert name not in {each.name for each in client.workspaces.list_by_subscription()}


def test_a_version_that_never_was_is_refused(azure: Azure) -> None:
    client = azure(MachineLearningServicesMgmtClient, api_version="2001-01-01")
    with pytest.raises(HttpResponseError) as caught:
        client.workspaces.list_keys(*SAMPLE)
    assert (caught.value.status_code, code_of(caught.value)) == (400, "NoRegisteredProviderFound")


def test_the_sample_of_azures_page_is_there(azure: Azure, server: Server) -> None:
    sample = azure.workspaces.get(*SAMPLE)
    assert sample.id == server.workspace
    assert sample.id.startswith("/subscriptions/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/resourceGroups/testrg123/")
