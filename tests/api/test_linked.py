"""A workspace hands out its neighbours' keys: nobody may attach one whose keys they may not have themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.people import Person, give, hire
from tests.api.place import Place, described, fresh, new_group, refusal

if TYPE_CHECKING:
    from tests.server import Caller, Server

NEEDS = {
    "storageAccount": "Microsoft.Storage/storageAccounts/listKeys/action",
    "containerRegistry": "Microsoft.ContainerRegistry/registries/listCredentials/action",
    "applicationInsights": "Microsoft.Insights/components/read",
    "keyVault": "Microsoft.KeyVault/vaults/read",
}
"""What somebody must be allowed to do with a neighbour before a workspace of theirs may have it."""


@pytest.fixture
def person(server: Server) -> Person:
    return hire(server)


@pytest.fixture
def theirs(owner: Caller, place: Place, person: Person) -> Place:
    """A group in which that person may do everything but give roles."""
    give(owner, place.group, "Contributor", person)
    return Place(person.caller, place.group)


@pytest.fixture
def elsewhere(server: Server, owner: Caller) -> Place:
    """A group in which they may do nothing."""
    return Place(owner, new_group(server, owner))


def said(person: Person, path: str, name: str, linked: str) -> str:
    return (
        f"The client '{person.client_id}' with object id '{person.object_id}' has permission to perform action "
        f"'Microsoft.MachineLearningServices/workspaces/write' on scope '{path}'; however, it does not have permission "
        f"to perform action(s) '{NEEDS[name]}' on the linked scope(s) '{linked}' (respectively) or the linked scope(s) "
        "are invalid."
    )


@pytest.mark.parametrize("name", NEEDS)
@pytest.mark.parametrize("there", [True, False])
def test_a_neighbour_whose_keys_they_may_not_have_is_refused_whether_it_is_there_or_not(
    person: Person, theirs: Place, elsewhere: Place, name: str, *, there: bool
) -> None:
    links = {**theirs.neighbours(), name: elsewhere.neighbours()[name] + ("" if there else "x")}
    path = f"{theirs.workspaces}/{fresh('w')}"
    answer = person.caller.put(path, described(links))
    assert refusal(answer) == (403, "LinkedAuthorizationFailed", said(person, path, name, links[name]))
    assert answer.headers["x-ms-failure-cause"] == "gateway"
    assert person.caller.get(path).status_code == 404


def test_a_contributor_of_one_group_cannot_reach_the_keys_of_another_through_a_workspace(
    owner: Caller, person: Person, theirs: Place, elsewhere: Place
) -> None:
    links = elsewhere.neighbours()
    give(owner, elsewhere.group, "Reader", person)
    path = f"{theirs.workspaces}/{fresh('w')}"
    answer = person.caller.put(path, described(links))
    linked = links["storageAccount"]
    assert refusal(answer) == (403, "LinkedAuthorizationFailed", said(person, path, "storageAccount", linked))
    assert owner.put(path, described(links)).status_code == 200


def test_a_patch_brings_no_neighbour_in_either(person: Person, theirs: Place, elsewhere: Place) -> None:
    path = theirs.workspace()
    registry = elsewhere.registry()
    answer = person.caller.patch(path, {"properties": {"containerRegistry": registry}})
    assert refusal(answer) == (403, "LinkedAuthorizationFailed", said(person, path, "containerRegistry", registry))
    assert person.caller.get(path).json()["properties"]["containerRegistry"] != registry


def test_whoever_may_have_the_keys_may_attach_their_owner(
    owner: Caller, person: Person, theirs: Place, elsewhere: Place
) -> None:
    account = elsewhere.account()
    give(owner, account, "Storage Account Key Operator Service Role", person)
    assert theirs.workspace({**theirs.neighbours(), "storageAccount": account})


def test_a_neighbour_that_was_attached_by_somebody_else_does_not_hinder_a_change(
    owner: Caller, person: Person, theirs: Place, elsewhere: Place
) -> None:
    links = elsewhere.neighbours()
    path = Place(owner, theirs.group).workspace(links)
    assert person.caller.patch(path, {"tags": {"a": "b"}}).status_code == 200
    assert person.caller.put(path, described(links, description="d")).status_code == 200
