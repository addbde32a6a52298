"""Every write, release and refusal leaves exactly one entry, on disk before the answer; a plain read leaves none."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

import pytest

from linarite.model import Deed
from tests.api.on_disk import entries, new_entries, state_version, unbroken
from tests.api.people import give, hire
from tests.api.place import ARM, STORAGE, Place, described, fresh, new_group

if TYPE_CHECKING:
    from tests.server import Caller, Server

MLS = "Microsoft.MachineLearningServices/workspaces"


# ── releases ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_release_leaves_one_entry_that_names_who_what_and_which_state(server: Server, owner: Caller) -> None:
    answer, [entry] = new_entries(server, lambda: owner.post(f"{server.workspace}/listKeys"))
    assert entry.deed is Deed.RELEASE
    assert entry.action == f"{MLS}/listKeys/action"
    assert entry.target == server.workspace
    assert (entry.caller, entry.client) == ("66666666-7777-8888-9999-aaaaaaaaaaaa", server.known["clientId"])
    assert (entry.status, entry.code) == (200, "")
    assert entry.request == answer.headers["x-ms-request-id"]
    assert entry.correlation == answer.headers["x-ms-correlation-request-id"]
    assert entry.version == state_version(server)
    assert entry.address == "127.0.0.1"
    assert abs(entry.at.timestamp() - time.time()) < 30


def test_a_remembered_release_is_recorded_like_the_first(server: Server, owner: Caller) -> None:
    for _ in range(3):
        _, found = new_entries(server, lambda: owner.post(f"{server.workspace}/listKeys"))
        assert [entry.deed for entry in found] == [Deed.RELEASE]


@pytest.mark.parametrize(
    "action", ["listStorageAccountKeys/action", "listNotebookKeys/read", "listNotebookAccessToken/read"]
)
def test_every_release_of_a_workspace_is_recorded(server: Server, owner: Caller, action: str) -> None:
    _, [entry] = new_entries(server, lambda: owner.post(f"{server.workspace}/{action.partition('/')[0]}"))
    assert (entry.deed, entry.action, entry.target) == (Deed.RELEASE, f"{MLS}/{action}", server.workspace)


def test_the_releases_of_the_neighbours_are_recorded(server: Server, owner: Caller, place: Place) -> None:
    account, registry = place.account(), place.registry()
    for path, action in ((account, "listKeys"), (registry, "listCredentials")):
        _, [entry] = new_entries(server, lambda: owner.post(f"{path}/{action}", version=STORAGE))  # noqa: B023 - at once
        assert (entry.deed, entry.target, entry.status) == (Deed.RELEASE, path, 200)
        assert entry.action.endswith(f"/{action}/action")


# ── writes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_write_leaves_one_entry(server: Server, owner: Caller, place: Place) -> None:
    links = place.neighbours()
    path = f"{place.workspaces}/{fresh('w')}"
    writes: list[tuple[Any, str]] = [
        (lambda: owner.put(path, described(links)), f"{MLS}/write"),
        (lambda: owner.patch(path, {"tags": {"a": "b"}}), f"{MLS}/write"),
        (lambda: owner.post(f"{path}/resyncKeys"), f"{MLS}/resynckeys/action"),
        (lambda: owner.post(f"{path}/diagnose", {}), f"{MLS}/diagnose/read"),
        (lambda: owner.delete(path), f"{MLS}/delete"),
    ]
    for act, action in writes:
        answer, [entry] = new_entries(server, act)
        assert (entry.deed, entry.action, entry.target) == (Deed.WRITE, action, path)
        assert (entry.status, entry.request) == (200, answer.headers["x-ms-request-id"])


def test_a_role_that_is_given_is_recorded(server: Server, owner: Caller, place: Place) -> None:
    person = hire(server)
    made, [entry] = new_entries(server, lambda: give(owner, place.group, "Reader", person))
    assert (entry.deed, entry.action) == (Deed.WRITE, "Microsoft.Authorization/roleAssignments/write")
    assert (entry.target, entry.status) == (made, 201)


def test_a_long_write_leaves_one_entry_when_it_is_accepted_and_one_when_it_has_ended(real_pace: Server) -> None:
    owner = real_pace.owner()
    place = Place(owner, new_group(real_pace, owner))
    path = place.workspace()

    def act() -> Any:
        answer = owner.patch(path, {"tags": {"a": "b"}})
        owner.settled(answer)
        return answer

    answer, [accepted, ended] = new_entries(real_pace, act)
    operation = answer.headers["location"].partition("?")[0].rpartition("/")[2]
    assert (accepted.deed, accepted.status, accepted.action) == (Deed.WRITE, 202, f"{MLS}/write")
    assert (ended.deed, ended.status, ended.action, ended.request) == (Deed.WRITE, 200, f"{MLS}/update", operation)
    assert ended.correlation == accepted.correlation == answer.headers["x-ms-correlation-request-id"]
    assert ended.caller == accepted.caller


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "suffix", "status"),
    [
        ("GET", "-missing", 404),
        ("HEAD", "-missing", 404),
        ("PUT", "", 409),
        ("DELETE", "/listKeys", 405),
        ("POST", "-missing/listKeys", 404),
        ("PATCH", "/nothing", 404),
        ("GET", "?api-version=never", 400),
    ],
)
def test_a_refusal_leaves_one_entry(server: Server, owner: Caller, method: str, suffix: str, status: int) -> None:
    body = {"location": "westus"} if method == "PUT" else None
    version = None if "?" in suffix else "2023-10-01"
    path = f"{server.workspace}{suffix}"
    before = state_version(server)

    def act() -> Any:
        return owner.call(method, path, body, version=version) if version else owner.http.get(path)

    answer, [entry] = new_entries(server, act)
    assert answer.status_code == status
    assert (entry.deed, entry.status, entry.request) == (Deed.REFUSAL, status, answer.headers["x-ms-request-id"])
    if method != "HEAD":
        assert entry.code == answer.json()["error"]["code"]
    assert state_version(server) == before


def test_a_refusal_of_nobody_leaves_one_entry_too(server: Server, nobody: Caller) -> None:
    answer, [entry] = new_entries(server, lambda: nobody.post(f"{server.workspace}/listKeys"))
    assert (answer.status_code, entry.deed, entry.caller) == (401, Deed.REFUSAL, "")
    assert (entry.action, entry.target) == (f"{MLS}/listKeys/action", server.workspace)


def test_a_refusal_of_somebody_without_the_role_names_them(server: Server, place: Place) -> None:
    path = place.workspace()
    person = hire(server)
    _, [entry] = new_entries(server, lambda: person.caller.post(f"{path}/listKeys"))
    assert (entry.deed, entry.code, entry.target) == (Deed.REFUSAL, "AuthorizationFailed", path)
    assert (entry.caller, entry.client) == (person.object_id, person.client_id)


# ── what leaves none ────────────────────────────────────────────────────────────────────────────────────────────────


def test_plain_reads_leave_none(server: Server, owner: Caller) -> None:
    def read() -> list[int]:
        return [
            answer.status_code
            for answer in (
                owner.get(server.workspace),
                owner.call("HEAD", server.workspace),
                owner.get(f"{server.group}/providers/Microsoft.MachineLearningServices/workspaces"),
                owner.get(f"{server.workspace}/outboundNetworkDependenciesEndpoints"),
                owner.get(f"{server.subscription}/resources", version=ARM),
                owner.get("/subscriptions", version=ARM),
                owner.get("/health", version=None),
            )
        ]

    statuses, found = new_entries(server, read)
    assert statuses == [200, 204, 200, 200, 200, 200, 200]
    assert found == []


# ── signing in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sign_in_is_recorded_and_so_is_one_that_fails(server: Server) -> None:
    _, [entry] = new_entries(server, server.owner)
    assert entry.deed is Deed.SIGN_IN
    form = {"grant_type": "client_credentials", "client_id": server.known["clientId"], "client_secret": "wrong"}
    path = f"/{server.known['tenantId']}/oauth2/v2.0/token"
    _, [entry] = new_entries(
        server, lambda: server.nobody().http.post(path, data={**form, "scope": f"{server.origin}/.default"})
    )
    assert (entry.deed, entry.code) == (Deed.REFUSAL, "AADSTS7000215")


# ── the whole of it ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_request_of_a_crowd_is_there_and_the_chain_holds(server: Server, owner: Caller) -> None:
    asked = {owner.post(f"{server.workspace}/listKeys").headers["x-ms-request-id"] for _ in range(30)}
    assert asked <= {entry.request for entry in entries(server)}
    assert unbroken(server)


# ── secrets ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def secrets_of(server: Server, owner: Caller) -> list[bytes]:
    """Every secret that anybody can ask for here, as it is and in base64, and its bytes."""
    keys = owner.post(f"{server.workspace}/listKeys").json()
    account = owner.post(f"{keys['userStorageResourceId']}/listKeys", version=STORAGE).json()["keys"]
    found = [
        keys["userStorageKey"],
        *(one["value"] for one in account),
        *(one["value"] for one in keys["containerRegistryCredentials"]["passwords"]),
        *keys["notebookAccessKeys"].values(),
        owner.post(f"{server.workspace}/listNotebookAccessToken").json()["accessToken"],
        server.known["clientSecret"],
        owner.http.headers["authorization"].removeprefix("Bearer "),
    ]
    forms = [form for secret in found for form in (secret.encode(), base64.b64encode(secret.encode()))]
    return [*forms, *(base64.b64decode(one["value"]) for one in account), bytes.fromhex(found[5])]


def test_no_secret_is_in_the_clear_in_any_file_or_answer_that_has_no_business_with_it(
    server: Server, owner: Caller
) -> None:
    secrets = secrets_of(server, owner)
    contents = {path.name: path.read_bytes() for path in server.folder.iterdir() if path.name != "ready.json"}
    contents["log"] = server.log.read_bytes()
    links = owner.get(server.workspace).json()["properties"]
    for path in (server.workspace, f"{server.workspace}-x", links["storageAccount"], links["containerRegistry"]):
        contents[path] = owner.get(path).content
    contents["resources"] = owner.get(f"{server.subscription}/resources", version=ARM).content
    assert {"linarite.db", "linarite.db-wal"} <= contents.keys()
    assert [name for name, content in contents.items() for secret in secrets if secret in content] == []


def test_what_a_refused_request_said_is_neither_shown_nor_kept(server: Server, owner: Caller) -> None:
    """A secret that was sent to the wrong place: in a body, in a token, in a header."""
    said = fresh("a-secret-in-the-wrong-place-")
    refused = [
        owner.put(f"{server.workspace}-x", {"location": "eastus", "properties": {"description": said}}),
        owner.call("PUT", f"{server.workspace}-x", content=f'{{"key": "{said}", }}'),
        owner.patch(server.workspace, {"properties": {"storageAccount": said}}),
        owner.put(f"{server.workspace}-x", {"location": "eastus", "properties": {"hbiWorkspace": said, "sku": said}}),
        server.nobody().get(server.workspace, headers={"authorization": f"Bearer {said}"}),
        server.nobody().get(server.workspace, headers={"authorization": f"Basic {said}"}),
    ]
    assert {answer.status_code for answer in refused} == {400, 401}
    assert [answer.text for answer in refused if said in answer.text] == []
    files = [path for path in server.folder.iterdir() if path.is_file()]
    assert [path.name for path in (*files, server.log) if said.encode() in path.read_bytes()] == []
