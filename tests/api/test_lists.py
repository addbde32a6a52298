"""Lists: in pages by absolute links, in the order of ids, and filtered to what the caller may read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.api.people import give, hire
from tests.api.place import ARM, STORAGE, Place, new_group, refusal

if TYPE_CHECKING:
    from tests.server import Caller, Server


def ids(caller: Caller, path: str, **more: Any) -> list[str]:
    """Ids of everything in a list, page after page."""
    answer = caller.get(path, **more)
    found: list[str] = []
    while True:
        assert answer.status_code == 200, answer.text
        found += [one["id"] for one in answer.json()["value"]]
        if (link := answer.json().get("nextLink")) is None:
            return found
        answer = caller.http.get(link)


@pytest.fixture
def everywhere(server: Server) -> str:
    """Path of the list of all workspaces of the subscription."""
    return f"{server.subscription}/providers/Microsoft.MachineLearningServices/workspaces"


# ── what is in them ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_workspaces_are_listed_by_group_and_by_subscription(
    server: Server, owner: Caller, place: Place, everywhere: str
) -> None:
    links = place.neighbours()
    made = sorted(place.workspace(links) for _ in range(3))
    assert ids(owner, place.workspaces) == made
    found = ids(owner, everywhere)
    assert {*made, server.workspace} <= set(found)
    assert found == sorted(found, key=str.lower)


def test_an_item_of_a_list_is_what_a_get_answers(owner: Caller, place: Place) -> None:
    path = place.workspace()
    [item] = owner.get(place.workspaces).json()["value"]
    assert item == owner.get(path).json()


def test_an_empty_list_is_an_empty_array_and_has_no_link(owner: Caller, place: Place) -> None:
    assert owner.get(place.workspaces).json() == {"value": []}


def test_a_list_shows_each_at_the_version_that_was_asked_for(owner: Caller, place: Place) -> None:
    place.workspace(version="2024-10-01", systemDatastoresAuthMode="identity")
    [old], [new] = (owner.get(place.workspaces, version=one).json()["value"] for one in ("2023-10-01", "2024-10-01"))
    assert "systemDatastoresAuthMode" not in old["properties"]
    assert new["properties"]["systemDatastoresAuthMode"] == "identity"


def test_a_group_that_is_not_there_has_no_list(server: Server, owner: Caller) -> None:
    path = f"{server.subscription}/resourceGroups/nowhere/providers/Microsoft.MachineLearningServices/workspaces"
    assert refusal(owner.get(path)) == (404, "ResourceGroupNotFound", "Resource group 'nowhere' could not be found.")


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("top", [1, 2, 3, 5, 6])
def test_pages_hold_everything_once_and_no_more_than_was_asked_for(owner: Caller, place: Place, top: int) -> None:
    links = place.neighbours()
    made = sorted(place.workspace(links) for _ in range(5))
    assert ids(owner, place.workspaces, params={"$top": top}) == made
    first = owner.get(place.workspaces, params={"$top": top}).json()
    assert [one["id"] for one in first["value"]] == made[:top]
    assert ("nextLink" in first) == (top < 5)


def test_the_link_is_absolute_keeps_the_query_and_names_the_place_by_the_lists_own_parameter(
    server: Server, owner: Caller, place: Place
) -> None:
    links = place.neighbours()
    for _ in range(2):
        place.workspace(links)
    link = owner.get(place.workspaces, params={"$top": 1}).json()["nextLink"]
    assert link.startswith(f"{server.origin}{place.workspaces}?")
    query = parse_qs(urlsplit(link).query)
    assert set(query) == {"api-version", "$top", "$skip"}
    assert (query["api-version"], query["$top"]) == (["2023-10-01"], ["1"])
    accounts = f"{place.group}/providers/Microsoft.Storage/storageAccounts"
    place.account()
    link = owner.get(accounts, version=STORAGE, params={"$top": 1}).json()["nextLink"]
    assert "$skiptoken" in parse_qs(urlsplit(link).query)


def test_the_link_leads_to_where_the_client_came_from(server: Server, owner: Caller, place: Place) -> None:
    links = place.neighbours()
    for _ in range(2):
        place.workspace(links)
    other = server.origin.replace("localhost", "127.0.0.1")
    link = owner.get(f"{other}{place.workspaces}", params={"$top": 1}).json()["nextLink"]
    assert link.startswith(f"{other}/")
    assert len(owner.http.get(link).json()["value"]) == 1


def test_what_is_made_or_deleted_between_two_pages_moves_nothing_else(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    made = sorted(place.workspace(links) for _ in range(4))
    first = owner.get(place.workspaces, params={"$top": 2}).json()
    owner.delete(made[0])
    second = owner.http.get(first["nextLink"]).json()
    assert [one["id"] for one in second["value"]] == made[2:]


# ── resources of every type ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_group_lists_its_resources_of_every_type(owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    assert set(ids(owner, f"{place.group}/resources", version=ARM)) == {*links.values(), path}
    listed = owner.get(f"{place.group}/resources", version=ARM).json()["value"]
    [shown] = [one for one in listed if one["id"] == path]
    whole = owner.get(path).json()
    assert shown == {name: whole[name] for name in shown}
    assert "properties" not in shown


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("resourceType eq 'Microsoft.Storage/storageAccounts'", {"storageAccount"}),
        ("resourceType eq 'microsoft.storage/STORAGEACCOUNTS'", {"storageAccount"}),
        ("name eq '{name}'", {"storageAccount"}),
        ("name eq '{name}' and resourceType eq 'Microsoft.KeyVault/vaults'", set()),
        ("location eq 'eastus'", {"storageAccount", "keyVault", "applicationInsights", "containerRegistry"}),
        ("location eq 'westus'", set()),
        ("name eq 'it''s and that'", set()),
    ],
)
@pytest.mark.parametrize("scope", ["group", "subscription"])
def test_a_filter_leaves_what_it_names(  # noqa: PLR0917 - fixtures
    server: Server, owner: Caller, place: Place, condition: str, found: set[str], scope: str
) -> None:
    links = place.neighbours()
    text = condition.format(name=links["storageAccount"].rpartition("/")[2])
    if scope == "subscription":
        text = f"{text} and resourceGroup eq '{place.group.rpartition('/')[2]}'"
    path = f"{place.group if scope == 'group' else server.subscription}/resources"
    assert set(ids(owner, path, version=ARM, params={"$filter": text})) == {links[name] for name in found}


def test_a_filtered_list_comes_in_pages_too(server: Server, owner: Caller, place: Place) -> None:
    made = {place.account() for _ in range(5)}
    group = place.group.rpartition("/")[2]
    text = f"resourceGroup eq '{group}' and resourceType eq 'Microsoft.Storage/storageAccounts'"
    found = ids(owner, f"{server.subscription}/resources", version=ARM, params={"$filter": text, "$top": 2})
    assert (len(found), set(found)) == (5, made)


@pytest.mark.parametrize(
    "text",
    [
        "name",
        "name eq",
        "name eq x",
        "name ne 'x'",
        "name eq 'x' or name eq 'y'",
        "name eq 'x",
        "1 eq 1",
        "kind eq 'x'",
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(server: Server, owner: Caller, text: str) -> None:
    answer = owner.get(f"{server.subscription}/resources", version=ARM, params={"$filter": text})
    assert refusal(answer)[:2] == (400, "InvalidFilterInQueryString")


# ── for whom ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_whoever_may_read_one_group_sees_its_part_of_the_subscription(
    server: Server, owner: Caller, place: Place, everywhere: str
) -> None:
    path = place.workspace()
    Place(owner, new_group(server, owner)).workspace()
    reader = hire(server)
    give(owner, place.group, "Reader", reader)
    assert ids(reader.caller, everywhere) == [path]
    assert ids(reader.caller, f"{server.subscription}/resourceGroups", version=ARM) == [place.group]
    everything = ids(reader.caller, f"{server.subscription}/resources", version=ARM)
    assert path in everything
    assert all(one.startswith(f"{place.group}/") for one in everything)


def test_whoever_may_read_one_workspace_sees_that_one(server: Server, owner: Caller, place: Place) -> None:
    links = place.neighbours()
    one, _ = (place.workspace(links) for _ in range(2))
    reader = hire(server)
    give(owner, one, "Reader", reader)
    assert ids(reader.caller, place.workspaces) == [one]
    assert ids(reader.caller, f"{place.group}/resources", version=ARM) == [one]


def test_pages_are_filtered_too_and_lead_to_the_end(server: Server, owner: Caller, place: Place) -> None:
    links = place.neighbours()
    made = sorted(place.workspace(links) for _ in range(4))
    reader = hire(server)
    give(owner, made[3], "Reader", reader)
    assert ids(reader.caller, place.workspaces, params={"$top": 1}) == [made[3]]


def test_whoever_has_no_role_is_refused_a_list(server: Server, place: Place) -> None:
    somebody = hire(server)
    action = "Microsoft.MachineLearningServices/workspaces/read"
    said = somebody.refused(action, place.group)
    assert refusal(somebody.caller.get(place.workspaces)) == (403, "AuthorizationFailed", said)


def test_whoever_has_no_role_sees_that_there_is_no_subscription(server: Server) -> None:
    assert ids(hire(server).caller, "/subscriptions", version="2022-12-01") == []
