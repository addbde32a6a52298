"""PUT and PATCH of a workspace that is there: what changes, what stays, and what cannot be changed at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.api.place import described, refusal

if TYPE_CHECKING:
    from tests.api.place import Place
    from tests.server import Caller


def changed(owner: Caller, path: str, body: Any, **more: Any) -> Any:
    """What a PATCH answers that is granted; the same as a GET right after it."""
    answer = owner.patch(path, body, **more)
    assert answer.status_code == 200, answer.text
    assert owner.get(path, **more).json() == answer.json()
    return answer.json()


# ── PATCH ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_patch_changes_what_it_names_and_leaves_the_rest(owner: Caller, place: Place) -> None:
    path = place.workspace(description="before", friendlyName="f", imageBuildCompute="c")
    before = owner.get(path).json()
    after = changed(owner, path, {"properties": {"description": "after"}})
    assert after["properties"] == {**before["properties"], "description": "after"}
    assert {name: after[name] for name in after.keys() - {"properties", "systemData"}} == {
        name: before[name] for name in before.keys() - {"properties", "systemData"}
    }


def test_a_null_takes_away_and_an_empty_text_stays_a_text(owner: Caller, place: Place) -> None:
    path = place.workspace(description="d", friendlyName="f")
    after = changed(owner, path, {"properties": {"description": None, "friendlyName": ""}})
    assert "description" not in after["properties"]
    assert after["properties"]["friendlyName"] == ""


def test_tags_are_replaced_as_a_whole(owner: Caller, place: Place) -> None:
    path = place.workspace()
    assert changed(owner, path, {"tags": {"a": "1", "B": "2"}})["tags"] == {"a": "1", "B": "2"}
    assert changed(owner, path, {"properties": {"description": "d"}})["tags"] == {"a": "1", "B": "2"}
    assert changed(owner, path, {"tags": {"c": ""}})["tags"] == {"c": ""}
    assert changed(owner, path, {"tags": {}})["tags"] == {}


@pytest.mark.parametrize("body", [{}, {"properties": {}}])
def test_a_patch_that_names_nothing_changes_nothing(owner: Caller, place: Place, body: Any) -> None:
    path = place.workspace(description="d")
    before = owner.get(path).json()
    after = changed(owner, path, body)
    assert {**after, "systemData": None} == {**before, "systemData": None}


def test_the_members_that_azure_documents_can_be_patched(owner: Caller, place: Place) -> None:
    path = place.workspace()
    wanted = {
        "description": "d",
        "friendlyName": "f",
        "imageBuildCompute": "c",
        "serviceManagedResourcesSettings": {"cosmosDb": {"collectionsThroughput": 400}},
        "serverlessComputeSettings": {"serverlessComputeNoPublicIP": True},
        "publicNetworkAccess": "Disabled",
        "applicationInsights": place.component(),
        "containerRegistry": place.registry(),
        "primaryUserAssignedIdentity": f"{place.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/u",
    }
    body = {
        "properties": wanted,
        "sku": {"name": "Enterprise", "tier": "Premium"},
        "identity": {"type": "SystemAssigned"},
    }
    after = changed(owner, path, body)
    assert {name: after["properties"][name] for name in wanted} == wanted
    assert after["sku"] == {"name": "Enterprise", "tier": "Premium"}
    assert after["identity"]["type"] == "SystemAssigned"


def test_a_member_that_only_a_put_can_set_is_passed_over_by_a_patch(owner: Caller, place: Place) -> None:
    path = place.workspace()
    body = {"kind": "Hub", "properties": {"hbiWorkspace": True, "v1LegacyMode": True}}
    after = changed(owner, path, body)
    assert (after["kind"], after["properties"]["hbiWorkspace"]) == ("Default", False)
    assert after["properties"]["v1LegacyMode"] is False


def test_a_neighbour_that_is_not_there_is_no_neighbour_of_a_patch(owner: Caller, place: Place) -> None:
    path = place.workspace()
    before = owner.get(path).json()
    answer = owner.patch(path, {"properties": {"containerRegistry": f"{place.registry()}x"}})
    [detail] = answer.json()["error"]["details"]
    assert (answer.status_code, detail["code"]) == (400, "LinkedResourceNotFound")
    assert owner.get(path).json() == before


def test_a_workspace_that_is_not_there_is_not_patched(owner: Caller, place: Place) -> None:
    group = place.group.rpartition("/")[2]
    said = (
        f"The Resource 'Microsoft.MachineLearningServices/workspaces/nothing' under resource group '{group}' was not "
        "found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    answer = owner.patch(f"{place.workspaces}/nothing", {"tags": {}})
    assert refusal(answer) == (404, "ResourceNotFound", said)
    assert answer.headers["x-ms-failure-cause"] == "gateway"


# ── PUT ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_put_replaces_what_the_caller_may_set_and_keeps_what_the_server_set(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links, description="d", publicNetworkAccess="Disabled")
    owner.patch(path, {"tags": {"a": "b"}})
    owner.post(f"{path}/prepareNotebook")
    before = owner.get(path).json()["properties"]
    answer = owner.put(path, described(links))
    assert answer.status_code == 200
    after = answer.json()["properties"]
    assert "description" not in after
    assert (after["publicNetworkAccess"], answer.json()["tags"]) == ("Enabled", {})
    for name in ("workspaceId", "creationTime", "notebookInfo", "tenantId"):
        assert after[name] == before[name]


def test_what_a_version_does_not_know_is_not_lost_when_it_writes(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links, version="2024-10-01", systemDatastoresAuthMode="identity", ipAllowlist=["10.0.0.1"])
    assert owner.put(path, described(links)).status_code == 200
    owner.patch(path, {"properties": {"description": "d"}})
    shown = owner.get(path).json()["properties"]
    assert {"systemDatastoresAuthMode", "ipAllowlist"}.isdisjoint(shown)
    shown = owner.get(path, version="2024-10-01").json()["properties"]
    assert (shown["systemDatastoresAuthMode"], shown["ipAllowlist"]) == ("identity", ["10.0.0.1"])


# ── what cannot be changed ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("name", ["storageAccount", "keyVault"])
def test_the_account_and_the_vault_cannot_be_exchanged(owner: Caller, place: Place, method: str, name: str) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    before = owner.get(path).json()
    other = {**links, name: place.account() if name == "storageAccount" else place.vault()}
    answer = owner.call(method, path, described(other))
    assert refusal(answer)[:2] == (400, "ValidationError")
    [detail] = answer.json()["error"]["details"]
    assert (detail["code"], detail["target"]) == ("PropertyChange", f"properties.{name}")
    assert owner.get(path).json() == before


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("how", ["in another case", "null", "left out", "empty"])
def test_the_same_account_may_be_named_again_or_not_at_all(owner: Caller, place: Place, method: str, how: str) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    given: dict[str, Any] = {"in another case": links["storageAccount"].upper(), "null": None, "empty": ""}
    body: dict[str, Any] = {**links, "storageAccount": given.get(how)}
    if how == "left out":
        del body["storageAccount"]
    answer = owner.call(method, path, described(body))
    assert answer.status_code == 200, answer.text
    assert owner.get(path).json()["properties"]["storageAccount"].lower() == links["storageAccount"].lower()


def test_encryption_is_chosen_when_it_is_made(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    keys = {"keyVaultArmId": links["keyVault"], "keyIdentifier": "https://v.vault.azure.net/keys/k/1"}
    encryption = {"status": "Enabled", "keyVaultProperties": keys}
    with_it = place.workspace(links, encryption=encryption)
    assert owner.get(with_it).json()["properties"]["encryption"] == encryption
    other = {**encryption, "status": "Disabled"}
    answer = owner.put(with_it, described(links, encryption=other))
    assert refusal(answer)[:2] == (400, "ValidationError")
    assert "encryption" not in changed(owner, path, {"properties": {"encryption": encryption}})["properties"]


@pytest.mark.parametrize(
    "version", ["2020-08-01", "2021-01-01", "2021-07-01", "2022-05-01", "2023-10-01", "2026-09-01"]
)
def test_every_version_reads_and_writes_the_same_workspace(owner: Caller, place: Place, version: str) -> None:
    path = place.workspace()
    assert changed(owner, path, {"properties": {"description": version}}, version=version)["id"] == path
    assert owner.get(path).json()["properties"]["description"] == version
