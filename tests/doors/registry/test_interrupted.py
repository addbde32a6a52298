"""Clients that go away, fall silent or get in each other's way; and a disk that is full."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.doors.registry.house import REGISTRY, codes, eventually, noise
from tests.doors.registry.images import OCI_MANIFEST, digest_of, small_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.doors.registry.conftest import Opened
    from tests.doors.registry.house import House, Visitor

CONTENT = noise(100_000)


def abandon(house: House, method: str, location: str, content: bytes, announced: int) -> None:
    """Send less than was announced, and go."""
    head = f"{method} {location} HTTP/1.1\nHost: {house.host}\nAuthorization: {house.authorization()}\n"
    with socket.create_connection(("127.0.0.1", house.listener.port), timeout=10) as connection:
        text = f"{head}Content-Length: {announced}\n"
        connection.sendall(text.replace("\n", "\r\n").encode() + b"\r\n" + content)


def test_a_client_that_went_away_goes_on_where_it_was(house: House, visitor: Visitor) -> None:
    location = visitor.begin("app")
    abandon(house, "PATCH", location, CONTENT[:60_000], len(CONTENT))
    eventually(lambda: visitor.get(location).headers["range"] == "0-59999")

    def goes_on() -> bool:
        headers = {"Content-Range": f"60000-{len(CONTENT) - 1}"}
        return visitor("PATCH", location, content=CONTENT[60_000:], headers=headers).status_code == 202

    eventually(goes_on)
    assert visitor("PUT", location, params={"digest": digest_of(CONTENT)}).status_code == 201
    assert visitor.get(f"/v2/app/blobs/{digest_of(CONTENT)}").content == CONTENT


def test_a_closing_put_that_broke_off_leaves_no_blob_and_an_upload_to_go_on_with(
    house: House, visitor: Visitor
) -> None:
    location = visitor.begin("app")
    digest = digest_of(CONTENT)
    abandon(house, "PUT", f"{location}?digest={digest}", CONTENT[:60_000], len(CONTENT))
    eventually(lambda: visitor.get(location).headers["range"] == "0-59999")
    assert not visitor.has_blob("app", digest)

    def goes_on() -> bool:
        return visitor("PUT", location, params={"digest": digest}, content=CONTENT[60_000:]).status_code == 201

    eventually(goes_on)
    assert visitor.get(f"/v2/app/blobs/{digest}").content == CONTENT


def test_a_single_post_that_broke_off_leaves_nothing(house: House, visitor: Visitor) -> None:
    visitor.get("/v2/")
    path = f"/v2/app/blobs/uploads/?digest={digest_of(CONTENT)}"
    abandon(house, "POST", path, CONTENT[:60_000], len(CONTENT))
    uploads = house.root / REGISTRY / "uploads"
    eventually(lambda: any(uploads.glob("*")) and not any(uploads.glob("*/*")))
    assert not visitor.has_blob("app", digest_of(CONTENT))


def test_a_manifest_that_broke_off_is_not_kept(house: House, visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    larger = image.saying(annotations={"a": "b"}).body
    abandon(house, "PUT", "/v2/app/manifests/v2", larger[:-5], len(larger))
    abandon(house, "PUT", "/v2/app/manifests/v2", image.body, len(image.body) + 1)  # what came is a manifest itself
    visitor.push_image("app", "v3", small_image("later"))
    assert visitor.tags("app") == ["v1", "v3"]


@pytest.fixture
def impatient(opened: Opened) -> Iterator[House]:
    with opened(patience=0.3) as house:
        yield house


def test_a_client_that_says_nothing_more_is_given_up_and_may_come_back(impatient: House) -> None:
    with impatient.visitor(REGISTRY, impatient.desk.passwords[REGISTRY][0]) as visitor:
        location = visitor.begin("app")
        head = f"PATCH {location} HTTP/1.1\nHost: {impatient.host}\nAuthorization: {impatient.authorization()}\n"
        with socket.create_connection(("127.0.0.1", impatient.listener.port), timeout=10) as silent:
            text = f"{head}Content-Length: {len(CONTENT)}\n"
            silent.sendall(text.replace("\n", "\r\n").encode() + b"\r\n" + CONTENT[:60_000])
            assert silent.recv(65536).startswith(b"HTTP/1.1 408 ")
        assert visitor.get(location).headers["range"] == "0-59999"
        headers = {"Content-Range": f"60000-{len(CONTENT) - 1}"}
        assert visitor("PATCH", location, content=CONTENT[60_000:], headers=headers).status_code == 202
        assert visitor("PUT", location, params={"digest": digest_of(CONTENT)}).status_code == 201


def test_a_slow_client_that_keeps_sending_is_served(impatient: House) -> None:
    pause = threading.Event()

    def drops() -> Iterator[bytes]:
        for start in range(0, 50_000, 10_000):
            pause.wait(0.15)  # half of what the server puts up with; four of them are twice as much
            yield CONTENT[start : start + 10_000]

    with impatient.visitor(REGISTRY, impatient.desk.passwords[REGISTRY][0]) as visitor:
        location = visitor.begin("app")
        assert visitor("PATCH", location, content=drops()).status_code == 202
        assert visitor.get(location).headers["range"] == "0-49999"


class Slow:
    """A PATCH that stops in the middle of its body until it is told to go on."""

    def __init__(self, house: House, location: str) -> None:
        self.is_in, self._go_on = threading.Event(), threading.Event()
        self._answers: list[httpx.Response] = []
        self._thread = threading.Thread(target=self._patch, args=(house, location))
        self._thread.start()
        assert self.is_in.wait(20)

    def _patch(self, house: House, location: str) -> None:
        with house.visitor(REGISTRY, house.desk.passwords[REGISTRY][0]) as visitor:
            self._answers.append(visitor("PATCH", location, content=self._body()))

    def _body(self) -> Iterator[bytes]:
        yield CONTENT[:50_000]
        self.is_in.set()
        self._go_on.wait(20)
        yield CONTENT[50_000:]

    def finish(self) -> httpx.Response:
        self._go_on.set()
        self._thread.join()
        return self._answers[0]


def test_two_requests_do_not_write_to_one_upload(house: House, visitor: Visitor) -> None:
    for _ in range(10):
        location = visitor.begin("app")
        slow = Slow(house, location)
        if visitor("PATCH", location, content=b"").status_code == 409:
            break
        slow.finish()  # the short one was faster, and there was nothing to refuse
    for method in ("PATCH", "PUT", "DELETE"):
        refused = visitor(method, location, params={"digest": digest_of(b"x")}, content=b"x")
        assert refused.status_code == 409
        assert codes(refused) == ["BLOB_UPLOAD_INVALID"]
    assert slow.finish().status_code == 202
    assert visitor("PUT", location, params={"digest": digest_of(CONTENT)}).status_code == 201


def test_a_blob_whose_file_is_gone_is_not_found_and_may_be_pushed_again(house: House, visitor: Visitor) -> None:
    digest = visitor.push_blob("app", CONTENT)
    (house.root / REGISTRY / "blobs/sha256" / digest.removeprefix("sha256:")).unlink()
    assert visitor.get(f"/v2/app/blobs/{digest}").status_code == 404
    assert not visitor.has_blob("app", digest)
    visitor.push_blob("app", CONTENT)
    assert visitor.get(f"/v2/app/blobs/{digest}").content == CONTENT


def test_a_full_disk_is_said_to_be_one_and_nothing_is_half_there(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = visitor.begin("app")

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("linarite.doors.registry.uploads.os.write", full)
        answer = visitor("PATCH", location, content=CONTENT)
    assert answer.status_code == 503
    assert codes(answer) == ["UNAVAILABLE"]
    assert answer.headers["retry-after"] == "10"
    assert visitor.get(location).headers["range"] == "0-0"
    assert visitor("PUT", location, params={"digest": digest_of(CONTENT)}, content=CONTENT).status_code == 201


def test_deep_and_odd_values_in_a_manifest_are_refused_and_never_a_fault_of_ours(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    odd: list[Any] = [None, True, 0, -1, 1.5, 2**64, 10**400, "x", [], [[]], {}, {"digest": []}, {"digest": "sha256:x"}]
    for member in (
        "schemaVersion",
        "mediaType",
        "artifactType",
        "config",
        "layers",
        "manifests",
        "subject",
        "annotations",
    ):
        for value in odd:
            body = json.dumps(image.saying(**{member: value}).document).encode()
            answer = visitor("PUT", "/v2/app/manifests/odd", content=body, headers={"Content-Type": OCI_MANIFEST})
            assert answer.status_code in {201, 400}, (member, value)


def test_a_refused_body_without_end_is_not_read_to_it(house: House) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", house.listener.port, timeout=30)
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 256 * 1024 * 1024:
            sent += 1024 * 1024
            yield bytes(1024 * 1024)

    with contextlib.suppress(ConnectionError):  # the server answers and hangs up
        connection.request("PATCH", "/v2/app/blobs/uploads/x", endless(), encode_chunked=True)
    connection.close()
    assert 16 * 1024 * 1024 < sent < 64 * 1024 * 1024


@pytest.mark.parametrize("path", ["/oauth2/token", "/v2/app/manifests/v1", "/v2/app/blobs/uploads/x"])
def test_a_body_that_trickles_is_not_waited_for(impatient: House, path: str) -> None:
    method = "POST" if path.startswith("/oauth2") else "PATCH" if "uploads" in path else "PUT"
    signed_in = f"Authorization: {impatient.authorization()}\n" if method == "PUT" else ""
    head = f"{method} {path} HTTP/1.1\nHost: {impatient.host}\n{signed_in}Content-Length: 1000\n"
    stop = threading.Event()
    with socket.create_connection(("127.0.0.1", impatient.listener.port), timeout=10) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n")

        def trickle() -> None:
            with contextlib.suppress(OSError):
                while not stop.wait(0.05):
                    connection.sendall(b"x")

        trickling = threading.Thread(target=trickle)
        trickling.start()
        answer = connection.recv(65536)
        stop.set()
        trickling.join()
    assert answer.startswith(b"HTTP/1.1 401 " if method == "PATCH" else b"HTTP/1.1 408 ")


@pytest.mark.parametrize("place", [REGISTRY, f"{REGISTRY}/uploads", f"{REGISTRY}/blobs"])
def test_a_folder_that_cannot_be_made_is_tried_again(house: House, visitor: Visitor, place: str) -> None:
    in_the_way = house.root / place
    in_the_way.parent.mkdir(parents=True, exist_ok=True)
    in_the_way.write_text("not a folder", encoding="ascii")
    answer = visitor.get("/v2/")
    assert (answer.status_code, codes(answer)) == (503, ["UNAVAILABLE"])
    assert in_the_way.read_text(encoding="ascii") == "not a folder"
    in_the_way.unlink()
    assert visitor.get("/v2/").status_code == 200


def test_what_is_no_index_is_left_alone_until_it_is_gone(house: House, visitor: Visitor) -> None:
    index = house.root / REGISTRY / "index.sqlite"
    index.parent.mkdir(parents=True)
    index.write_bytes(b"no index" * 1000)
    assert visitor.get("/v2/").status_code == 503
    assert index.read_bytes() == b"no index" * 1000
    index.unlink()
    assert visitor.get("/v2/").status_code == 200


def test_an_index_of_a_later_release_is_left_alone(house: House, visitor: Visitor) -> None:
    folder = house.root / REGISTRY
    folder.mkdir(parents=True)
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite")) as later:
        later.execute("PRAGMA user_version = 999")
        assert visitor.get("/v2/").status_code == 503
        assert later.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
