"""DELETE of a workspace: kept aside for a while with its name blocked, or gone for good where that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.place import ARM, described, refusal

if TYPE_CHECKING:
    import httpx

    from tests.api.place import Place
    from tests.server import Caller

BLOCKED = "Soft-deleted workspace exists. Please purge or recover it. https://aka.ms/wsoftdelete"
PURGE = {"forceToPurge": "true"}


def names(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {one["name"] for one in answer.json()["value"]}


def test_a_deleted_workspace_is_nowhere_any_more(owner: Caller, place: Place) -> None:
    path = place.workspace()
    name = path.rpartition("/")[2]
    assert name in names(owner.get(place.workspaces))
    answer = owner.delete(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert refusal(owner.get(path))[:2] == (404, "ResourceNotFound")
    assert owner.call("HEAD", path).status_code == 404
    assert refusal(owner.patch(path, {"tags": {}}))[:2] == (404, "ResourceNotFound")
    for action in ("listKeys", "resyncKeys", "prepareNotebook", "diagnose"):
        assert refusal(owner.post(f"{path}/{action}"))[:2] == (404, "ResourceNotFound")
    assert name not in names(owner.get(place.workspaces))
    assert name not in names(owner.get(f"{place.group}/resources", version=ARM))


def test_its_name_is_blocked_in_azures_words(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    owner.delete(path)
    answer = owner.put(path, described(links))
    assert refusal(answer) == (400, "BadRequest", BLOCKED)
    assert answer.headers["x-ms-response-type"] == "error"
    assert refusal(owner.put(path.upper(), described(links)))[1:] == ("BadRequest", BLOCKED)


@pytest.mark.parametrize("word", ["true", "True", "TRUE"])
def test_purged_it_is_gone_and_its_name_is_free(owner: Caller, place: Place, word: str) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    old = owner.get(path).json()["properties"]["workspaceId"]
    assert owner.delete(path, params={"forceToPurge": word}).status_code == 200
    answer = owner.put(path, described(links))
    assert answer.status_code == 200
    assert answer.json()["properties"]["workspaceId"] != old


def test_one_that_was_deleted_softly_can_be_purged_afterwards(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    owner.delete(path)
    assert owner.delete(path, params={"forceToPurge": "false"}).status_code == 204
    assert refusal(owner.put(path, described(links)))[2] == BLOCKED
    assert owner.delete(path, params=PURGE).status_code == 200
    assert owner.put(path, described(links)).status_code == 200


def test_what_was_purged_leaves_no_key_to_the_next_one_of_that_name(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    owner.post(f"{path}/prepareNotebook")
    owner.delete(path, params=PURGE)
    owner.put(path, described({name: links[name] for name in links if name != "containerRegistry"}))
    found = owner.post(f"{path}/listKeys").json()
    assert found["notebookAccessKeys"] == {"primaryAccessKey": None, "secondaryAccessKey": None}
    assert found["containerRegistryCredentials"] is None


@pytest.mark.parametrize("purge", [{}, PURGE])
def test_what_is_not_there_is_deleted_with_204(owner: Caller, place: Place, purge: dict[str, str]) -> None:
    answer = owner.delete(f"{place.workspaces}/nothing", params=purge)
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_list_of_workspaces_is_not_deleted(owner: Caller, place: Place) -> None:
    assert refusal(owner.delete(place.workspaces))[:2] == (405, "HttpMethodNotAllowed")


def test_the_neighbours_stay(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    owner.delete(place.workspace(links), params=PURGE)
    assert owner.get(links["storageAccount"], version="2023-01-01").status_code == 200
    assert owner.get(links["keyVault"], version="2023-07-01").status_code == 200


def test_the_group_takes_the_workspace_with_it_and_frees_its_name(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    assert owner.delete(place.group, version=ARM).status_code == 200
    assert refusal(owner.get(path))[:2] == (404, "ResourceGroupNotFound")
    assert owner.put(place.group, {"location": "eastus"}, version=ARM).status_code == 201
    assert names(owner.get(place.workspaces)) == set()
    assert owner.put(path, described(place.neighbours())).status_code == 200
