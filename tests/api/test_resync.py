"""resyncKeys: a long-running operation since 2021, done at once before, and whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.place import STORAGE, refusal
from tests.api.test_list_keys import keys

if TYPE_CHECKING:
    from tests.api.place import Place
    from tests.server import Caller, Server


@pytest.fixture(scope="module")
def server(real_pace: Server) -> Server:
    return real_pace


def rotated(owner: Caller, account: str) -> str:
    """Regenerate the account's first key; the new one."""
    answer = owner.post(f"{account}/regenerateKey", {"keyName": "key1"}, version=STORAGE)
    return str(answer.json()["keys"][0]["value"])


@pytest.mark.parametrize("version", ["2018-11-19", "2020-08-01", "2020-09-01-preview"])
def test_before_2021_it_is_done_with_its_answer(owner: Caller, place: Place, version: str) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    new = rotated(owner, links["storageAccount"])
    assert owner.post(f"{path}/resyncKeys", version=version).status_code == 200
    assert keys(owner, path)["userStorageKey"] == new


@pytest.mark.parametrize("version", ["2021-01-01", "2023-10-01", "2026-09-01"])
def test_since_2021_it_is_done_when_its_operation_has_ended(owner: Caller, place: Place, version: str) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    new = rotated(owner, links["storageAccount"])
    answer = owner.post(f"{path}/resyncKeys", version=version)
    assert (answer.status_code, answer.content) == (202, b"")
    final = owner.settled(answer)
    assert (final.status_code, final.json()["id"]) == (200, path), "the real service answers the workspace here"
    assert keys(owner, path)["userStorageKey"] == new


def test_a_body_is_ignored(owner: Caller, place: Place) -> None:
    path = place.workspace()
    answer = owner.call("POST", f"{path}/resyncKeys", content=b"{not json")
    assert owner.settled(answer).status_code == 200


def test_without_one_of_the_neighbours_it_fails_and_no_copy_changes(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    before = keys(owner, path)
    rotated(owner, links["storageAccount"])
    assert owner.delete(links["containerRegistry"], version="2023-07-01").status_code == 200
    answer = owner.post(f"{path}/resyncKeys")
    status, code, message = refusal(owner.settled(answer))
    assert (status, code) == (400, "UserError")
    assert links["containerRegistry"] in message
    ended = owner.http.get(answer.headers["azure-asyncoperation"]).json()
    assert (ended["status"], ended["error"]) == ("Failed", {"code": code, "message": message})
    after = keys(owner, path)
    assert (after["userStorageKey"], after["notebookAccessKeys"]) == (
        before["userStorageKey"],
        before["notebookAccessKeys"],
    )
    assert owner.get(path).json()["properties"]["provisioningState"] == "Succeeded"
