"""listKeys: five members, always all five, in the documented order; copies that stay stale until they are resynced."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from linarite.kinds.workspaces.declared import VERSIONS
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Caller, Server

MEMBERS = [
    "userStorageKey",
    "userStorageResourceId",
    "appInsightsInstrumentationKey",
    "containerRegistryCredentials",
    "notebookAccessKeys",
]
STORAGE = "2023-01-01"
REGISTRY = "2023-07-01"
ARM_ID_VERSIONS = {"2025-06-01", "2025-12-01", "2026-03-01", "2026-05-01", "2026-07-01", "2026-09-01"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("keys") / "data", "--no-doors", LINARITE_LRO="immediate") as server:
        yield server


@pytest.fixture(scope="module")
def owner(server: Server) -> Caller:
    return server.owner()


@pytest.fixture
def group(server: Server, owner: Caller) -> str:
    path = f"{server.subscription}/resourceGroups/rg-{uuid4().hex[:12]}"
    assert owner.put(path, {"location": "eastus"}, version="2024-11-01").status_code == 201
    return path


def neighbours(owner: Caller, group: str, **registry: Any) -> dict[str, str]:
    """A storage account, a vault, a component and a registry of fresh names; their ids by the workspace's members."""
    name = uuid4().hex[:16]
    near = f"{group}/providers"
    made = {
        "storageAccount": (
            f"{near}/Microsoft.Storage/storageAccounts/s{name}",
            STORAGE,
            {"sku": {"name": "Standard_LRS"}},
        ),
        "keyVault": (
            f"{near}/Microsoft.KeyVault/vaults/v{name}",
            "2023-07-01",
            {"properties": {"tenantId": str(uuid4()), "sku": {"family": "A", "name": "standard"}}},
        ),
        "applicationInsights": (f"{near}/Microsoft.Insights/components/c{name}", "2020-02-02", {"kind": "web"}),
        "containerRegistry": (
            f"{near}/Microsoft.ContainerRegistry/registries/r{name}",
            REGISTRY,
            {"sku": {"name": "Basic"}, "properties": {"adminUserEnabled": True, **registry}},
        ),
    }
    for path, version, body in made.values():
        assert owner.put(path, {"location": "eastus", **body}, version=version).status_code in {200, 201}
    return {member: path for member, (path, _, _) in made.items()}


def workspace(owner: Caller, group: str, links: dict[str, str], version: str = "2023-10-01", **properties: Any) -> str:
    path = f"{group}/providers/Microsoft.MachineLearningServices/workspaces/w{uuid4().hex[:12]}"
    body = {"location": "eastus", "properties": {**links, **properties}}
    assert owner.put(path, body, version=version).status_code == 200
    return path


def keys(owner: Caller, path: str, **more: Any) -> Any:
    answer = owner.post(f"{path}/listKeys", **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_sample_answers_the_pages_shape_with_no_value_null(server: Server, owner: Caller) -> None:
    answer = owner.post(f"{server.workspace}/listKeys")
    found = answer.json()
    assert list(found) == MEMBERS
    assert re.fullmatch(r"[A-Za-z0-9+/]{76}\+ASt[A-Za-z0-9+/]{5}[AQgw]==", found["userStorageKey"])
    assert found["userStorageResourceId"] == (
        f"{server.subscription}/resourceGroups/ragargeastus2euap/providers/Microsoft.Storage/storageAccounts/"
        "testdemoworkazashomr"
    )
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", found["appInsightsInstrumentationKey"])
    registry = found["containerRegistryCredentials"]
    assert list(registry) == ["location", "username", "passwords"]
    assert registry["username"] == "testdemoworkjmjmeykp"
    assert [list(one) for one in registry["passwords"]] == [["name", "value"]] * 2
    assert [one["name"] for one in registry["passwords"]] == ["password", "password2"]
    for one in registry["passwords"]:
        assert re.fullmatch(r"[A-Za-z0-9+/]{42}\+ACR[A-D][A-Za-z0-9+/]{5}", one["value"])
    assert list(found["notebookAccessKeys"]) == ["primaryAccessKey", "secondaryAccessKey"]
    assert all(re.fullmatch(r"[0-9a-f]{64}", key) for key in found["notebookAccessKeys"].values())


def test_the_text_is_indented_by_two_spaces_and_ends_without_a_newline(server: Server, owner: Caller) -> None:
    answer = owner.post(f"{server.workspace}/listKeys")
    assert answer.text == json.dumps(answer.json(), indent=2, ensure_ascii=False)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


def test_every_known_version_is_served_and_calls_the_storage_id_as_it_documents(server: Server, owner: Caller) -> None:
    for version in VERSIONS.listed:
        found = keys(owner, server.workspace, version=version)
        preview = version.endswith("-preview")
        arm_id = version >= "2023-06-01-preview" if preview else version in ARM_ID_VERSIONS
        assert list(found)[1] == ("userStorageArmId" if arm_id else "userStorageResourceId"), version


@pytest.mark.parametrize(
    ("setting", "members"),
    [("wire", ["userStorageArmId"]), ("both", ["userStorageResourceId", "userStorageArmId"])],
)
def test_the_setting_chooses_the_storage_ids_name(
    tmp_path_factory: pytest.TempPathFactory, setting: str, members: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("member") / "data"
    with running(folder, "--no-doors", LINARITE_STORAGE_ID_MEMBER=setting) as server:
        found = keys(server.owner(), server.workspace)
    assert [name for name in found if name.startswith("userStorage") and name != "userStorageKey"] == members


@pytest.mark.parametrize("path", ["listkeys", "LISTKEYS", "/listKeys"])
def test_the_action_is_found_in_any_case_and_behind_a_doubled_slash(server: Server, owner: Caller, path: str) -> None:
    assert owner.post(f"{server.workspace}/{path}").json() == keys(owner, server.workspace)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD"])
def test_only_a_post_lists_keys(server: Server, owner: Caller, method: str) -> None:
    answer = owner.call(method, f"{server.workspace}/listKeys")
    assert answer.status_code == 405
    if method != "HEAD":
        assert answer.json()["error"]["code"] == "HttpMethodNotAllowed"


def test_a_body_is_ignored_whatever_it_is(server: Server, owner: Caller) -> None:
    answer = owner.call(
        "POST", f"{server.workspace}/listKeys", content=b"{not json", headers={"content-type": "text/x"}
    )
    assert answer.json() == keys(owner, server.workspace)


def test_keys_stay_stale_until_they_are_resynced(owner: Caller, group: str) -> None:
    links = neighbours(owner, group)
    path = workspace(owner, group, links)
    before = keys(owner, path)
    owner.post(f"{links['storageAccount']}/regenerateKey", {"keyName": "key1"}, version=STORAGE)
    owner.post(f"{links['containerRegistry']}/regenerateCredential", {"name": "password2"}, version=REGISTRY)
    assert keys(owner, path) == before
    assert owner.post(f"{path}/resyncKeys").status_code == 200
    after = keys(owner, path)
    current = owner.post(f"{links['storageAccount']}/listKeys", version=STORAGE).json()["keys"][0]["value"]
    passwords = owner.post(f"{links['containerRegistry']}/listCredentials", version=REGISTRY).json()["passwords"]
    assert after["userStorageKey"] == current != before["userStorageKey"]
    assert after["containerRegistryCredentials"]["passwords"] == passwords
    assert passwords[0] == before["containerRegistryCredentials"]["passwords"][0]
    assert passwords[1] != before["containerRegistryCredentials"]["passwords"][1]
    assert after["notebookAccessKeys"] == before["notebookAccessKeys"]


def test_a_workspace_that_is_always_fresh_needs_no_resync(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("fresh") / "data", "--no-doors", LINARITE_RESYNC="auto") as server:
        owner = server.owner()
        account = keys(owner, server.workspace)["userStorageResourceId"]
        changed = owner.post(f"{account}/regenerateKey", {"keyName": "key1"}, version=STORAGE).json()
        assert keys(owner, server.workspace)["userStorageKey"] == changed["keys"][0]["value"]


def test_notebook_keys_are_null_leaves_until_the_notebook_is_prepared(owner: Caller, group: str) -> None:
    path = workspace(owner, group, neighbours(owner, group))
    assert keys(owner, path)["notebookAccessKeys"] == {"primaryAccessKey": None, "secondaryAccessKey": None}
    assert owner.post(f"{path}/prepareNotebook").status_code == 200
    assert None not in keys(owner, path)["notebookAccessKeys"].values()


def test_without_a_registry_its_credentials_are_null(owner: Caller, group: str) -> None:
    links = neighbours(owner, group)
    del links["containerRegistry"]
    found = keys(owner, workspace(owner, group, links))
    assert list(found) == MEMBERS
    assert found["containerRegistryCredentials"] is None


def test_with_the_admin_user_off_the_registrys_credentials_are_null(owner: Caller, group: str) -> None:
    links = neighbours(owner, group, adminUserEnabled=False)
    path = workspace(owner, group, links)
    assert keys(owner, path)["containerRegistryCredentials"] is None
    owner.patch(links["containerRegistry"], {"properties": {"adminUserEnabled": True}}, version=REGISTRY)
    assert keys(owner, path)["containerRegistryCredentials"]["passwords"][0]["value"]


def test_with_shared_keys_forbidden_the_storage_key_is_null(owner: Caller, group: str) -> None:
    links = neighbours(owner, group)
    path = workspace(owner, group, links)
    owner.patch(links["storageAccount"], {"properties": {"allowSharedKeyAccess": False}}, version=STORAGE)
    found = keys(owner, path)
    assert found["userStorageKey"] is None
    assert found["userStorageResourceId"] == links["storageAccount"]
    assert owner.post(f"{path}/listStorageAccountKeys").json() == {"userStorageKey": None}


def test_an_identity_based_workspace_has_no_storage_key(owner: Caller, group: str) -> None:
    links = neighbours(owner, group)
    path = workspace(owner, group, links, "2024-04-01", systemDatastoresAuthMode="identity")
    assert keys(owner, path)["userStorageKey"] is None


def test_a_soft_deleted_workspace_lists_no_keys(owner: Caller, group: str) -> None:
    path = workspace(owner, group, neighbours(owner, group))
    assert owner.delete(path).status_code == 200
    answer = owner.post(f"{path}/listKeys")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "ResourceNotFound")


def test_resync_answers_at_once_before_2021_and_202_with_both_addresses_since(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running(tmp_path_factory.mktemp("resync") / "data", "--no-doors") as server:
        owner = server.owner()
        assert owner.post(f"{server.workspace}/resyncKeys", version="2020-08-01").status_code == 200
        answer = owner.post(f"{server.workspace}/resyncKeys")
        assert (answer.status_code, answer.text) == (202, "")
        assert answer.headers["retry-after"].isdigit()
        for name, how in (("location", "location"), ("azure-asyncoperation", "async")):
            assert re.fullmatch(
                rf"{server.origin}/subscriptions/[-0-9a-f]+/providers/Microsoft.MachineLearningServices/locations/eastus"
                rf"/workspaceOperationsStatus/[-0-9a-f]+\?api-version=2023-10-01&type={how}",
                answer.headers[name],
            )
        final = owner.settled(answer)
        assert (final.status_code, final.json()["name"]) == (200, "workspaces123")
        status = owner.http.get(answer.headers["azure-asyncoperation"]).json()
        assert (status["status"], status["percentComplete"]) == ("Succeeded", 100.0)
