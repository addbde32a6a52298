"""Long-running operations: 202 and two addresses, asked until they say how it ended; or done with the first answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.api.people import give, hire
from tests.api.place import ARM, STORAGE, Place, described, fresh, new_group, refusal
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.server import Caller, Server

AN_HOUR = "3600"


@pytest.fixture(scope="module")
def server(real_pace: Server) -> Server:
    return real_pace


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which nothing long ends as long as a test runs."""
    with running(tmp_path_factory.mktemp("slow") / "data", "--no-doors", LINARITE_LRO_DELAY=AN_HOUR) as server:
        yield server


@pytest.fixture(scope="module")
def slow_owner(slow: Server) -> Caller:
    return slow.owner()


@pytest.fixture
def slow_place(slow: Server, slow_owner: Caller) -> Place:
    return Place(slow_owner, new_group(slow, slow_owner))


def assert_accepted(answer: httpx.Response, origin: str, ways: dict[str, str]) -> None:
    """202 without a body, and where to ask."""
    assert (answer.status_code, answer.content) == (202, b""), answer.text
    assert 0 <= int(answer.headers["retry-after"]) <= 600
    for header in ("location", "azure-asyncoperation"):
        if header not in ways:
            assert header not in answer.headers
            continue
        assert re.fullmatch(
            rf"{origin}/subscriptions/[-0-9a-f]{{36}}/providers/Microsoft\.MachineLearningServices/locations/eastus"
            rf"/workspaceOperationsStatus/[-0-9a-f]{{36}}\?api-version=2023-10-01&type={ways[header]}",
            answer.headers[header],
        )


BOTH = {"location": "location", "azure-asyncoperation": "async"}


# ── to the end ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", ["create", "update", "delete", "resyncKeys", "prepareNotebook"])
def test_a_long_step_is_accepted_and_ends_at_both_addresses(
    server: Server, owner: Caller, place: Place, step: str
) -> None:
    links = place.neighbours()
    path = f"{place.workspaces}/{fresh('w')}" if step == "create" else place.workspace(links)
    answer = {
        "create": lambda: owner.put(path, described(links)),
        "update": lambda: owner.patch(path, {"tags": {"a": "b"}}),
        "delete": lambda: owner.delete(path),
    }.get(step, lambda: owner.post(f"{path}/{step}"))()
    assert_accepted(answer, server.origin, BOTH)
    final = owner.settled(answer)
    assert final.status_code == 200, final.text
    if step == "delete":
        assert final.content == b""
        assert owner.get(path).status_code == 404
    elif step == "prepareNotebook":
        assert final.json() == owner.get(path).json()["properties"]["notebookInfo"]
    else:
        assert final.json() == owner.get(path).json()
    status = owner.http.get(answer.headers["azure-asyncoperation"]).json()
    assert (status["status"], status["percentComplete"]) == ("Succeeded", 100.0)
    assert status["startTime"] <= status["endTime"]
    assert "error" not in status


def test_diagnose_is_asked_for_at_one_address_alone(server: Server, owner: Caller) -> None:
    answer = owner.post(f"{server.workspace}/diagnose", {"value": {}})
    assert_accepted(answer, server.origin, {"location": "location"})
    assert set(owner.settled(answer).json()) == {"value"}


@pytest.mark.parametrize(
    ("version", "status"), [("2020-08-01", 200), ("2021-01-01", 200), ("2021-07-01", 200), ("2022-05-01", 202)]
)
def test_a_patch_is_long_since_2022_05_01(owner: Caller, place: Place, version: str, status: int) -> None:
    path = place.workspace()
    answer = owner.patch(path, {"tags": {"a": "b"}}, version=version)
    assert answer.status_code == status
    assert owner.settled(answer).json()["tags"] == {"a": "b"}


def test_the_addresses_lead_to_where_the_client_came_from(server: Server, owner: Caller) -> None:
    other = server.origin.replace("localhost", "127.0.0.1")
    answer = owner.post(f"{other}{server.workspace}/diagnose", {})
    assert answer.headers["location"].startswith(f"{other}/subscriptions/")
    assert owner.settled(answer).status_code == 200


def test_an_operation_that_never_was_is_not_found(server: Server, owner: Caller) -> None:
    place = f"{server.subscription}/providers/Microsoft.MachineLearningServices/locations/eastus"
    answer = owner.get(f"{place}/workspaceOperationsStatus/{uuid4()}")
    assert refusal(answer)[:2] == (404, "OperationNotFound")


# ── under way ───────────────────────────────────────────────────────────────────────────────────────────────────────


def begun(slow: Server, place: Place) -> tuple[str, httpx.Response]:
    """A workspace whose creation does not end, and the answer that accepted it."""
    path = f"{place.workspaces}/{fresh('w')}"
    answer = place.owner.put(path, described(place.neighbours()))
    assert_accepted(answer, slow.origin, BOTH)
    return path, answer


def test_while_it_is_under_way_both_addresses_say_so(slow: Server, slow_place: Place) -> None:
    path, answer = begun(slow, slow_place)
    owner = slow_place.owner
    assert owner.get(path).json()["properties"]["provisioningState"] == "Creating"
    asked = owner.http.get(answer.headers["azure-asyncoperation"])
    assert asked.status_code == 200
    assert asked.headers["retry-after"].isdigit()
    assert (asked.json()["status"], asked.json()["percentComplete"]) == ("InProgress", 0.0)
    assert "endTime" not in asked.json()
    again = owner.http.get(answer.headers["location"])
    assert (again.status_code, again.content) == (202, b"")
    assert again.headers["location"] == answer.headers["location"]
    assert again.headers["retry-after"].isdigit()


@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("PUT", "", {"location": "eastus"}),
        ("PATCH", "", {"tags": {}}),
        ("DELETE", "", None),
        ("POST", "/resyncKeys", None),
        ("POST", "/prepareNotebook", None),
        ("POST", "/diagnose", {}),
    ],
)
def test_while_it_is_under_way_nothing_else_is_begun(
    slow: Server, slow_place: Place, method: str, suffix: str, body: Any
) -> None:
    path, _ = begun(slow, slow_place)
    before = slow_place.owner.get(path).json()
    answer = slow_place.owner.call(method, f"{path}{suffix}", body)
    name = path.rpartition("/")[2]
    said = f"Another operation is in progress on the resource '{name}'. Please try again after it has ended."
    assert refusal(answer) == (409, "Conflict", said)
    assert slow_place.owner.get(path).json() == before


def test_while_it_is_under_way_it_can_be_read_and_its_keys_listed(slow: Server, slow_place: Place) -> None:
    path, _ = begun(slow, slow_place)
    found = slow_place.owner.post(f"{path}/listKeys")
    assert found.status_code == 200
    assert found.json()["userStorageKey"] is None, "the copies are made by the operation"
    assert [one["id"] for one in slow_place.owner.get(slow_place.workspaces).json()["value"]] == [path]


def test_a_delete_that_is_under_way_shows_and_changes_nothing_yet(slow: Server, slow_owner: Caller) -> None:
    group = new_group(slow, slow_owner)
    answer = slow_owner.delete(group, version=ARM)
    assert answer.status_code == 202
    assert slow_owner.get(group, version=ARM).json()["properties"]["provisioningState"] == "Deleting"


def test_how_far_it_is_is_told_to_its_caller_and_to_whoever_may_ask(slow: Server, slow_place: Place) -> None:
    _, answer = begun(slow, slow_place)
    address = answer.headers["azure-asyncoperation"]
    somebody, reader = hire(slow), hire(slow)
    give(slow_place.owner, slow_place.group, "Reader", reader)
    assert somebody.caller.http.get(address).json()["error"]["code"] == "AuthorizationFailed"
    assert reader.caller.http.get(address).json()["status"] == "InProgress"
    assert slow.nobody().http.get(address).status_code == 401


def test_what_it_needs_may_go_before_it_is_done_and_then_it_fails_and_says_why(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running(tmp_path_factory.mktemp("later") / "data", "--no-doors", LINARITE_LRO_DELAY="1") as later:
        owner = later.owner()
        place = Place(owner, new_group(later, owner))
        links = place.neighbours()
        path = f"{place.workspaces}/{fresh('w')}"
        answer = owner.put(path, described(links))
        assert owner.delete(links["storageAccount"], version=STORAGE).status_code == 200
        status, code, message = refusal(owner.settled(answer))
        ended = owner.http.get(answer.headers["azure-asyncoperation"]).json()
        assert (status, code) == (400, "UserError")
        assert links["storageAccount"] in message
        assert (ended["status"], ended["error"]) == ("Failed", {"code": code, "message": message})
        assert owner.get(path).json()["properties"]["provisioningState"] == "Failed"
        assert owner.settled(owner.delete(path)).status_code == 200


# ── at once ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_told_to_be_immediate_it_is_all_done_with_the_first_answer(at_once: Server) -> None:
    owner = at_once.owner()
    place = Place(owner, new_group(at_once, owner))
    links = place.neighbours()
    path = f"{place.workspaces}/{fresh('w')}"
    steps = [
        owner.put(path, described(links)),
        owner.patch(path, {"tags": {"a": "b"}}),
        owner.post(f"{path}/resyncKeys"),
        owner.post(f"{path}/prepareNotebook"),
        owner.post(f"{path}/diagnose", {}),
        owner.delete(path),
        owner.delete(place.group, version=ARM),
    ]
    assert [answer.status_code for answer in steps] == [200] * 7
    for answer in steps:
        assert {"location", "azure-asyncoperation", "retry-after"}.isdisjoint(answer.headers)
    assert steps[1].json()["tags"] == {"a": "b"}
    assert steps[0].json()["properties"]["provisioningState"] == "Succeeded"
