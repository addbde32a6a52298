"""Every write, release and refusal leaves exactly one entry, on disk before the answer; a plain read leaves none."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from linarite.model import Deed
from linarite.store import trail
from linarite.store.database import throwaway_engine
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.model import Entry
    from tests.server import Caller, Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("trail") / "data", "--no-doors", LINARITE_LRO="immediate") as server:
        yield server


@pytest.fixture(scope="module")
def owner(server: Server) -> Caller:
    return server.owner()


def entries(server: Server, after: int = 0) -> list[tuple[int, Entry]]:
    engine = throwaway_engine(f"sqlite:///{server.folder / 'linarite.db'}")
    try:
        with engine.connect() as connection:
            return trail.entries(connection, after, 100_000)
    finally:
        engine.dispose()


def new_entries(server: Server, act: Any) -> tuple[Any, list[Entry]]:
    """What an act answered, and the entries that are on disk the moment it did."""
    last = entries(server)[-1][0]
    answer = act()
    return answer, [entry for _, entry in entries(server, last)]


def test_a_release_leaves_one_entry_that_names_who_what_and_which_state(server: Server, owner: Caller) -> None:
    answer, [entry] = new_entries(server, lambda: owner.post(f"{server.workspace}/listKeys"))
    assert entry.deed is Deed.RELEASE
    assert entry.action == "Microsoft.MachineLearningServices/workspaces/listKeys/action"
    assert entry.target == server.workspace
    assert entry.client == server.known["clientId"]
    assert (entry.status, entry.code) == (200, "")
    assert entry.request == answer.headers["x-ms-request-id"]
    assert entry.version is not None
    assert entry.address == "127.0.0.1"


def test_a_remembered_release_is_recorded_like_the_first(server: Server, owner: Caller) -> None:
    for _ in range(3):
        _, found = new_entries(server, lambda: owner.post(f"{server.workspace}/listKeys"))
        assert [entry.deed for entry in found] == [Deed.RELEASE]


def test_a_write_leaves_one_entry(server: Server, owner: Caller) -> None:
    _, [entry] = new_entries(server, lambda: owner.patch(server.workspace, {"tags": {"a": "b"}}))
    assert (entry.deed, entry.status) == (Deed.WRITE, 200)
    assert entry.action == "Microsoft.MachineLearningServices/workspaces/write"


@pytest.mark.parametrize(
    ("method", "suffix", "status"),
    [("GET", "-missing", 404), ("PUT", "", 409), ("DELETE", "/listKeys", 405), ("POST", "-missing/listKeys", 404)],
)
def test_a_refusal_leaves_one_entry(server: Server, owner: Caller, method: str, suffix: str, status: int) -> None:
    body = {"location": "nowhere"} if method == "PUT" else None
    answer, [entry] = new_entries(server, lambda: owner.call(method, server.workspace + suffix, body))
    assert answer.status_code == status
    assert (entry.deed, entry.status, entry.code) == (Deed.REFUSAL, status, answer.json()["error"]["code"])


def test_a_refusal_of_nobody_leaves_one_entry_too(server: Server) -> None:
    answer, [entry] = new_entries(server, lambda: server.nobody().post(f"{server.workspace}/listKeys"))
    assert (answer.status_code, entry.deed, entry.caller) == (401, Deed.REFUSAL, "")


def test_plain_reads_leave_none(server: Server, owner: Caller) -> None:
    def read() -> None:
        owner.get(server.workspace)
        owner.get(f"{server.group}/providers/Microsoft.MachineLearningServices/workspaces")
        owner.get(f"{server.subscription}/resources", version="2024-11-01")

    _, found = new_entries(server, read)
    assert found == []


def test_a_sign_in_is_recorded_and_so_is_one_that_fails(server: Server) -> None:
    _, [entry] = new_entries(server, server.owner)
    assert entry.deed is Deed.SIGN_IN
    form = {"grant_type": "client_credentials", "client_id": server.known["clientId"], "client_secret": "wrong"}
    path = f"/{server.known['tenantId']}/oauth2/v2.0/token"
    _, [entry] = new_entries(
        server, lambda: server.nobody().http.post(path, data={**form, "scope": f"{server.origin}/.default"})
    )
    assert (entry.deed, entry.code) == (Deed.REFUSAL, "AADSTS7000215")


def test_no_secret_is_in_the_clear_in_any_file_or_answer_that_has_no_business_with_it(
    server: Server, owner: Caller
) -> None:
    found = owner.post(f"{server.workspace}/listKeys").json()
    secrets = [
        found["userStorageKey"],
        *(one["value"] for one in found["containerRegistryCredentials"]["passwords"]),
        *found["notebookAccessKeys"].values(),
        server.known["clientSecret"],
        owner.http.headers["authorization"].removeprefix("Bearer "),
    ]
    forms = [form for secret in secrets for form in (secret.encode(), base64.b64encode(secret.encode()))]
    forms.append(base64.b64decode(found["userStorageKey"]))
    places = [path for path in server.folder.iterdir() if path.is_file() and path.name != "ready.json"]
    contents = {path.name: path.read_bytes() for path in (*places, server.log)}
    shown = owner.get(server.workspace).text + owner.get(f"{server.workspace}-x").text
    contents["answers"] = (shown + json.dumps(owner.get(f"{server.subscription}/resources").json())).encode()
    assert {"linarite.db", "linarite.db-wal"} <= contents.keys()
    assert [name for name, content in contents.items() for form in forms if form in content] == []
