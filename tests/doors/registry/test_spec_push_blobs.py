"""Pushing blobs: the requirements of the OCI distribution specification 1.1, one by one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.doors.registry.house import closing, codes, noise
from tests.doors.registry.images import digest_of

if TYPE_CHECKING:
    import httpx

    from tests.doors.registry.house import Visitor

CONTENT = bytes(range(256)) * 4
ALGORITHMS = pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def chunk(visitor: Visitor, location: str, content: bytes, start: int, method: str = "PATCH") -> httpx.Response:
    headers = {"Content-Range": f"{start}-{start + len(content) - 1}", "Content-Type": "application/octet-stream"}
    return visitor(method, location, content=content, headers=headers)


# ── blobs, at once ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_upload_is_begun_with_a_location_that_holds_a_session_id(visitor: Visitor) -> None:
    answer = visitor("POST", "/v2/team/image/blobs/uploads/")
    assert answer.status_code == 202
    assert answer.headers["location"].startswith("/v2/team/image/blobs/uploads/")
    assert UUID.search(answer.headers["location"])
    assert answer.headers["range"] == "0-0"
    assert answer.headers["docker-upload-uuid"] in answer.headers["location"]


@ALGORITHMS
def test_a_blob_is_pushed_with_post_and_put(visitor: Visitor, algorithm: str) -> None:
    digest = digest_of(CONTENT, algorithm)
    answer = visitor("PUT", visitor.begin("app"), params={"digest": digest}, content=CONTENT)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v2/app/blobs/{digest}"
    assert answer.headers["docker-content-digest"] == digest
    assert visitor.get(answer.headers["location"]).content == CONTENT


@ALGORITHMS
def test_a_blob_is_pushed_with_a_single_post(visitor: Visitor, algorithm: str) -> None:
    digest = digest_of(CONTENT, algorithm)
    answer = visitor("POST", "/v2/app/blobs/uploads/", params={"digest": digest}, content=CONTENT)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v2/app/blobs/{digest}"
    assert visitor.get(answer.headers["location"]).content == CONTENT


@pytest.mark.parametrize("way", ["post", "put", "chunks", "stream"])
@ALGORITHMS
def test_a_blob_that_is_not_what_its_digest_says_is_refused_and_not_there(
    visitor: Visitor, way: str, algorithm: str
) -> None:
    digest = digest_of(b"something else", algorithm)
    if way == "post":
        answer = visitor("POST", "/v2/app/blobs/uploads/", params={"digest": digest}, content=CONTENT)
    else:
        location = visitor.begin("app")
        if way == "chunks":
            assert chunk(visitor, location, CONTENT, 0).status_code == 202
        if way == "stream":
            assert visitor("PATCH", location, content=CONTENT).status_code == 202
        body = CONTENT if way == "put" else b""
        answer = visitor("PUT", location, params={"digest": digest}, content=body)
        assert visitor.get(location).status_code == 404  # the upload has failed and is over
    assert answer.status_code == 400
    assert codes(answer) == ["DIGEST_INVALID"]
    assert not visitor.has_blob("app", digest)
    assert not visitor.has_blob("app", digest_of(CONTENT, algorithm))


@pytest.mark.parametrize("digest", ["", "sha256:short", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:" + "Z" * 64])
def test_a_digest_that_is_none_is_refused(visitor: Visitor, digest: str) -> None:
    answer = visitor("PUT", visitor.begin("app"), params={"digest": digest}, content=CONTENT)
    assert answer.status_code == 400
    assert codes(answer) == ["DIGEST_INVALID"]


def test_a_closing_put_without_a_digest_is_refused_and_the_upload_goes_on(visitor: Visitor) -> None:
    location = visitor.begin("app")
    assert visitor("PATCH", location, content=CONTENT).status_code == 202
    assert visitor("PUT", location).status_code == 400
    assert visitor("PUT", location, params={"digest": digest_of(CONTENT)}).status_code == 201


def test_a_blob_may_be_pushed_again(visitor: Visitor) -> None:
    assert visitor.push_blob("app", CONTENT) == visitor.push_blob("app", CONTENT)
    assert visitor.push_blob("other", CONTENT) == digest_of(CONTENT)
    assert visitor.get(f"/v2/app/blobs/{digest_of(CONTENT)}").content == CONTENT


# ── blobs, in chunks ────────────────────────────────────────────────────────────────────────────────────────────────


@ALGORITHMS
def test_a_blob_is_pushed_in_chunks_and_closed_with_an_empty_put(visitor: Visitor, algorithm: str) -> None:
    location = visitor.begin("app")
    for start in range(0, len(CONTENT), 300):
        answer = chunk(visitor, location, CONTENT[start : start + 300], start)
        assert answer.status_code == 202
        assert answer.headers["range"] == f"0-{min(start + 300, len(CONTENT)) - 1}"
        location = answer.headers["location"]
    digest = digest_of(CONTENT, algorithm)
    closed = visitor("PUT", location, params={"digest": digest})
    assert closed.status_code == 201
    assert visitor.get(closed.headers["location"]).content == CONTENT


@ALGORITHMS
def test_the_last_chunk_may_come_with_the_closing_put(visitor: Visitor, algorithm: str) -> None:
    location = chunk(visitor, visitor.begin("app"), CONTENT[:500], 0).headers["location"]
    digest = digest_of(CONTENT, algorithm)
    closed = chunk(visitor, f"{location}?digest={digest}", CONTENT[500:], 500, method="PUT")
    assert closed.status_code == 201
    assert visitor.get(closed.headers["location"]).content == CONTENT


def test_a_blob_is_pushed_as_one_stream_without_ranges(visitor: Visitor) -> None:
    content = noise(3 * 1024 * 1024)
    pieces = (content[start : start + 100_000] for start in range(0, len(content), 100_000))
    answer = visitor("PATCH", visitor.begin("app"), content=pieces)
    assert answer.status_code == 202
    assert answer.headers["range"] == f"0-{len(content) - 1}"
    closed = visitor("PUT", answer.headers["location"], params={"digest": digest_of(content)})
    assert closed.status_code == 201
    assert visitor.get(closed.headers["location"]).content == content


@pytest.mark.parametrize(("before", "start"), [(0, 500), (500, 0), (500, 499), (500, 501), (500, 800)])
def test_a_chunk_out_of_order_is_refused_with_where_to_go_on(visitor: Visitor, before: int, start: int) -> None:
    location = visitor.begin("app")
    if before:
        chunk(visitor, location, CONTENT[:before], 0)
    answer = chunk(visitor, location, CONTENT[start : start + 100], start)
    assert answer.status_code == 416
    assert answer.headers["location"] == location
    assert answer.headers["range"] == f"0-{max(before - 1, 0)}"
    chunk(visitor, location, CONTENT[before:], before)
    assert visitor("PUT", location, params={"digest": digest_of(CONTENT)}).status_code == 201


def test_a_closing_put_out_of_order_is_refused(visitor: Visitor) -> None:
    location = visitor.begin("app")
    chunk(visitor, location, CONTENT[:500], 0)
    closing = f"{location}?digest={digest_of(CONTENT)}"
    assert chunk(visitor, closing, CONTENT[600:], 600, method="PUT").status_code == 416
    assert chunk(visitor, closing, CONTENT[500:], 500, method="PUT").status_code == 201


@pytest.mark.parametrize("text", ["500-", "-500", "0-x", "0 - 9", "bytes 0-9/10", "9-0", "", "0-9,10-19"])
def test_a_content_range_that_is_none_is_refused(visitor: Visitor, text: str) -> None:
    answer = visitor("PATCH", visitor.begin("app"), content=CONTENT[:10], headers={"Content-Range": text})
    assert answer.status_code == 416


def test_a_chunk_that_is_not_as_long_as_its_range_is_refused_and_not_kept(visitor: Visitor) -> None:
    location = visitor.begin("app")
    answer = visitor("PATCH", location, content=CONTENT[:10], headers={"Content-Range": "0-19"})
    assert answer.status_code == 400
    assert codes(answer) == ["SIZE_INVALID"]
    streamed = visitor("PATCH", location, content=iter([CONTENT[:100]]), headers={"Content-Range": "0-9"})
    assert streamed.status_code == 400
    assert codes(streamed) == ["SIZE_INVALID"]
    assert visitor.get(location).headers["range"] == "0-0"
    chunk(visitor, location, CONTENT, 0)
    assert visitor("PUT", location, params={"digest": digest_of(CONTENT)}).status_code == 201


def test_the_status_of_an_upload_tells_how_far_it_has_come(visitor: Visitor) -> None:
    location = visitor.begin("app")
    fresh = visitor.get(location)
    assert (fresh.status_code, fresh.headers["range"], fresh.headers["location"]) == (204, "0-0", location)
    chunk(visitor, location, CONTENT[:300], 0)
    assert visitor.get(location).headers["range"] == "0-299"


def test_a_cancelled_upload_is_gone(visitor: Visitor) -> None:
    location = visitor.begin("app")
    chunk(visitor, location, CONTENT[:300], 0)
    assert visitor("DELETE", location).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        answer = visitor(method, location)
        assert answer.status_code == 404
        assert codes(answer) == ["BLOB_UPLOAD_UNKNOWN"]


def test_a_finished_upload_is_unknown(visitor: Visitor) -> None:
    location = visitor.begin("app")
    assert visitor("PUT", closing(location, digest_of(CONTENT)), content=CONTENT).status_code == 201
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        answer = visitor(method, closing(location, digest_of(CONTENT)))
        assert (answer.status_code, codes(answer)) == (404, ["BLOB_UPLOAD_UNKNOWN"])


# ── mounting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_blob_is_mounted_from_another_repository(visitor: Visitor) -> None:
    digest = visitor.push_blob("base", CONTENT)
    answer = visitor("POST", "/v2/app/blobs/uploads/", params={"mount": digest, "from": "base"})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v2/app/blobs/{digest}"
    assert answer.headers["docker-content-digest"] == digest
    assert visitor.get(f"/v2/app/blobs/{digest}").content == CONTENT


@pytest.mark.parametrize(
    "query",
    [
        {"mount": digest_of(b"never pushed"), "from": "base"},
        {"mount": digest_of(CONTENT), "from": "nowhere"},
        {"mount": digest_of(CONTENT)},
        {"mount": "nonsense", "from": "base"},
        {"mount": digest_of(CONTENT), "from": "../base"},
    ],
)
def test_a_mount_that_cannot_be_becomes_an_upload(visitor: Visitor, query: dict[str, str]) -> None:
    visitor.push_blob("base", CONTENT)
    answer = visitor("POST", "/v2/app/blobs/uploads/", params=query)
    assert answer.status_code == 202
    closed = visitor("PUT", answer.headers["location"], params={"digest": digest_of(CONTENT)}, content=CONTENT)
    assert closed.status_code == 201
