"""What nobody should send: names that lead elsewhere, bodies that are none."""

from __future__ import annotations

import http.client
import json
import socket
from typing import TYPE_CHECKING

import pytest

from tests.doors.registry.house import codes, noise
from tests.doors.registry.images import OCI_MANIFEST, digest_of

if TYPE_CHECKING:
    from tests.doors.registry.house import House, Visitor

CONTENT = noise(100_000)


def raw(house: House, text: str, body: bytes = b"") -> bytes:
    """Send bytes that no client would, and return the answer; they must ask for the connection to be closed."""
    with socket.create_connection(("127.0.0.1", house.listener.port), timeout=10) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode() + b"\r\n" + body)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def literally(house: House, method: str, path: str, body: bytes = b"") -> tuple[int, list[str], str]:
    """Ask for a path as it is written here, which httpx would tidy up; returns status, codes and headers."""
    connection = http.client.HTTPConnection("127.0.0.1", house.listener.port, timeout=20)
    connection.request(method, path, body, {"Authorization": house.authorization()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    found = [error["code"] for error in json.loads(content)["errors"]] if content else []
    return answer.status, found, str(answer.headers)


def files_below(house: House) -> set[str]:
    return {path.name for path in house.root.rglob("*")}


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "../otherregistry",
        "%2e%2e%2fotherregistry",
        "..%2f..%2fetc",
        "a/../b",
        "a//b",
        "/a",
        "a/",
        "A",
        "a..b",
        "a_",
        "-a",
        "a%00b",
        "a%0d%0aX-Injected:%20yes",
        "a%22,b",
        "a%20b",
        "%C3%A4",
        "%ff",
        "x" * 256,
    ],
)
def test_a_repository_name_that_is_none_is_refused_and_leaves_no_trace(
    visitor: Visitor, house: House, name: str
) -> None:
    visitor.get("/v2/")
    before = files_below(house)
    for method, path in (("POST", "blobs/uploads/"), ("GET", "tags/list"), ("PUT", "manifests/v1")):
        status, found, headers = literally(house, method, f"/v2/{name}/{path}")
        assert status in {400, 404}
        assert found[0] in {"NAME_INVALID", "UNSUPPORTED"}
        assert "x-injected" not in headers.lower()
    assert literally(house, "GET", f"/acr/v1/{name}/_tags")[0] in {400, 404}
    assert files_below(house) == before


@pytest.mark.parametrize(
    "reference", ["..", "%2e%2e", ".hidden", "-x", "a%00b", "a%20b", "v1%0d%0aX:y", "x" * 129, "a:b", "%C3%A4"]
)
def test_a_reference_that_is_none_is_refused(house: House, visitor: Visitor, reference: str) -> None:
    image = visitor.push_image("app", "v1")
    for method in ("GET", "HEAD", "DELETE", "PUT"):
        status, _, headers = literally(house, method, f"/v2/app/manifests/{reference}", image.body)
        assert status == 400
        assert "\nx:" not in headers.lower()
    assert visitor.tags("app") == ["v1"]


@pytest.mark.parametrize(
    "digest", ["sha256:..", "sha256:../../index.sqlite", "sha256%3A%2e%2e%2findex.sqlite", "sha256", "x:y"]
)
def test_a_blob_digest_that_leads_elsewhere_is_refused(house: House, visitor: Visitor, digest: str) -> None:
    visitor.push_blob("app", CONTENT)
    for method in ("GET", "HEAD", "DELETE"):
        assert literally(house, method, f"/v2/app/blobs/{digest}")[0] in {400, 404}


@pytest.mark.parametrize(
    "upload", ["..", "%2e%2e%2f%2e%2e%2findex.sqlite", "x", "00000000-0000-0000-0000-000000000000"]
)
def test_an_upload_that_does_not_exist_is_not_found(house: House, visitor: Visitor, upload: str) -> None:
    visitor.begin("app")
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        path = f"/v2/app/blobs/uploads/{upload}?digest={digest_of(CONTENT)}"
        status, found, _ = literally(house, method, path)
        assert status == 404
        assert found[0] in {"BLOB_UPLOAD_UNKNOWN", "UNSUPPORTED"}


def test_an_upload_is_unknown_under_another_repository(visitor: Visitor) -> None:
    location = visitor.begin("app").replace("/v2/app/", "/v2/other/")
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        assert visitor(method, location, params={"digest": digest_of(b"")}).status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/v2/app", "/v2/app/manifests/", "/v2/app/blobs/", "/v1/", "/acr/v2/app", "/metrics"]
)
def test_an_address_where_nothing_is_is_not_found(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)
    assert (answer.status_code, codes(answer)) == (404, ["UNSUPPORTED"])


@pytest.mark.parametrize("host", ['a",evil="b', "a b", "a/b", "x" * 300, ""])
def test_a_host_that_is_none_is_refused_before_it_gets_into_an_answer(house: House, host: str) -> None:
    answer = raw(house, f"GET /v2/ HTTP/1.1\nHost: {host}\nConnection: close\n")
    assert b" 400 " in answer.split(b"\r\n")[0]
    assert b"evil" not in answer


def test_header_values_that_are_no_text_do_no_harm(house: House) -> None:
    for header in (b"Authorization: Basic \xff\xfe", b"X-Ms-Client-Request-Id: \xff", b"Range: \xff"):
        with socket.create_connection(("127.0.0.1", house.listener.port), timeout=10) as connection:
            connection.sendall(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + header + b"\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 401 ")


def test_too_many_query_parameters_are_refused(visitor: Visitor) -> None:
    assert visitor.get("/v2/_catalog?" + "&".join(["n=1"] * 200)).status_code == 400


# ── bodies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", "it is not JSON"),
        (b"no json", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[]", "it is not a JSON object"),
        (b"null", "it is not a JSON object"),
    ],
)
def test_a_manifest_that_is_no_json_object_is_refused(visitor: Visitor, body: bytes, fault: str) -> None:
    answer = visitor("PUT", "/v2/app/manifests/v1", content=body, headers={"Content-Type": OCI_MANIFEST})
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"code": "MANIFEST_INVALID", "message": f"manifest invalid: {fault}"}]


def test_a_manifest_longer_than_announced_is_refused_while_it_comes(house: House) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", house.listener.port, timeout=20)
    headers = {"Authorization": house.authorization(), "Content-Type": OCI_MANIFEST}
    endless = (b"x" * 65536 for _ in range(100))
    connection.request("PUT", "/v2/app/manifests/v1", endless, headers, encode_chunked=True)
    answer = connection.getresponse()
    assert answer.status == 413
    answer.read()
    connection.close()


def test_a_form_that_is_too_long_or_no_text_is_refused(visitor: Visitor) -> None:
    assert visitor("POST", "/oauth2/token", content=b"x" * 300_000).status_code == 413
    assert visitor("POST", "/oauth2/token", content=b"\xff=\xff").status_code == 400
    assert visitor("POST", "/oauth2/token", content=b"a=1&" * 200).status_code == 400


def test_a_large_body_without_credentials_gets_its_refusal_and_the_connection_lives(house: House) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", house.listener.port, timeout=20)
    for _ in range(2):
        connection.request("PATCH", "/v2/app/blobs/uploads/x", b"x" * 4 * 1024 * 1024)
        answer = connection.getresponse()
        assert answer.status == 401
        assert b"UNAUTHORIZED" in answer.read()
    connection.close()
