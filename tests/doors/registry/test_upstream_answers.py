"""What the door makes of an upstream that says what it should not: the registry's words, and never a 500."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from linarite.doors.registry.upstream import Address, operations
from linarite.listener import Listener
from tests.doors.registry.house import REGISTRY, codes, noise
from tests.doors.registry.images import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.doors.registry.conftest import Opened
    from tests.doors.registry.house import House, Visitor

BLOB = f"/v2/app/blobs/{digest_of(b'')}"
BUSY = (503, ["UNAVAILABLE"])


@dataclass
class Saying:
    """An upstream that gives one answer to everything, and takes down what it was asked."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"{}"
    breaks_off: bool = False
    asked: Any = None

    async def __call__(self, scope: Any, protocol: Any) -> None:
        await protocol()
        self.asked = scope
        if self.breaks_off:
            length = [("content-length", str(len(self.body) + 1))]
            await protocol.response_stream(self.status, length).send_bytes(self.body)
        else:
            protocol.response_bytes(self.status, list(self.headers), self.body)


@pytest.fixture
def saying() -> Saying:
    return Saying()


@pytest.fixture
def visitor(opened: Opened, house: House, saying: Saying) -> Iterator[Visitor]:
    """The admin user, at a door before that upstream."""
    listener = Listener(saying, "127.0.0.1")
    house.run(listener.start())
    upstream = f"http://user:p%40ss@127.0.0.1:{listener.port}"
    with opened(upstream=upstream) as front, front.visitor(REGISTRY, front.desk.passwords[REGISTRY][0]) as visitor:
        yield visitor
    house.run(listener.stop())


@pytest.mark.parametrize("status", [500, 502, 503, 401, 403])
def test_an_upstream_in_trouble_or_that_distrusts_us_makes_the_door_busy(
    visitor: Visitor, saying: Saying, status: int
) -> None:
    saying.status, saying.body = status, b"<html>nginx</html>"
    for method, path in (("GET", "/v2/"), ("GET", BLOB), ("HEAD", BLOB), ("POST", "/v2/app/blobs/uploads/")):
        answer = visitor(method, path)
        assert (answer.status_code, codes(answer) if answer.content else BUSY[1]) == BUSY
        assert answer.headers["retry-after"] == "10"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<html>", "NAME_UNKNOWN"),
        (b"[]", "NAME_UNKNOWN"),
        (b'{"errors": 1}', "NAME_UNKNOWN"),
        (b'{"errors": [1, {"code": 1}]}', "NAME_UNKNOWN"),
        (b'{"errors": [{"code": "BLOB_UNKNOWN"}]}', "BLOB_UNKNOWN"),
    ],
)
def test_a_refusal_comes_in_the_envelope_whatever_it_came_in(
    visitor: Visitor, saying: Saying, body: bytes, code: str
) -> None:
    saying.status, saying.body = 404, body
    answer = visitor.get(BLOB)
    assert (answer.status_code, codes(answer)) == (404, [code])


def test_a_refusal_tells_nothing_of_the_name_space(visitor: Visitor, saying: Saying) -> None:
    error = {"code": "NAME_UNKNOWN", "message": f"no {REGISTRY}/app", "detail": {"name": f"{REGISTRY}/app"}}
    saying.status, saying.body = 404, json.dumps({"errors": [error]}).encode()
    [told] = visitor.get("/v2/app/tags/list").json()["errors"]
    assert told == {"code": "NAME_UNKNOWN", "message": "no app", "detail": {"name": "app"}}


def test_a_client_that_should_wait_is_told_how_long(visitor: Visitor, saying: Saying) -> None:
    saying.status, saying.headers = 429, (("retry-after", "7"),)
    answer = visitor.get(BLOB)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize("location", ["/v2/other/blobs/uploads/1", "http://elsewhere/upload", "uploads/1", ""])
def test_an_upload_that_leads_out_of_the_name_space_is_not_passed_on(
    visitor: Visitor, saying: Saying, location: str
) -> None:
    saying.status, saying.headers = 202, (("location", location),)
    answer = visitor("POST", "/v2/app/blobs/uploads/")
    assert (answer.status_code, codes(answer)) == BUSY


def test_a_blob_may_lie_elsewhere(visitor: Visitor, saying: Saying) -> None:
    saying.status, saying.headers = 307, (("location", "https://storage.example/blob?signature=x"),)
    answer = visitor.get(BLOB)
    assert (answer.status_code, answer.headers["location"]) == (307, "https://storage.example/blob?signature=x")


@pytest.mark.parametrize("body", [b"no json", b"[]", b"{}", b'{"repositories": 1, "tags": 1}', b"x" * 2000])
def test_a_list_that_is_none_is_not_passed_on(
    visitor: Visitor, saying: Saying, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(operations, "LARGEST_LIST", 1000)
    saying.body = body
    for path in ("/v2/_catalog", "/v2/app/tags/list"):
        answer = visitor.get(path)
        assert (answer.status_code, codes(answer)) == BUSY


def test_what_the_catalog_has_of_others_is_left_out(visitor: Visitor, saying: Saying) -> None:
    names = ["other/app", f"{REGISTRY}/app", f"{REGISTRY}2/app", REGISTRY, "library"]
    saying.body = json.dumps({"repositories": names}).encode()
    assert visitor.get("/v2/_catalog").json() == {"repositories": ["app"]}


@pytest.mark.parametrize("source", [{}, {"from": "Not/A/Name"}, {"from": "../other/app"}])
def test_a_mount_from_nowhere_in_particular_is_not_asked_for(
    visitor: Visitor, saying: Saying, source: dict[str, str]
) -> None:
    saying.status, saying.headers = 202, (("location", f"/v2/{REGISTRY}/app/blobs/uploads/1"),)
    visitor("POST", "/v2/app/blobs/uploads/", params={"mount": digest_of(b""), **source})
    assert saying.asked.query_string == ""


def test_a_list_without_end_is_not_followed_for_ever(visitor: Visitor, saying: Saying) -> None:
    saying.headers = (("link", '</v2/_catalog?last=z>; rel="next"'),)
    saying.body = json.dumps({"repositories": [f"{REGISTRY}/app", "z"]}).encode()
    assert set(visitor.get("/v2/_catalog").json()["repositories"]) == {"app"}


def test_a_body_that_breaks_off_is_not_passed_for_a_whole_one(visitor: Visitor, saying: Saying) -> None:
    saying.body, saying.breaks_off = noise(300_000), True
    with pytest.raises(httpx.RemoteProtocolError):
        visitor.get(BLOB)
    saying.breaks_off = False
    assert visitor.get(BLOB).content == saying.body
    saying.body, saying.breaks_off = b"half a manifest", True
    assert visitor.get("/v2/app/manifests/v1").status_code == 503


def test_headers_of_either_side_that_are_not_the_registrys_stay_there(visitor: Visitor, saying: Saying) -> None:
    saying.headers = (("set-cookie", "a=b"), ("server", "secret/1.0"), ("etag", '"x"'))
    answer = visitor.get(BLOB, headers={"Cookie": "a=b", "X-Forwarded-For": "1.2.3.4", "Range": "bytes=0-1"})
    assert answer.headers["etag"] == '"x"'
    assert answer.headers["server"] != "secret/1.0"
    assert "set-cookie" not in answer.headers
    assert set(saying.asked.headers.keys()) <= {"host", "authorization", "accept", "range"}
    assert saying.asked.headers["authorization"] == "Basic dXNlcjpwQHNz", "the upstream's user, and not the visitor"


@pytest.mark.parametrize("upload", ["..", "%2e%2e", ".", "a%3Fb", "a%23b", "%C3%A4", "a%00b", "x" * 600])
def test_an_upload_whose_id_leads_elsewhere_is_unknown(visitor: Visitor, saying: Saying, upload: str) -> None:
    answer = visitor("PATCH", f"/v2/app/blobs/uploads/{upload}", content=b"x")
    assert answer.status_code in {400, 404, 405}
    assert saying.asked is None


def test_an_address_does_not_print_its_password() -> None:
    address = Address.read("https://user:hunter2@registry.example:5000")
    assert str(address) == "https://registry.example:5000"
    assert "hunter2" not in repr(address)
    assert str(Address.read("unix:///run/with%20space")) == "/run/with space"
