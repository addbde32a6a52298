"""Pulling: the requirements of the OCI distribution specification 1.1, section Pull, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.doors.registry.house import codes, noise
from tests.doors.registry.images import OCI_INDEX, OCI_MANIFEST, digest_of, index_of, small_image

if TYPE_CHECKING:
    from tests.doors.registry.house import Visitor

CONTENT = bytes(range(256)) * 4
MISSING = digest_of(b"never pushed")


def test_the_base_address_tells_that_this_is_a_registry(visitor: Visitor) -> None:
    answer = visitor.get("/v2/")
    assert answer.status_code == 200
    assert answer.json() == {}
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"


def test_a_manifest_is_pulled_by_tag_and_by_digest_byte_for_byte(visitor: Visitor) -> None:
    image = visitor.push_image("team/image", "v1")
    for reference in ("v1", image.digest):
        answer = visitor.get(f"/v2/team/image/manifests/{reference}", headers={"Accept": OCI_MANIFEST})
        assert answer.status_code == 200
        assert answer.content == image.body
        assert answer.headers["docker-content-digest"] == image.digest
        assert answer.headers["content-type"] == OCI_MANIFEST
        assert int(answer.headers["content-length"]) == len(image.body)


def test_a_manifest_comes_with_the_media_type_it_was_pushed_with(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    assert visitor.push_manifest("app", "all", index_of(image), OCI_INDEX).status_code == 201
    docker = "application/vnd.docker.distribution.manifest.v2+json"
    assert visitor.push_manifest("app", "docker", image.saying(mediaType=docker).document, docker).status_code == 201
    assert visitor.get("/v2/app/manifests/all").headers["content-type"] == OCI_INDEX
    assert visitor.get("/v2/app/manifests/docker").headers["content-type"] == docker


def test_a_manifest_that_is_not_there_is_not_found(visitor: Visitor) -> None:
    visitor.push_image("app", "v1")
    by_tag = visitor.get("/v2/app/manifests/v2")
    assert by_tag.status_code == 404
    assert by_tag.json()["errors"] == [
        {"code": "MANIFEST_UNKNOWN", "message": 'manifest tagged by "v2" is not found', "detail": {"Tag": "v2"}}
    ]
    by_digest = visitor.get(f"/v2/app/manifests/{MISSING}")
    assert by_digest.status_code == 404
    assert codes(by_digest) == ["MANIFEST_UNKNOWN"]


def test_a_repository_that_does_not_exist_is_not_found(visitor: Visitor) -> None:
    assert visitor.get("/v2/nowhere/manifests/v1").status_code == 404
    assert visitor.get(f"/v2/nowhere/blobs/{MISSING}").status_code == 404


def test_a_manifest_is_head_requested_with_its_length_and_without_its_body(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    for reference in ("v1", image.digest):
        answer = visitor("HEAD", f"/v2/app/manifests/{reference}")
        assert answer.status_code == 200
        assert answer.headers["docker-content-digest"] == image.digest
        assert int(answer.headers["content-length"]) == len(image.body)
        assert answer.content == b""
    assert visitor("HEAD", "/v2/app/manifests/v2").status_code == 404


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_a_blob_is_pulled_by_its_digest(visitor: Visitor, algorithm: str) -> None:
    digest = visitor.push_blob("app", CONTENT, algorithm)
    answer = visitor.get(f"/v2/app/blobs/{digest}")
    assert answer.status_code == 200
    assert answer.content == CONTENT
    assert answer.headers["docker-content-digest"] == digest
    assert answer.headers["content-type"] == "application/octet-stream"
    assert int(answer.headers["content-length"]) == len(CONTENT)


def test_a_blob_is_head_requested_with_its_length_and_without_its_body(visitor: Visitor) -> None:
    digest = visitor.push_blob("app", CONTENT)
    answer = visitor("HEAD", f"/v2/app/blobs/{digest}")
    assert answer.status_code == 200
    assert answer.headers["docker-content-digest"] == digest
    assert int(answer.headers["content-length"]) == len(CONTENT)
    assert answer.content == b""
    assert visitor("HEAD", f"/v2/app/blobs/{MISSING}").status_code == 404


def test_a_blob_that_is_not_there_is_not_found(visitor: Visitor) -> None:
    visitor.push_blob("app", CONTENT)
    answer = visitor.get(f"/v2/app/blobs/{MISSING}")
    assert answer.status_code == 404
    assert codes(answer) == ["BLOB_UNKNOWN"]


def test_a_blob_of_another_repository_is_not_found(visitor: Visitor) -> None:
    digest = visitor.push_blob("mine", CONTENT)
    visitor.push_blob("yours", b"something else")
    assert visitor.get(f"/v2/yours/blobs/{digest}").status_code == 404


def test_the_empty_blob_is_a_blob(visitor: Visitor) -> None:
    digest = visitor.push_blob("app", b"")
    answer = visitor.get(f"/v2/app/blobs/{digest}")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=10-19", 10, 20),
        ("bytes=1000-", 1000, 1024),
        ("bytes=-5", 1019, 1024),
        ("bytes=0-5000", 0, 1024),
        ("bytes=-5000", 0, 1024),
        ("bytes=1023-1023", 1023, 1024),
    ],
)
def test_a_part_of_a_blob_is_pulled_with_a_range(visitor: Visitor, asked: str, start: int, end: int) -> None:
    digest = visitor.push_blob("app", CONTENT)
    answer = visitor.get(f"/v2/app/blobs/{digest}", headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == CONTENT[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/1024"
    assert int(answer.headers["content-length"]) == end - start
    assert answer.headers["docker-content-digest"] == digest


@pytest.mark.parametrize("asked", ["bytes=1024-", "bytes=5000-6000", "bytes=-0"])
def test_a_range_outside_of_the_blob_is_refused_with_its_size(visitor: Visitor, asked: str) -> None:
    digest = visitor.push_blob("app", CONTENT)
    answer = visitor.get(f"/v2/app/blobs/{digest}", headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */1024"


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "bytes=9-3", "bytes=-", "lines=0-1", "bytes=a-b", ""])
def test_a_range_that_is_none_or_several_gets_the_whole_blob(visitor: Visitor, asked: str) -> None:
    digest = visitor.push_blob("app", CONTENT)
    answer = visitor.get(f"/v2/app/blobs/{digest}", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_what_the_client_has_already_is_not_sent_again(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    blob = digest_of(image.config)
    for path in (f"/v2/app/blobs/{blob}", "/v2/app/manifests/v1"):
        etag = visitor.get(path).headers["etag"]
        again = visitor.get(path, headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
        assert visitor.get(path, headers={"If-None-Match": '"another"'}).status_code == 200


def test_a_large_blob_comes_back_as_it_was_pushed(visitor: Visitor) -> None:
    content = noise(5 * 1024 * 1024 + 17)
    digest = visitor.push_blob("app", content)
    assert visitor.get(f"/v2/app/blobs/{digest}").content == content
    part = visitor.get(f"/v2/app/blobs/{digest}", headers={"Range": "bytes=4194304-5242880"})
    assert part.content == content[4194304:5242881]


def test_an_image_of_several_platforms_is_pulled_by_its_index(visitor: Visitor) -> None:
    images = [small_image("one", "amd64"), small_image("two", "arm64")]
    for image in images:
        visitor.push_image("app", image.digest, image)
    answer = visitor.push_manifest("app", "v1", index_of(*images), OCI_INDEX)
    assert answer.status_code == 201
    pulled = visitor.get("/v2/app/manifests/v1").json()
    assert [entry["digest"] for entry in pulled["manifests"]] == [image.digest for image in images]
    assert visitor.tags("app") == ["v1"]
