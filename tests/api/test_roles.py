"""Roles: what each of Azure's lets do with a workspace and its account, where it counts, and from when on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.api.people import AUTHORIZATION, ROLES, Person, ask_to_give, give, hire
from tests.api.place import ARM, STORAGE, Place, new_group, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.server import Caller, Server

MLS = "Microsoft.MachineLearningServices/workspaces"
ACCOUNTS = "Microsoft.Storage/storageAccounts"

DEEDS: dict[str, tuple[str, Callable[[Caller, str, str], httpx.Response]]] = {
    "read": (f"{MLS}/read", lambda caller, path, _: caller.get(path)),
    "write": (f"{MLS}/write", lambda caller, path, _: caller.patch(path, {"tags": {}})),
    "delete": (f"{MLS}/delete", lambda caller, path, _: caller.delete(path)),
    "listKeys": (f"{MLS}/listKeys/action", lambda caller, path, _: caller.post(f"{path}/listKeys")),
    "listStorageAccountKeys": (
        f"{MLS}/listStorageAccountKeys/action",
        lambda caller, path, _: caller.post(f"{path}/listStorageAccountKeys"),
    ),
    "resyncKeys": (f"{MLS}/resynckeys/action", lambda caller, path, _: caller.post(f"{path}/resyncKeys")),
    "prepareNotebook": (
        f"{MLS}/prepareNotebook/action",
        lambda caller, path, _: caller.post(f"{path}/prepareNotebook"),
    ),
    "listNotebookKeys": (
        f"{MLS}/listNotebookKeys/read",
        lambda caller, path, _: caller.post(f"{path}/listNotebookKeys"),
    ),
    "listNotebookAccessToken": (
        f"{MLS}/listNotebookAccessToken/read",
        lambda caller, path, _: caller.post(f"{path}/listNotebookAccessToken"),
    ),
    "diagnose": (f"{MLS}/diagnose/read", lambda caller, path, _: caller.post(f"{path}/diagnose", {})),
    "outbound": (
        f"{MLS}/outboundNetworkDependenciesEndpoints/read",
        lambda caller, path, _: caller.get(f"{path}/outboundNetworkDependenciesEndpoints"),
    ),
    "account read": (f"{ACCOUNTS}/read", lambda caller, _, account: caller.get(account, version=STORAGE)),
    "account listKeys": (
        f"{ACCOUNTS}/listKeys/action",
        lambda caller, _, account: caller.post(f"{account}/listKeys", version=STORAGE),
    ),
    "account regenerateKey": (
        f"{ACCOUNTS}/regenerateKey/action",
        lambda caller, _, account: caller.post(f"{account}/regenerateKey", {"keyName": "key2"}, version=STORAGE),
    ),
}
"""What somebody may try: Azure's name of it, and the request."""

LOOKING = {"read", "listNotebookKeys", "listNotebookAccessToken", "diagnose", "outbound"}
WORKING = {"listStorageAccountKeys", "resyncKeys", "prepareNotebook"}
ALL = set(DEEDS)

MAY: dict[str | None, set[str]] = {
    None: set(),
    "Owner": ALL,
    "Contributor": ALL,
    "Reader": LOOKING | {"account read"},
    "User Access Administrator": LOOKING | {"account read"},
    "AzureML Data Scientist": LOOKING | WORKING,
    "Azure AI Developer": LOOKING | WORKING,
    "Azure AI Administrator": {one for one in ALL if not one.startswith("account")},
    "AzureML Compute Operator": set(),
    "Storage Account Contributor": {"account read", "account listKeys", "account regenerateKey"},
    "Storage Account Key Operator Service Role": {"account listKeys", "account regenerateKey"},
    "Reader and Data Access": {"account read", "account listKeys"},
}
"""After the permissions of Microsoft's pages on built-in roles; nobody's first."""

UNSETTLED = {("AzureML Data Scientist", "read"), ("Azure AI Developer", "read")}
"""Whether `workspaces/*/read` covers `workspaces/read` is not documented, so nothing is asserted of it."""


def tried(person: Person, path: str, account: str) -> dict[str, httpx.Response]:
    """What comes of trying everything, the delete last."""
    order = sorted(DEEDS, key="delete".__eq__)
    return {name: DEEDS[name][1](person.caller, path, account) for name in order}


@pytest.mark.parametrize("role", MAY)
def test_each_role_lets_do_what_azures_does_and_nothing_else(
    server: Server, owner: Caller, place: Place, role: str | None
) -> None:
    links = place.neighbours()
    path, account = place.workspace(links), links["storageAccount"]
    person = hire(server)
    if role is not None:
        give(owner, place.group, role, person)
    answers = tried(person, path, account)
    settled = {name for name in ALL if (role, name) not in UNSETTLED}
    assert {name for name in settled if answers[name].status_code == 200} == MAY[role] & settled
    for name in settled - MAY[role]:
        scope = account if name.startswith("account") else path
        assert refusal(answers[name]) == (403, "AuthorizationFailed", person.refused(DEEDS[name][0], scope)), name
        assert answers[name].headers["x-ms-failure-cause"] == "gateway"


# ── where it counts ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scope", ["workspace", "group", "subscription"])
def test_a_role_counts_at_its_scope_and_below(server: Server, owner: Caller, place: Place, scope: str) -> None:
    path = place.workspace()
    person = hire(server)
    at = {"workspace": path, "group": place.group, "subscription": server.subscription}[scope]
    made = give(owner, at, "Reader", person)
    assert person.caller.get(path).status_code == 200
    assert person.caller.get(place.group, version=ARM).status_code == (403 if scope == "workspace" else 200)
    assert person.caller.get(server.workspace).status_code == (200 if scope == "subscription" else 403)
    owner.delete(made, version=AUTHORIZATION)


def test_a_role_counts_for_no_group_whose_name_only_begins_alike(server: Server, owner: Caller, place: Place) -> None:
    longer = f"{place.group}-2"
    owner.put(longer, {"location": "eastus"}, version=ARM)
    person = hire(server)
    give(owner, place.group, "Contributor", person)
    assert person.caller.get(place.group, version=ARM).status_code == 200
    assert refusal(person.caller.get(longer, version=ARM))[:2] == (403, "AuthorizationFailed")


def test_a_role_counts_in_whatever_case_its_scope_was_written(server: Server, owner: Caller, place: Place) -> None:
    path = place.workspace()
    person = hire(server)
    give(owner, place.group.upper().replace("/SUBSCRIPTIONS", "/subscriptions"), "Contributor", person)
    assert person.caller.post(f"{path}/listKeys").status_code == 200
    assert person.caller.post(f"{path.upper()}/LISTKEYS").status_code == 200


def test_two_roles_together_grant_what_either_does(server: Server, owner: Caller, place: Place) -> None:
    path = place.workspace()
    person = hire(server)
    give(owner, place.group, "AzureML Data Scientist", person)
    assert person.caller.post(f"{path}/listKeys").status_code == 403
    give(owner, path, "Azure AI Administrator", person)
    assert person.caller.post(f"{path}/listKeys").status_code == 200, "what one role withholds another may grant"


# ── from when on ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_role_counts_from_the_next_request_to_the_last_before_it_is_taken_away(
    server: Server, owner: Caller, place: Place
) -> None:
    path = place.workspace()
    person = hire(server)
    for _ in range(3):
        assert person.caller.post(f"{path}/listKeys").status_code == 403
        made = give(owner, place.group, "Contributor", person)
        assert person.caller.post(f"{path}/listKeys").status_code == 200
        assert person.caller.post(f"{path}/listKeys").status_code == 200, "remembered or not"
        assert owner.delete(made, version=AUTHORIZATION).status_code == 200


def test_a_role_at_a_workspace_goes_with_the_workspace(server: Server, owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = place.workspace(links)
    person = hire(server)
    made = give(owner, path, "Contributor", person)
    assert person.caller.post(f"{path}/listKeys").status_code == 200
    owner.delete(path, params={"forceToPurge": "true"})
    owner.put(path, {"location": "eastus", "properties": links})
    assert owner.get(made, version=AUTHORIZATION).status_code == 404
    assert person.caller.post(f"{path}/listKeys").status_code == 403


def test_whoever_may_do_nothing_learns_nothing(server: Server, place: Place) -> None:
    person = hire(server)
    here, nowhere = place.workspace(), f"{place.workspaces}/nothing"
    for path in (here, nowhere):
        said = person.refused(f"{MLS}/listKeys/action", path)
        assert refusal(person.caller.post(f"{path}/listKeys")) == (403, "AuthorizationFailed", said)


# ── who may give them ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("role", ["Contributor", "Reader", "Azure AI Administrator"])
def test_whoever_may_do_much_may_still_not_give_roles(server: Server, owner: Caller, place: Place, role: str) -> None:
    person = hire(server)
    give(owner, place.group, role, person)
    path, answer = ask_to_give(person.caller, place.group, "Owner", person)
    action = "Microsoft.Authorization/roleAssignments/write"
    assert refusal(answer) == (403, "AuthorizationFailed", person.refused(action, path))
    assert owner.get(path, version=AUTHORIZATION).status_code == 404


@pytest.mark.parametrize("role", ["Owner", "User Access Administrator"])
def test_whoever_may_give_roles_gives_them_at_their_scope_alone(
    server: Server, owner: Caller, place: Place, role: str
) -> None:
    giver, person = hire(server), hire(server)
    give(owner, place.group, role, giver)
    give(giver.caller, place.group, "Reader", person)
    assert person.caller.get(place.group, version=ARM).status_code == 200
    _, answer = ask_to_give(giver.caller, new_group(server, owner), "Reader", person)
    assert refusal(answer)[:2] == (403, "AuthorizationFailed")


def test_an_assignment_says_who_holds_what_where(server: Server, owner: Caller, place: Place) -> None:
    person = hire(server)
    made = give(owner, place.group, "Reader", person)
    shown: Any = owner.get(made, version=AUTHORIZATION).json()
    assert (shown["id"], shown["type"]) == (made, "Microsoft.Authorization/roleAssignments")
    properties = shown["properties"]
    assert (properties["principalId"], properties["scope"]) == (person.object_id, place.group)
    assert properties["roleDefinitionId"].endswith(ROLES["Reader"])
    assert owner.delete(made, version=AUTHORIZATION).json()["id"] == made
    assert owner.delete(made, version=AUTHORIZATION).status_code == 204


def test_a_role_that_azure_does_not_have_is_not_given(server: Server, owner: Caller, place: Place) -> None:
    person = hire(server)
    properties = {
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{person.object_id}",
        "principalId": person.object_id,
    }
    path = f"{place.group}/providers/Microsoft.Authorization/roleAssignments/{person.client_id}"
    answer = owner.put(path, {"properties": properties}, version=AUTHORIZATION)
    assert refusal(answer)[:2] == (400, "RoleDefinitionDoesNotExist")
