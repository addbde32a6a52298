"""Microsoft.Authorization: role definitions, role assignments and deny assignments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from linarite.errors import BadRequest, Conflict, Forbidden, NotFound
from linarite.first_start import OWNER_OBJECT, OWNER_USER_OBJECT
from linarite.roles import BUILT_IN
from tests.unit.kinds.house import GROUP, SUBSCRIPTION

if TYPE_CHECKING:
    from linarite.model import Answer
    from tests.unit.kinds.house import House

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
DEFINITIONS = "/providers/Microsoft.Authorization/roleDefinitions"
ASSIGNMENTS = "/providers/Microsoft.Authorization/roleAssignments"
OWNERS = {(OWNER_OBJECT, "/"), (OWNER_USER_OBJECT, "/")}
"""Who owns everything from the first start on."""


def wanted(role: str, who: str, **more: Any) -> dict[str, Any]:
    return {"properties": {"roleDefinitionId": f"{SUBSCRIPTION}{DEFINITIONS}/{role}", "principalId": who, **more}}


def give(house: House, scope: str, role: str, who: str, **more: Any) -> Answer:
    return house.put(f"{scope}{ASSIGNMENTS}/{uuid4()}", wanted(role, who, **more))


def holders(found: list[Any]) -> set[tuple[str, str]]:
    """Who is assigned something where."""
    return {(one["properties"]["principalId"], one["properties"]["scope"]) for one in found}


# ── definitions ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scope", ["", SUBSCRIPTION, GROUP])
def test_a_built_in_role_is_there_at_every_scope(house: House, scope: str) -> None:
    found = house.get(f"{scope}{DEFINITIONS}/{READER}", by=house.join())
    at = SUBSCRIPTION if scope else ""
    assert (found["id"], found["name"]) == (f"{at}{DEFINITIONS}/{READER}", READER)
    assert found["type"] == "Microsoft.Authorization/roleDefinitions"
    assert found["properties"] == {
        "roleName": "Reader",
        "type": "BuiltInRole",
        "description": "View all resources, but does not allow you to make any changes.",
        "assignableScopes": ["/"],
        "permissions": [{"actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": []}],
    }


def test_an_unknown_role_is_not_found(house: House) -> None:
    with pytest.raises(NotFound):
        house.get(f"{SUBSCRIPTION}{DEFINITIONS}/{uuid4()}")


@pytest.mark.parametrize("role", BUILT_IN, ids=lambda role: role.name)
def test_every_role_is_found_by_its_name_alone(house: House, role: Any) -> None:
    found = house.list(f"{SUBSCRIPTION}{DEFINITIONS}", query={"$filter": f"roleName eq '{role.name.lower()}'"})
    assert [one["name"] for one in found] == [role.id]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("type eq 'BuiltInRole'", len(BUILT_IN)),
        ("type eq 'CustomRole'", 0),
        ("atScopeAndBelow()", len(BUILT_IN)),
        ("roleName eq 'Reader' and type eq 'BuiltInRole'", 1),
        ("roleName eq 'Reader' and type eq 'CustomRole'", 0),
        ("roleName eq 'Reader''s friend'", 0),
        (" ", len(BUILT_IN)),
    ],
)
def test_roles_are_filtered(house: House, text: str, count: int) -> None:
    assert len(house.list(f"{SUBSCRIPTION}{DEFINITIONS}", query={"$filter": text})) == count


@pytest.mark.parametrize("text", ["roleName eq 'Rea'der'", "roleName ne 'Reader'", "colour eq 'blue'", "roleName"])
def test_a_filter_of_roles_that_cannot_be_read_is_refused(house: House, text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        house.list(f"{SUBSCRIPTION}{DEFINITIONS}", query={"$filter": text})
    assert caught.value.code == "UnsupportedQuery"


def test_nobody_is_denied_anything(house: House) -> None:
    assert house.list(f"{GROUP}/providers/Microsoft.Authorization/denyAssignments") == []


# ── assignments ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_assignment_says_who_made_it_and_where(house: House) -> None:
    who = house.join()
    answer = give(house, GROUP, READER, who, description="for the audit")
    assert answer.status == 201
    assert answer.body["properties"] == {
        "roleDefinitionId": f"{SUBSCRIPTION}{DEFINITIONS}/{READER}",
        "principalId": who,
        "principalType": "ServicePrincipal",
        "scope": GROUP,
        "createdOn": "2026-11-24T08:15:30Z",
        "updatedOn": "2026-11-24T08:15:30Z",
        "createdBy": OWNER_OBJECT,
        "updatedBy": OWNER_OBJECT,
        "description": "for the audit",
    }


def test_the_scope_is_spelt_as_it_was_when_it_was_made(house: House) -> None:
    path = f"{GROUP.replace('group', 'GROUP').replace('resourceGROUPs', 'resourcegroups')}"
    assert give(house, path, READER, house.join()).body["properties"]["scope"] == GROUP


def test_an_assignment_counts_from_the_next_request_on_and_no_longer(house: House) -> None:
    who = house.join()
    made = give(house, GROUP, READER, who).body
    assert house.get(GROUP, by=who, version="2024-11-01")["name"] == "group"
    gone = house.delete(made["id"])
    assert (gone.status, gone.body["name"]) == (200, made["name"])
    assert house.delete(made["id"]).status == 204
    with pytest.raises(Forbidden):
        house.get(GROUP, by=who, version="2024-11-01")


def test_an_assignment_is_made_again_as_it_is(house: House) -> None:
    path, who = f"{GROUP}{ASSIGNMENTS}/{uuid4()}", house.join()
    assert house.put(path, wanted(READER, who)).status == 201
    again = house.put(path, wanted(READER, who.upper(), description="the same"))
    assert (again.status, again.body["properties"]["description"]) == (200, "the same")


@pytest.mark.parametrize("role", [READER, OWNER])
def test_neither_role_nor_principal_of_an_assignment_changes(house: House, role: str) -> None:
    path, who = f"{GROUP}{ASSIGNMENTS}/{uuid4()}", house.join()
    house.put(path, wanted(READER, who))
    with pytest.raises(BadRequest) as caught:
        house.put(path, wanted(role, who if role == OWNER else house.join()))
    assert caught.value.code == "RoleAssignmentUpdateNotPermitted"
    assert caught.value.message == "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."


def test_the_same_assignment_is_not_made_under_another_name(house: House, other: str) -> None:
    who = house.join()
    give(house, GROUP, READER, who)
    with pytest.raises(Conflict) as caught:
        give(house, GROUP, READER, who)
    assert (caught.value.code, caught.value.message) == (
        "RoleAssignmentExists",
        "The role assignment already exists.",
    )
    assert give(house, other, READER, who).status == 201
    assert give(house, GROUP, CONTRIBUTOR, who).status == 201


def test_the_name_of_an_assignment_is_a_guid(house: House) -> None:
    with pytest.raises(BadRequest) as caught:
        house.put(f"{GROUP}{ASSIGNMENTS}/reader", wanted(READER, house.join()))
    assert caught.value.code == "InvalidRoleAssignmentId"


@pytest.mark.parametrize(
    "definition", [f"nonsense/{OWNER}", OWNER, f"{GROUP}/{OWNER}", "", None, f"{ASSIGNMENTS}/{OWNER}"]
)
def test_the_role_is_named_by_the_id_of_a_definition(house: House, definition: str | None) -> None:
    who = house.join()
    with pytest.raises(BadRequest):
        house.put(
            f"{GROUP}{ASSIGNMENTS}/{uuid4()}", {"properties": {"roleDefinitionId": definition, "principalId": who}}
        )
    with pytest.raises(Forbidden):
        house.get(GROUP, by=who, version="2024-11-01")


def test_a_role_that_is_not_there_is_not_assigned(house: House) -> None:
    with pytest.raises(BadRequest) as caught:
        give(house, GROUP, str(uuid4()), house.join())
    assert caught.value.code == "RoleDefinitionDoesNotExist"


@pytest.mark.parametrize("more", [{"condition": "@Resource[a] StringEquals 'b'"}, {"conditionVersion": "2.0"}])
def test_a_condition_that_would_not_be_evaluated_is_refused(house: House, more: dict[str, str]) -> None:
    with pytest.raises(BadRequest) as caught:
        give(house, GROUP, READER, house.join(), **more)
    assert caught.value.code == "ConditionsNotSupported"


def test_assignments_at_above_and_below_a_scope_are_listed(house: House, other: str) -> None:
    above, here, beside = (house.join() for _ in range(3))
    give(house, SUBSCRIPTION, READER, above)
    give(house, GROUP, READER, here)
    give(house, other, READER, beside)
    at_group = holders(house.list(f"{GROUP}{ASSIGNMENTS}"))
    assert at_group == OWNERS | {(above, SUBSCRIPTION), (here, GROUP)}
    assert holders(house.list(f"{SUBSCRIPTION}{ASSIGNMENTS}")) == at_group | {(beside, other)}


@pytest.mark.parametrize("scope", ["", SUBSCRIPTION])
def test_the_role_of_an_assignment_is_named_as_the_list_of_roles_there_names_it(house: House, scope: str) -> None:
    [held] = house.list(f"{scope}{ASSIGNMENTS}", query={"$filter": f"principalId eq '{OWNER_OBJECT}'"})
    [role] = house.list(f"{scope}{DEFINITIONS}", query={"$filter": "roleName eq 'Owner'"})
    assert held["properties"]["roleDefinitionId"] == role["id"]
    assert house.get(held["id"])["properties"]["roleDefinitionId"] == f"{DEFINITIONS}/{OWNER}"


def test_assignments_are_filtered_by_scope_and_by_principal(house: House) -> None:
    above, here = house.join(), house.join()
    give(house, SUBSCRIPTION, READER, above)
    give(house, GROUP, READER, here)
    give(house, GROUP, CONTRIBUTOR, above)

    def found(text: str, scope: str = SUBSCRIPTION) -> set[tuple[str, str]]:
        return holders(house.list(f"{scope}{ASSIGNMENTS}", query={"$filter": text}))

    assert found("atScope()") == OWNERS | {(above, SUBSCRIPTION)}
    assert found(f"principalId eq '{above}'") == {(above, SUBSCRIPTION), (above, GROUP)}
    assert found(f"assignedTo('{above.upper()}')") == {(above, SUBSCRIPTION), (above, GROUP)}
    assert found(f"atScope() and assignedTo('{above}')") == {(above, SUBSCRIPTION)}
    assert found(f"atScope() and assignedTo('{here}')", GROUP) == {(here, GROUP)}
    assert found(f"principalId eq '{uuid4()}'") == set()


@pytest.mark.parametrize(
    "text", ["colour eq 'blue'", "principalId eq ''", "principalId eq x", "atScope() and principalId eq 'x'"]
)
def test_a_filter_of_assignments_that_cannot_be_read_is_refused(house: House, text: str) -> None:
    with pytest.raises(BadRequest) as caught:
        house.list(f"{SUBSCRIPTION}{ASSIGNMENTS}", query={"$filter": text})
    assert caught.value.code == "UnsupportedQuery"
    assert caught.value.message == (
        f"The filter '{text}' is not supported. Supported filters are either 'atScope()' or 'principalId eq "
        "'{value}' or assignedTo('{value}')'."
    )


def test_whoever_reads_one_group_sees_no_assignment_of_another_or_of_the_subscription(house: House, other: str) -> None:
    who = house.join()
    give(house, GROUP, READER, who)
    give(house, other, READER, house.join())
    give(house, SUBSCRIPTION, READER, house.join())
    assert holders(house.list(f"{SUBSCRIPTION}{ASSIGNMENTS}", by=who)) == {(who, GROUP)}
    assert holders(house.list(ASSIGNMENTS, by=who)) == {(who, GROUP)}
    with pytest.raises(Forbidden):
        house.list(f"{other}{ASSIGNMENTS}", by=who)


def test_whoever_may_read_a_scope_sees_what_it_inherits(house: House) -> None:
    who = house.join()
    give(house, GROUP, READER, who)
    assert holders(house.list(f"{GROUP}{ASSIGNMENTS}", by=who)) == OWNERS | {(who, GROUP)}
