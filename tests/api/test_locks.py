"""Locks: ReadOnly forbids every change and every release of keys, CanNotDelete forbids to delete; in Azure's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Caller, Server

VERSION = "2016-09-01"


@pytest.fixture(params=["workspace", "group", "subscription"])
def scope(request: pytest.FixtureRequest, server: Server) -> str:
    return str(getattr(server, request.param))


@pytest.fixture
def lock(request: pytest.FixtureRequest, owner: Caller, scope: str) -> Iterator[str]:
    """A lock at the scope, of the level that the test asks for; gone afterwards."""
    path = f"{scope}/providers/Microsoft.Authorization/locks/hold"
    made = owner.put(path, {"properties": {"level": request.param, "notes": "why"}}, version=VERSION)
    assert (made.status_code, made.json()["properties"]["level"]) == (201, request.param)
    yield path
    assert owner.delete(path, version=VERSION).status_code == 200


@pytest.mark.parametrize("lock", ["ReadOnly"], indirect=True)
def test_a_read_only_lock_forbids_to_list_keys_at_its_scope_and_below(
    server: Server, owner: Caller, scope: str, lock: str
) -> None:
    for method, suffix, body in (("POST", "/listKeys", None), ("PATCH", "", {"tags": {"a": "b"}})):
        answer = owner.call(method, f"{server.workspace}{suffix}", body)
        assert (answer.status_code, answer.json()["error"]) == (
            409,
            {
                "code": "ScopeLocked",
                "message": f"The scope '{server.workspace}' cannot perform write operation because following scope(s) "
                f"are locked: '{scope}'. Please remove the lock and try again.",
            },
        )
    assert owner.get(server.workspace).status_code == 200


@pytest.mark.parametrize("lock", ["CanNotDelete", "ReadOnly"], indirect=True)
def test_every_lock_forbids_to_delete_what_it_holds_and_what_holds_it(
    server: Server, owner: Caller, scope: str, lock: str
) -> None:
    for path, version in ((server.workspace, "2023-10-01"), (server.group, "2024-11-01")):
        answer = owner.delete(path, version=version)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "ScopeLocked")
        assert f"'{path}' cannot perform delete operation" in answer.json()["error"]["message"]


@pytest.mark.parametrize("lock", ["CanNotDelete"], indirect=True)
def test_a_delete_lock_leaves_everything_else_allowed(server: Server, owner: Caller, lock: str) -> None:
    assert owner.post(f"{server.workspace}/listKeys").status_code == 200
    assert owner.patch(server.workspace, {"tags": {"a": "b"}}).status_code == 200


def test_a_lock_that_is_removed_counts_no_more_for_the_very_next_request(server: Server, owner: Caller) -> None:
    path = f"{server.workspace}/providers/Microsoft.Authorization/locks/soon-gone"
    owner.put(path, {"properties": {"level": "ReadOnly"}}, version=VERSION)
    assert owner.post(f"{server.workspace}/listKeys").status_code == 409
    assert owner.delete(path, version=VERSION).status_code == 200
    assert owner.post(f"{server.workspace}/listKeys").status_code == 200


def test_locks_are_listed_at_their_scope_and_from_above_and_below(server: Server, owner: Caller) -> None:
    path = f"{server.group}/providers/Microsoft.Authorization/locks/listed"
    owner.put(path, {"properties": {"level": "CanNotDelete"}}, version=VERSION)
    for scope in (server.subscription, server.group, server.workspace):
        listed = owner.get(f"{scope}/providers/Microsoft.Authorization/locks", version=VERSION).json()["value"]
        assert path in [one["id"] for one in listed]
    owner.delete(path, version=VERSION)
    listed = owner.get(f"{server.workspace}/providers/Microsoft.Authorization/locks", version=VERSION).json()["value"]
    assert listed == []


@pytest.mark.parametrize("level", ["Nothing", "", None, 1])
def test_a_lock_of_no_level_is_refused(server: Server, owner: Caller, level: object) -> None:
    path = f"{server.group}/providers/Microsoft.Authorization/locks/none"
    assert owner.put(path, {"properties": {"level": level}}, version=VERSION).status_code == 400
    assert owner.get(path, version=VERSION).status_code == 404
