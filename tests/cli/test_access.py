"""access: who may list a workspace's keys, and that it says what the server does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from linarite.roles import BUILT_IN
from tests.cli.program import answered, refused
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server import Server


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server to which applications are added."""
    with running(tmp_path_factory.mktemp("access") / "data", "--no-doors") as server:
        yield server


def holders(server: Server, workspace: str = "workspaces123") -> list[dict[str, Any]]:
    return list(json.loads(answered("access", workspace, "--json", "--data", server.folder)))


def joined(server: Server, role: str, scope: str) -> dict[str, str]:
    options = ("--role", role, "--scope", scope, "--json", "--data", server.folder)
    return dict(json.loads(answered("app", "add", "joined", *options)))


def test_at_first_the_owner_alone_as_a_user_and_as_an_application_gets_the_keys_by_everything(server: Server) -> None:
    user, application = holders(server)
    by_everything = {"role": "Owner", "scope": "/", "action": "*", "lockedBy": []}
    assert application == {
        "principal": "owner",
        "kind": "ServicePrincipal",
        "clientId": server.known["clientId"],
        "objectId": "66666666-7777-8888-9999-aaaaaaaaaaaa",
        **by_everything,
    }
    assert user == {
        "principal": "Owner",
        "kind": "User",
        "clientId": "owner@linarite.onmicrosoft.com",
        "objectId": "66666666-7777-8888-9999-bbbbbbbbbbbb",
        **by_everything,
    }


@pytest.mark.parametrize("role", ["Contributor", "Azure AI Administrator", "Reader", "AzureML Data Scientist"])
@pytest.mark.parametrize("place", ["subscription", "group", "workspace", "elsewhere"])
def test_it_says_of_a_role_at_a_scope_what_the_server_does(changed: Server, role: str, place: str) -> None:
    elsewhere = f"{changed.subscription}/resourceGroups/ragargeastus2euap"
    scope = elsewhere if place == "elsewhere" else getattr(changed, place)
    made = joined(changed, role, scope)
    caller = changed.signed_in(made["clientId"], made["clientSecret"])
    gets = caller.post(f"{changed.workspace}/listKeys").status_code == 200
    said = [one for one in holders(changed) if one["objectId"] == made["objectId"]]
    assert [(one["role"], one["scope"]) for one in said] == ([(role, scope)] if gets else [])
    assert [one for one in said if one["action"] not in next(r.actions for r in BUILT_IN if r.name == role)] == []
    assert gets == (role in {"Contributor", "Azure AI Administrator"} and place != "elsewhere")


def test_a_custom_role_is_given_by_its_name_where_it_is_made_for_and_is_told_of(changed: Server) -> None:
    path = f"{changed.subscription}/providers/Microsoft.Authorization/roleDefinitions/{uuid4()}"
    action = "Microsoft.MachineLearningServices/workspaces/listKeys/action"
    permission = {"actions": [action]}
    described = {"roleName": "Key Lister", "assignableScopes": [changed.group], "permissions": [permission]}
    assert changed.owner().put(path, {"properties": described}, version="2022-04-01").status_code == 201
    made = joined(changed, "key lister", changed.workspace)
    caller = changed.signed_in(made["clientId"], made["clientSecret"])
    assert caller.post(f"{changed.workspace}/listKeys").status_code == 200
    [said] = [one for one in holders(changed) if one["objectId"] == made["objectId"]]
    assert (said["role"], said["scope"], said["action"]) == ("Key Lister", changed.workspace, action)
    assert "is not made for the scope" in refused(
        "app", "add", "x", "--role", "Key Lister", "--scope", changed.subscription, "--data", changed.folder
    )


def test_who_was_removed_is_listed_no_more(changed: Server) -> None:
    made = joined(changed, "Owner", changed.workspace)
    assert made["objectId"] in {one["objectId"] for one in holders(changed)}
    answered("app", "remove", made["clientId"], "--data", changed.folder)
    assert made["objectId"] not in {one["objectId"] for one in holders(changed)}


def test_a_lock_that_forbids_it_to_everybody_is_named(changed: Server) -> None:
    lock = f"{changed.group}/providers/Microsoft.Authorization/locks/{uuid4().hex}"
    owner = changed.owner()
    made = owner.put(lock, {"properties": {"level": "ReadOnly"}}, version="2020-05-01")
    assert made.status_code in {200, 201}, made.text
    try:
        assert owner.post(f"{changed.workspace}/listKeys").status_code == 409
        assert {tuple(one["lockedBy"]) for one in holders(changed)} == {(lock,)}
    finally:
        owner.delete(lock, version="2020-05-01")
    assert {tuple(one["lockedBy"]) for one in holders(changed)} == {()}


def test_a_workspace_is_named_in_any_of_three_ways(server: Server) -> None:
    assert holders(server) == holders(server, "testrg123/WORKSPACES123") == holders(server, server.workspace)


def test_the_table_says_by_which_action(server: Server) -> None:
    printed = answered("access", "workspaces123", "--data", server.folder)
    [row] = [line for line in printed.splitlines() if "ServicePrincipal" in line]
    assert [cell.strip() for cell in row.split("│")[-4:-1]] == ["/", "*", ""]


@pytest.mark.parametrize("name", ["nothere", "a/b/c", "/subscriptions/x", "", "testrg123/", "{group}", "ü?#"])
def test_what_is_no_workspace_is_said(server: Server, name: str) -> None:
    said = refused("access", name.format(group=server.group), "--data", server.folder)
    assert said.startswith("There is no workspace '")


def test_without_an_instance_nobody_has_access(tmp_path: Path) -> None:
    assert refused("access", "w", "--data", tmp_path).startswith(f"There is no instance in {tmp_path}.")
