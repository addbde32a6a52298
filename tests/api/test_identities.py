"""Managed identities of resources: they are principals, hold roles, and vanish with what they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from linarite.store import tables
from tests.api.on_disk import looked
from tests.api.people import Person, give, hire
from tests.api.place import ARM, REGISTRY, described, fresh, refusal

if TYPE_CHECKING:
    from tests.api.place import Place
    from tests.server import Caller, Server

IDENTITY = "2023-01-31"


def user_assigned(owner: Caller, place: Place) -> Any:
    """A user-assigned identity as the API shows it."""
    path = f"{place.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{fresh('i')}"
    answer = owner.put(path, {"location": "eastus", "tags": {"a": "b"}}, version=IDENTITY)
    assert answer.status_code == 201, answer.text
    return answer.json()


def principals(server: Server, *object_ids: str) -> dict[str, tuple[str, str | None]]:
    """What the directory has of them: their kind and the resource that they belong to."""
    table = tables.principals
    query = select(table).where(table.c.object_id.in_(object_ids))
    rows = looked(server, lambda connection: connection.execute(query).all())
    return {row.object_id: (row.kind, row.resource) for row in rows}


def with_identity(place: Place, identity: Any, path: str = "") -> tuple[str, Any]:
    """A workspace with an identity: its path, and the identity as it is shown."""
    path = path or f"{place.workspaces}/{fresh('w')}"
    answer = place.owner.put(path, {**described(place.neighbours()), "identity": identity})
    assert answer.status_code == 200, answer.text
    return path, answer.json()["identity"]


def test_a_user_assigned_identity_is_a_principal_and_goes_when_it_goes(
    server: Server, owner: Caller, place: Place
) -> None:
    made = user_assigned(owner, place)
    properties = made["properties"]
    assert properties.keys() == {"tenantId", "principalId", "clientId"}
    assert owner.put(made["id"], {"location": "eastus"}, version=IDENTITY).json()["properties"] == properties
    assert principals(server, properties["principalId"]) == {
        properties["principalId"]: ("ManagedIdentity", made["id"].lower())
    }
    assert owner.delete(made["id"], version=IDENTITY).status_code == 200
    assert principals(server, properties["principalId"]) == {}


def test_a_workspaces_own_identity_is_a_principal_until_the_workspace_is_deleted(
    server: Server, owner: Caller, place: Place
) -> None:
    path, shown = with_identity(place, {"type": "SystemAssigned"})
    assert shown.keys() == {"type", "principalId", "tenantId"}
    assert principals(server, shown["principalId"]) == {shown["principalId"]: ("ManagedIdentity", path.lower())}
    assert owner.delete(path).status_code == 200  # softly
    assert principals(server, shown["principalId"]) == {}


def test_an_identity_that_is_taken_away_is_forgotten_and_the_next_one_is_another(
    server: Server, owner: Caller, place: Place
) -> None:
    links = place.neighbours()
    path = f"{place.workspaces}/{fresh('w')}"
    seen = []
    for type_ in ("SystemAssigned", "None", "SystemAssigned"):
        body = {**described(links), "identity": {"type": type_}}
        seen.append(owner.put(path, body).json()["identity"].get("principalId"))
    first, none, last = seen
    assert none is None
    assert first != last
    assert principals(server, first, last).keys() == {last}


def test_identities_go_with_the_group(server: Server, owner: Caller, place: Place) -> None:
    ids = [user_assigned(owner, place)["properties"]["principalId"]]
    ids.append(with_identity(place, {"type": "SystemAssigned"})[1]["principalId"])
    assert len(principals(server, *ids)) == 2
    owner.settled(owner.delete(place.group, version=ARM))
    assert principals(server, *ids) == {}


def test_a_registry_has_one_too(server: Server, owner: Caller, place: Place) -> None:
    path = f"{place.group}/providers/Microsoft.ContainerRegistry/registries/{fresh('r')}"
    body = {"location": "eastus", "sku": {"name": "Basic"}, "identity": {"type": "SystemAssigned"}}
    shown = owner.put(path, body, version=REGISTRY).json()["identity"]
    assert principals(server, shown["principalId"]) == {shown["principalId"]: ("ManagedIdentity", path.lower())}


def test_a_workspace_shows_the_ids_of_the_identities_that_it_names(owner: Caller, place: Place) -> None:
    made = user_assigned(owner, place)
    named = {"type": "SystemAssigned,UserAssigned", "userAssignedIdentities": {made["id"].upper(): {}}}
    _, shown = with_identity(place, named)
    ids = {name: made["properties"][name] for name in ("principalId", "clientId")}
    assert shown["userAssignedIdentities"] == {made["id"].upper(): ids}
    assert shown["principalId"] != ids["principalId"]


def test_an_identity_that_is_not_there_is_refused_in_azures_words(owner: Caller, place: Place) -> None:
    path = f"{place.workspaces}/{fresh('w')}"
    missing = f"{place.group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/none"
    for named in (missing, place.account(), "nonsense"):
        body = {"type": "UserAssigned", "userAssignedIdentities": {named: {}}}
        answer = owner.put(path, {**described(place.neighbours()), "identity": body})
        status, code, message = refusal(answer)
        assert (status, code) == (400, "FailedIdentityOperation")
        assert f"'{named}' was not found" in message
    assert owner.get(path).status_code == 404


def test_nobody_assigns_an_identity_that_they_may_not_assign(server: Server, owner: Caller, place: Place) -> None:
    made = user_assigned(owner, place)
    links = place.neighbours()
    person = hire(server)
    give(owner, place.workspaces.partition("/providers/")[0], "Contributor", person)
    elsewhere = user_assigned(owner, type(place)(owner, server.group))
    path = f"{place.workspaces}/{fresh('w')}"

    def asked(identity: str) -> Any:
        body = {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
        return person.caller.put(path, {**described(links), "identity": body})

    assert refusal(asked(elsewhere["id"]))[:2] == (403, "LinkedAuthorizationFailed")
    assert asked(made["id"]).status_code == 200
    # What was assigned by somebody who may stays; another identity under its name is another one.
    both = {"type": "UserAssigned", "userAssignedIdentities": {made["id"]: {}, elsewhere["id"]: {}}}
    body = {**described(links), "identity": both}
    assert owner.put(path, body).status_code == 200
    assert person.caller.put(path, body).status_code == 200
    owner.delete(elsewhere["id"], version=IDENTITY)
    owner.put(elsewhere["id"], {"location": "eastus"}, version=IDENTITY)
    assert refusal(person.caller.put(path, body))[:2] == (403, "LinkedAuthorizationFailed")


def test_an_identity_can_hold_a_role(owner: Caller, place: Place) -> None:
    made = user_assigned(owner, place)
    person = Person(made["properties"]["clientId"], made["properties"]["principalId"], owner)
    give(owner, place.group, "Reader", person)


def test_a_patch_adds_the_identities_that_it_names_and_takes_away_those_that_it_gives_as_null(
    owner: Caller, place: Place
) -> None:
    first, second = (user_assigned(owner, place)["id"] for _ in range(2))
    path, links = f"{place.workspaces}/{fresh('w')}", place.neighbours()

    def changed(method: str, **identities: Any) -> set[str]:
        identity = {"type": "UserAssigned", "userAssignedIdentities": identities}
        body = {**(described(links) if method == "PUT" else {}), "identity": identity}
        answer = owner.call(method, path, body)
        assert answer.status_code == 200, answer.text
        return set(owner.get(path).json()["identity"]["userAssignedIdentities"])

    assert changed("PUT", **{first: {}}) == {first}
    assert changed("PATCH", **{second: {}}) == {first, second}
    assert changed("PATCH", **{first.upper(): None}) == {second}
    assert changed("PUT", **{first: {}}) == {first}
