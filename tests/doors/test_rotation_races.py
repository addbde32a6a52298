"""Rotation against busy clients: nothing that began after Resource Manager's answer opens with what was before it.

Two processes serve the API here, and a fresh connection goes to either; the doors are in the first of them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import BlobServiceClient

from tests.clients.house import Azure, credential
from tests.doors.place import PATIENCE, node_of, refusal, until
from tests.doors.registry.images import digest_of
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.doors.place import Place
    from tests.server import Server

DIGEST = digest_of(b"layer")
CLIENTS = 8
BUSY = 60
"""Requests that have to come through before the rotation, and as many again that begin after it."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("races") / "data"
    with running(folder, "--workers", "2", LINARITE_LRO="immediate") as server:
        yield server


@pytest.fixture(scope="module")
def azure(server: Server) -> Iterator[Azure]:
    with credential(server) as owner, contextlib.ExitStack() as stack:
        yield Azure(server, owner, stack)


@dataclass(frozen=True)
class Attempt:
    """One request with what is rotated away."""

    began: float
    opened: bool


def race(knock: Callable[[], bool], rotate: Callable[[], None]) -> None:
    """Rotate while eight threads knock without a pause, and hold every one of them to the answer of the rotation."""
    attempts: list[Attempt] = []
    over = threading.Event()

    def client() -> None:
        while not over.is_set():
            began = time.monotonic()
            attempts.append(Attempt(began, knock()))

    def have_begun(after: float) -> bool:
        """Whether enough requests have; also when a client has failed, which its result says then."""
        return sum(one.began > after for one in attempts) >= BUSY or any(one.done() for one in clients)

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(client) for _ in range(CLIENTS)]
        try:
            until(lambda: have_begun(0), "the clients do not come through")
            rotate()
            answered = time.monotonic()
            until(lambda: have_begun(answered), "the clients have stopped")
        finally:
            over.set()
        for one in clients:
            one.result(PATIENCE)
    assert all(one.opened for one in attempts[:BUSY]), "before the rotation everything opens"
    assert [one for one in attempts if one.began > answered and one.opened] == []


def arm(place: Place, method: str, path: str, body: Any, version: str) -> None:
    """One request of the owner's on a connection of its own."""
    caller = place.server.owner()
    answer = caller.call(method, path, body, version=version)
    assert answer.status_code in {200, 202, 204}, answer.text


@pytest.mark.parametrize("change", ["regenerate key1", "regenerate key2", "forbid", "delete"])
def test_no_request_after_the_answer_opens_the_account_with_an_old_key(place: Place, blobs: str, change: str) -> None:
    key = place.storage_keys()[1 if change.endswith("2") else 0]
    place.blobs(key).get_blob_client("azureml", "note").upload_blob(b"hello")
    mine, where = threading.local(), place.endpoint("blob")

    def knock() -> bool:
        if not hasattr(mine, "note"):
            client = place.azure.stack.enter_context(BlobServiceClient(where, credential=key, retry_total=0))
            mine.note = client.get_blob_client("azureml", "note")
        try:
            return mine.note.download_blob().readall() == b"hello"
        except HttpResponseError as error:
            if error.status_code not in {403, 404}:
                raise
            return False

    changes = {
        "regenerate key1": ("POST", "/regenerateKey", {"keyName": "key1"}),
        "regenerate key2": ("POST", "/regenerateKey", {"keyName": "key2"}),
        "forbid": ("PATCH", "", {"properties": {"allowSharedKeyAccess": False}}),
        "delete": ("DELETE", "", None),
    }
    method, action, body = changes[change]
    race(knock, lambda: arm(place, method, place.beside.account + action, body, "2023-01-01"))


def test_the_answer_of_a_rotation_waits_for_a_blob_door_that_hangs(place: Place, blobs: str) -> None:
    old = place.storage_keys()[0]
    node = node_of(place.server)
    os.kill(node, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(1) as pool:
            rotation = pool.submit(place.regenerate_storage)
            until(lambda: place.storage_keys()[0] != old, "the new key is not committed")
            with pytest.raises(TimeoutError):
                rotation.result(0.5)
            os.kill(node, signal.SIGCONT)
            assert rotation.result(PATIENCE) == place.storage_keys()[0]
    finally:
        os.kill(node, signal.SIGCONT)
    assert refusal(lambda: place.containers(old)) == (403, "AuthenticationFailed")


@pytest.mark.parametrize("shown", ["password", "token"])
@pytest.mark.parametrize("change", ["regenerate", "switch off", "delete"])
def test_no_request_after_the_answer_opens_the_registry_with_an_old_password(
    place: Place, change: str, shown: str
) -> None:
    where, basic = f"https://{place.login_server}", (place.registry, place.passwords()["password"])
    trust, mine = place.trust(), threading.local()
    with httpx.Client(base_url=where, verify=trust) as client:
        upload = client.post("/v2/app/blobs/uploads/", auth=basic).headers["location"]
        client.put(upload, params={"digest": DIGEST}, content=b"layer", auth=basic).raise_for_status()
        granted = client.get("/oauth2/token", params={"scope": "repository:app:pull"}, auth=basic).json()
    bearer = {"Authorization": f"Bearer {granted['access_token']}"}

    def knock() -> bool:
        if not hasattr(mine, "client"):
            mine.client = place.azure.stack.enter_context(
                httpx.Client(
                    base_url=where,
                    verify=trust,
                    auth=basic if shown == "password" else None,
                    headers=bearer if shown == "token" else None,
                )
            )
        answer = mine.client.get(f"/v2/app/blobs/{DIGEST}")
        assert answer.status_code in {200, 401}, answer.text
        return bool(answer.status_code == 200)

    changes = {
        "regenerate": ("POST", "/regenerateCredential", {"name": "password"}),
        "switch off": ("PATCH", "", {"properties": {"adminUserEnabled": False}}),
        "delete": ("DELETE", "", None),
    }
    method, action, body = changes[change]
    race(knock, lambda: arm(place, method, place.beside.registry + action, body, "2023-07-01"))
