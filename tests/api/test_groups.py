"""Resource groups: made, changed, asked for, listed, and deleted with all that is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.place import ARM, STORAGE, fresh, refusal

if TYPE_CHECKING:
    from tests.api.place import Place
    from tests.server import Caller, Server


@pytest.fixture
def group(server: Server) -> str:
    """Path of a group that is not there yet."""
    return f"{server.subscription}/resourceGroups/{fresh('rg-')}"


def test_a_group_is_made_with_201_and_made_again_with_200(owner: Caller, group: str) -> None:
    first = owner.put(group, {"location": "West Europe", "tags": {"a": "b"}}, version=ARM)
    assert first.status_code == 201
    assert first.json() == {
        "id": group,
        "name": group.rpartition("/")[2],
        "type": "Microsoft.Resources/resourceGroups",
        "location": "westeurope",
        "tags": {"a": "b"},
        "properties": {"provisioningState": "Succeeded"},
    }
    second = owner.put(group, {"location": "westeurope"}, version=ARM)
    assert (second.status_code, second.json().get("tags", {})) == (200, {})
    assert owner.get(group, version=ARM).json() == second.json()


def test_a_group_is_patched(owner: Caller, group: str) -> None:
    owner.put(group, {"location": "eastus", "tags": {"a": "b"}}, version=ARM)
    answer = owner.patch(group, {"tags": {"c": "d"}}, version=ARM)
    assert (answer.status_code, answer.json()["tags"]) == (200, {"c": "d"})
    assert owner.get(group, version=ARM).json() == answer.json()


def test_whether_a_group_is_there_is_answered_without_a_body(owner: Caller, group: str) -> None:
    assert owner.call("HEAD", group, version=ARM).status_code == 404
    owner.put(group, {"location": "eastus"}, version=ARM)
    assert owner.call("HEAD", group, version=ARM).status_code == 204
    assert owner.call("HEAD", group.upper(), version=ARM).status_code == 204


@pytest.mark.parametrize("version", ["2015-11-01", "2019-10-01", "2024-11-01", "2025-04-01"])
def test_a_group_is_served_at_every_version_that_tools_send(owner: Caller, group: str, version: str) -> None:
    assert owner.put(group, {"location": "eastus"}, version=version).status_code == 201
    assert owner.get(group, version=version).json()["id"] == group


@pytest.mark.parametrize("name", ["a", "A-b_c.d(e)", "x" * 90, "größe"])
def test_a_name_of_the_documented_pattern_is_taken(server: Server, owner: Caller, name: str) -> None:
    path = f"{server.subscription}/resourceGroups/{name}"
    assert owner.put(path, {"location": "eastus"}, version=ARM).json()["name"] == name
    assert owner.delete(path, version=ARM).status_code == 200


@pytest.mark.parametrize("name", ["a.", "x" * 91, "a b", "a*b", "a%25", "a@b"])
def test_any_other_name_is_refused(server: Server, owner: Caller, name: str) -> None:
    answer = owner.put(f"{server.subscription}/resourceGroups/{name}", {"location": "eastus"}, version=ARM)
    assert refusal(answer)[:2] == (400, "InvalidResourceName")


def test_a_group_needs_a_location_and_keeps_it(owner: Caller, group: str) -> None:
    assert refusal(owner.put(group, {}, version=ARM))[:2] == (400, "LocationRequired")
    assert refusal(owner.put(group, {"location": "atlantis"}, version=ARM))[1] == "LocationNotAvailableForResourceType"
    owner.put(group, {"location": "eastus"}, version=ARM)
    assert refusal(owner.put(group, {"location": "westus"}, version=ARM))[:2] == (409, "InvalidResourceLocation")
    assert owner.get(group, version=ARM).json()["location"] == "eastus"


def test_a_group_is_deleted_in_the_background_with_all_that_is_in_it(real_pace: Server) -> None:
    owner = real_pace.owner()
    group = f"{real_pace.subscription}/resourceGroups/{fresh('rg-')}"
    owner.put(group, {"location": "eastus"}, version=ARM)
    account = f"{group}/providers/Microsoft.Storage/storageAccounts/{fresh('s')}"
    owner.put(account, {"location": "eastus", "sku": {"name": "Standard_LRS"}}, version=STORAGE)
    answer = owner.delete(group, version=ARM)
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["location"].startswith(f"{real_pace.origin}/subscriptions/")
    final = owner.settled(answer)
    assert (final.status_code, final.content) == (200, b"")
    for path, version in ((group, ARM), (account, STORAGE)):
        assert refusal(owner.get(path, version=version))[:2] == (404, "ResourceGroupNotFound")


def test_a_group_that_is_not_there_is_not_deleted(owner: Caller, group: str) -> None:
    said = f"Resource group '{group.rpartition('/')[2]}' could not be found."
    assert refusal(owner.delete(group, version=ARM)) == (404, "ResourceGroupNotFound", said)
    assert refusal(owner.patch(group, {"tags": {}}, version=ARM)) == (404, "ResourceGroupNotFound", said)


def test_groups_are_listed_in_pages(server: Server, owner: Caller, place: Place) -> None:
    path = f"{server.subscription}/resourceGroups"
    whole = [one["id"] for one in owner.get(path, version=ARM).json()["value"]]
    assert {place.group, server.group} <= set(whole)
    answer = owner.get(path, version=ARM, params={"$top": 2})
    pages = [answer.json()]
    while "nextLink" in pages[-1]:
        pages.append(owner.http.get(pages[-1]["nextLink"]).json())
    assert [one["id"] for page in pages for one in page["value"]] == whole
    assert all(len(page["value"]) == 2 for page in pages[:-1])
