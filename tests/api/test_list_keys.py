"""listKeys: five members, always all five, in the documented order; copies that stay stale until they are resynced."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from linarite.kinds.workspaces.declared import VERSIONS
from linarite.regions import REGIONS
from tests.api.place import REGISTRY, STORAGE, refusal

if TYPE_CHECKING:
    from tests.api.place import Place
    from tests.server import Caller, Server

MEMBERS = [
    "userStorageKey",
    "userStorageResourceId",
    "appInsightsInstrumentationKey",
    "containerRegistryCredentials",
    "notebookAccessKeys",
]
ARM_ID_VERSIONS = {"2025-06-01", "2025-12-01", "2026-03-01", "2026-05-01", "2026-07-01", "2026-09-01"}


def keys(owner: Caller, path: str, **more: Any) -> Any:
    answer = owner.post(f"{path}/listKeys", **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


# ── the shape ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_sample_answers_the_pages_shape_with_no_value_null(server: Server, owner: Caller) -> None:
    found = keys(owner, server.workspace)
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
    assert answer.headers["x-ms-response-type"] == "standard"


def test_the_values_are_those_of_the_neighbours(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    found = keys(owner, place.workspace(links))
    account = owner.post(f"{links['storageAccount']}/listKeys", version=STORAGE).json()["keys"]
    registry = owner.post(f"{links['containerRegistry']}/listCredentials", version=REGISTRY).json()
    component = owner.get(links["applicationInsights"], version="2020-02-02").json()["properties"]
    assert found["userStorageKey"] == next(one["value"] for one in account if one["keyName"] == "key1")
    assert found["userStorageResourceId"] == links["storageAccount"]
    assert found["appInsightsInstrumentationKey"] == component["InstrumentationKey"]
    assert found["containerRegistryCredentials"] == {"location": "eastus", **registry}


# ── the versions ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_known_version_is_served_and_calls_the_storage_id_as_it_documents(server: Server, owner: Caller) -> None:
    for version in VERSIONS.listed:
        found = keys(owner, server.workspace, version=version)
        preview = version.endswith("-preview")
        arm_id = version >= "2023-06-01-preview" if preview else version in ARM_ID_VERSIONS
        names = {"userStorageResourceId": "userStorageArmId"} if arm_id else {}
        assert list(found) == [names.get(member, member) for member in MEMBERS], version


def test_a_version_is_known_in_any_case(server: Server, owner: Caller) -> None:
    assert "userStorageArmId" in keys(owner, server.workspace, version="2024-10-01-PREVIEW")


@pytest.mark.parametrize("version", ["2023-10-02", "2018-03-01", "2023-10-01-preview", "2999-01-01"])
def test_a_version_that_never_was_is_refused_with_those_that_are(server: Server, owner: Caller, version: str) -> None:
    said = (
        f"No registered resource provider found for location 'eastus' and API version '{version}' for type "
        f"'workspaces'. The supported api-versions are '{', '.join(VERSIONS.listed[::-1])}'. The supported locations "
        f"are '{', '.join(REGIONS)}'."
    )
    answer = owner.post(f"{server.workspace}/listKeys", version=version)
    assert refusal(answer) == (400, "NoRegisteredProviderFound", said)


# ── the request ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["listkeys", "LISTKEYS", "/listKeys"])
def test_the_action_is_found_in_any_case_and_behind_a_doubled_slash(server: Server, owner: Caller, path: str) -> None:
    assert owner.post(f"{server.workspace}/{path}").json() == keys(owner, server.workspace)


def test_the_whole_path_is_found_in_any_case_and_with_every_slash_doubled(server: Server, owner: Caller) -> None:
    right = keys(owner, server.workspace)
    assert keys(owner, server.workspace.upper()) == right
    assert keys(owner, server.workspace.lower()) == right
    assert keys(owner, server.origin + server.workspace.replace("/", "//")) == right


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD"])
def test_only_a_post_lists_keys(server: Server, owner: Caller, method: str) -> None:
    answer = owner.call(method, f"{server.workspace}/listKeys")
    assert answer.status_code == 405
    if method != "HEAD":
        assert answer.json()["error"] == {
            "code": "HttpMethodNotAllowed",
            "message": f"The requested resource does not support http method '{method}'.",
        }


@pytest.mark.parametrize("body", [b"", b"{}", b"{not json", b"\xff\xfe", b'{"a": 1, "a": 2}', b" " * 100_000])
@pytest.mark.parametrize("media_type", ["application/json", "text/x"])
def test_a_body_is_ignored_whatever_it_is(server: Server, owner: Caller, body: bytes, media_type: str) -> None:
    answer = owner.call("POST", f"{server.workspace}/listKeys", content=body, headers={"content-type": media_type})
    assert answer.json() == keys(owner, server.workspace)


def test_the_request_of_the_page_itself_is_answered(server: Server, owner: Caller) -> None:
    """As it stands there, with only the host replaced."""
    path = (
        "/subscriptions/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/resourceGroups/testrg123/providers/"
        "Microsoft.MachineLearningServices/workspaces/workspaces123/listKeys?api-version=2023-10-01"
    )
    assert owner.http.post(path).json() == keys(owner, server.workspace)


# ── the copies ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_keys_stay_stale_until_they_are_resynced(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
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


def test_the_second_key_of_the_account_is_none_of_the_workspaces(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    before = keys(owner, path)
    owner.post(f"{links['storageAccount']}/regenerateKey", {"keyName": "key2"}, version=STORAGE)
    owner.post(f"{path}/resyncKeys")
    assert keys(owner, path) == before


def test_a_neighbour_that_is_exchanged_brings_its_keys_and_leaves_the_other_copies_stale(
    owner: Caller, place: Place
) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    before = keys(owner, path)
    owner.post(f"{links['storageAccount']}/regenerateKey", {"keyName": "key1"}, version=STORAGE)
    other = place.registry()
    assert owner.patch(path, {"properties": {"containerRegistry": other}}).status_code == 200
    after = keys(owner, path)
    passwords = owner.post(f"{other}/listCredentials", version=REGISTRY).json()["passwords"]
    assert after["containerRegistryCredentials"]["passwords"] == passwords
    assert after["userStorageKey"] == before["userStorageKey"]


def test_list_storage_account_keys_answers_the_same_copy(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    copy = keys(owner, path)["userStorageKey"]
    owner.post(f"{links['storageAccount']}/regenerateKey", {"keyName": "key1"}, version=STORAGE)
    assert owner.post(f"{path}/listStorageAccountKeys").json() == {"userStorageKey": copy}
