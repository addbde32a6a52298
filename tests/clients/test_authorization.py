"""azure-mgmt-authorization: roles are found, given and taken away, and count from the very next request."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.mgmt.authorization import AuthorizationManagementClient
from azure.mgmt.authorization.models import Permission, RoleAssignmentCreateParameters, RoleDefinition

from tests.clients.house import Azure, code_of, credential
from tests.clients.people import join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.clients.people import Application
    from tests.server import Server


@pytest.fixture
def roles(azure: Azure) -> Any:
    return azure(AuthorizationManagementClient)


@pytest.fixture
def other(server: Server) -> Application:
    """An application that holds no role."""
    return join(server)


@pytest.fixture
def others(server: Server, other: Application) -> Iterator[Azure]:
    """Azure's clients, signed in as the other application."""
    with credential(server, other.client_id, other.secret) as theirs, contextlib.ExitStack() as stack:
        yield Azure(server, theirs, stack)


@pytest.fixture
def scope(server: Server, group: str) -> str:
    """The test's own group, as a scope: without a slash in front, as the library's paths have one already."""
    return f"{server.subscription}/resourceGroups/{group}".lstrip("/")


def role_named(roles: Any, scope: str, name: str) -> str:
    """Id of the role definition with that name."""
    [found] = roles.role_definitions.list(scope, filter=f"roleName eq '{name}'")
    return str(found.id)


def give(roles: Any, scope: str, role: str, principal: str) -> Any:
    wanted = RoleAssignmentCreateParameters(
        role_definition_id=role_named(roles, scope, role), principal_id=principal, principal_type="ServicePrincipal"
    )
    return roles.role_assignments.create(scope, str(uuid4()), wanted)


def may_list_keys(azure: Azure, group: str, workspace: str) -> bool:
    """Whether the keys are given; a refusal must be the one for a missing role."""
    try:
        azure.workspaces.list_keys(group, workspace)
    except HttpResponseError as error:
        if error.error is None or error.error.code != "AuthorizationFailed":
            raise
        return False
    return True


def test_a_role_is_found_by_its_name(roles: Any, scope: str) -> None:
    [found] = roles.role_definitions.list(scope, filter="roleName eq 'Contributor'")
    assert (found.role_name, found.name) == ("Contributor", "b24988ac-6180-42a0-ab88-20f7382dd24c")
    assert found.permissions[0].actions == ["*"]


def test_all_roles_are_listed(roles: Any, scope: str) -> None:
    names = {role.role_name for role in roles.role_definitions.list(scope)}
    assert {"Owner", "Contributor", "Reader", "AzureML Data Scientist"} <= names


def test_an_assignment_is_made_listed_and_deleted(roles: Any, scope: str, other: Application) -> None:
    made = give(roles, scope, "Reader", other.object_id)
    assert (made.principal_id, made.principal_type) == (other.object_id, "ServicePrincipal")
    assert made.scope == f"/{scope}"
    found = {one.name: one for one in roles.role_assignments.list_for_scope(scope)}
    assert found[made.name].principal_id == other.object_id
    assert roles.role_assignments.get(scope, made.name).role_definition_id == made.role_definition_id
    deleted = roles.role_assignments.delete(scope, made.name)
    assert deleted.name == made.name
    assert roles.role_assignments.delete(scope, made.name) is None
    assert made.name not in {one.name for one in roles.role_assignments.list_for_scope(scope)}


def test_assignments_are_listed_by_whose_they_are(roles: Any, scope: str, other: Application) -> None:
    made = give(roles, scope, "Reader", other.object_id)
    found = list(roles.role_assignments.list_for_scope(scope, filter=f"principalId eq '{other.object_id}'"))
    assert [one.name for one in found] == [made.name]


def test_the_same_assignment_is_not_made_twice(roles: Any, scope: str, other: Application) -> None:
    give(roles, scope, "Reader", other.object_id)
    with pytest.raises(ResourceExistsError) as caught:
        give(roles, scope, "Reader", other.object_id)
    assert code_of(caught.value) == "RoleAssignmentExists"


def test_a_custom_role_is_made_assigned_listed_and_deleted(  # noqa: PLR0917 - fixtures
    roles: Any, scope: str, other: Application, others: Azure, group: str, workspace: str
) -> None:
    wanted = RoleDefinition(
        role_name=f"Key Lister of {group}",
        role_type="CustomRole",
        description="lists keys",
        permissions=[Permission(actions=["Microsoft.MachineLearningServices/workspaces/listKeys/action"])],
        assignable_scopes=[f"/{scope}"],
    )
    made = roles.role_definitions.create_or_update(scope, str(uuid4()), wanted)
    assert (made.role_name, made.role_type, made.assignable_scopes) == (wanted.role_name, "CustomRole", [f"/{scope}"])
    assert roles.role_definitions.get_by_id(made.id).permissions[0].actions == wanted.permissions[0].actions
    found = roles.role_definitions.list(scope, filter="type eq 'CustomRole'")
    assert [one.id for one in found] == [made.id]
    held = give(roles, scope, made.role_name, other.object_id)
    assert may_list_keys(others, group, workspace)
    with pytest.raises(HttpResponseError) as caught:
        roles.role_definitions.delete(scope, made.name)
    assert code_of(caught.value) == "RoleDefinitionHasAssignments"
    wanted.permissions[0].not_actions = ["Microsoft.MachineLearningServices/*"]
    roles.role_definitions.create_or_update(scope, made.name, wanted)
    assert not may_list_keys(others, group, workspace)
    roles.role_assignments.delete(scope, held.name)
    assert roles.role_definitions.delete(scope, made.name).role_name == wanted.role_name
    assert list(roles.role_definitions.list(scope, filter="type eq 'CustomRole'")) == []


def test_permissions_are_listed_at_a_group_and_at_a_resource(  # noqa: PLR0917 - fixtures
    azure: Azure, roles: Any, scope: str, other: Application, others: Azure, group: str, workspace: str
) -> None:
    give(roles, scope, "Reader", other.object_id)
    permissions = others(AuthorizationManagementClient).permissions
    assert [one.actions for one in permissions.list_for_resource_group(group)] == [["*/read"]]
    found = permissions.list_for_resource(group, "Microsoft.MachineLearningServices", "", "workspaces", workspace)
    assert [one.actions for one in found] == [["*/read"]]
    mine = azure(AuthorizationManagementClient).permissions.list_for_resource_group(group)
    assert [one.actions for one in mine] == [["*"]]


def test_keys_are_given_to_whoever_holds_a_role_that_grants_them(  # noqa: PLR0917 - fixtures
    roles: Any, scope: str, other: Application, others: Azure, group: str, workspace: str
) -> None:
    assert not may_list_keys(others, group, workspace)
    reader = give(roles, scope, "Reader", other.object_id)
    assert others.workspaces.get(group, workspace).name == workspace
    assert not may_list_keys(others, group, workspace), "a reader reads, and sees no key"
    contributor = give(roles, scope, "Contributor", other.object_id)
    assert may_list_keys(others, group, workspace)
    roles.role_assignments.delete(scope, contributor.name)
    roles.role_assignments.delete(scope, reader.name)
    assert not may_list_keys(others, group, workspace)


def test_a_refusal_names_who_may_not_do_what_and_where(
    others: Azure, other: Application, group: str, workspace: str
) -> None:
    with pytest.raises(HttpResponseError) as caught:
        others.workspaces.list_keys(group, workspace)
    assert caught.value.message.startswith(
        f"(AuthorizationFailed) The client '{other.client_id}' with object id '{other.object_id}' does not have "
        "authorization to perform action 'Microsoft.MachineLearningServices/workspaces/listKeys/action' over scope "
    )


def test_a_contributor_of_one_group_sees_nothing_of_another(
    roles: Any, scope: str, other: Application, others: Azure, group: str
) -> None:
    give(roles, scope, "Contributor", other.object_id)
    assert list(others.workspaces.list_by_resource_group(group)) == []
    assert not may_list_keys(others, "testrg123", "workspaces123")
