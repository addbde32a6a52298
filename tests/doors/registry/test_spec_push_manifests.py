"""Pushing manifests: the requirements of the OCI distribution specification 1.1, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.doors.registry.house import codes
from tests.doors.registry.images import OCI_INDEX, OCI_MANIFEST, artifact, descriptor, digest_of, index_of, small_image

if TYPE_CHECKING:
    from tests.doors.registry.house import Visitor

ALGORITHMS = pytest.mark.parametrize("algorithm", ["sha256", "sha512"])


def test_a_manifest_is_pushed_under_a_tag(visitor: Visitor) -> None:
    image = small_image("hello")
    for blob in image.blobs:
        visitor.push_blob("app", blob)
    answer = visitor.push_manifest("app", "v1", image.document)
    assert answer.status_code == 201
    assert answer.headers["docker-content-digest"] == image.digest
    assert visitor.get(answer.headers["location"]).content == image.body


@ALGORITHMS
def test_a_manifest_is_pushed_under_its_digest(visitor: Visitor, algorithm: str) -> None:
    image = small_image("hello")
    for blob in image.blobs:
        visitor.push_blob("app", blob)
    digest = digest_of(image.body, algorithm)
    answer = visitor.push_manifest("app", digest, image.document)
    assert answer.status_code == 201
    assert answer.headers["docker-content-digest"] == digest
    assert visitor.get(f"/v2/app/manifests/{digest}").content == image.body
    assert visitor.tags("app") == []


def test_a_manifest_under_a_digest_that_is_not_its_own_is_refused(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    for digest in (digest_of(b"another"), "sha256:baddigeststring"):
        answer = visitor.push_manifest("app", digest, image.document)
        assert answer.status_code == 400
        assert codes(answer) == ["DIGEST_INVALID"]
    assert visitor.get("/v2/app/manifests/sha256:baddigeststring").status_code == 400


def test_a_tag_moves_to_the_manifest_that_is_pushed_last(visitor: Visitor) -> None:
    first = visitor.push_image("app", "v1", small_image("first"))
    second = visitor.push_image("app", "v1", small_image("second"))
    assert visitor.get("/v2/app/manifests/v1").content == second.body
    assert visitor.get(f"/v2/app/manifests/{first.digest}").content == first.body


def test_a_manifest_whose_blobs_are_missing_is_refused_with_all_of_them(visitor: Visitor) -> None:
    image = small_image("hello")
    answer = visitor.push_manifest("app", "v1", image.document)
    assert answer.status_code == 400
    assert codes(answer) == ["MANIFEST_BLOB_UNKNOWN"] * 2
    missing = [error["detail"]["digest"] for error in answer.json()["errors"]]
    assert missing == [digest_of(blob) for blob in image.blobs]
    assert visitor.get("/v2/app/manifests/v1").status_code == 404


def test_a_manifest_whose_blobs_are_in_another_repository_is_refused(visitor: Visitor) -> None:
    image = visitor.push_image("base", "v1")
    answer = visitor.push_manifest("app", "v1", image.document)
    assert codes(answer) == ["MANIFEST_BLOB_UNKNOWN"] * 2


def test_an_index_whose_manifests_are_missing_is_refused(visitor: Visitor) -> None:
    here, missing = visitor.push_image("app", "v1"), small_image("missing")
    answer = visitor.push_manifest("app", "all", index_of(here, missing), OCI_INDEX)
    assert answer.status_code == 400
    assert [error["detail"]["digest"] for error in answer.json()["errors"]] == [missing.digest]


def test_an_index_of_an_index_is_kept(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    inner = visitor.push_manifest("app", "inner", index_of(image), OCI_INDEX)
    size = int(visitor("HEAD", "/v2/app/manifests/inner").headers["content-length"])
    entry = {"mediaType": OCI_INDEX, "digest": inner.headers["docker-content-digest"], "size": size}
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}
    assert visitor.push_manifest("app", "outer", document, OCI_INDEX).status_code == 201


def test_a_layer_that_may_be_had_elsewhere_need_not_be_here(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    foreign = descriptor(b"kept elsewhere", "application/vnd.oci.image.layer.nondistributable.v1.tar")
    layers = [*image.document["layers"], {**foreign, "urls": ["https://store.example.com/layer"]}]
    assert visitor.push_manifest("app", "v2", image.saying(layers=layers).document).status_code == 201


def test_a_manifest_with_members_nobody_knows_is_kept_as_it_is(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1").saying(**{"org.example.own": {"deep": [1, 2, {"er": None}]}})
    assert visitor.push_manifest("app", "v2", image.document).status_code == 201
    assert visitor.get("/v2/app/manifests/v2").content == image.body


def test_a_content_type_with_parameters_counts_without_them(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    answer = visitor.push_manifest("app", "v2", image.document, f"{OCI_MANIFEST}; charset=utf-8")
    assert answer.status_code == 201
    assert visitor.get("/v2/app/manifests/v2").headers["content-type"] == OCI_MANIFEST


def test_a_manifest_of_4_mib_is_kept_and_one_byte_more_is_too_large(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    limit = 4 * 1024 * 1024
    padding = limit - len(image.saying(annotations={"a": ""}).body)
    largest = image.saying(annotations={"a": "x" * padding})
    assert len(largest.body) == limit
    assert visitor.push_manifest("app", "largest", largest.document).status_code == 201
    assert visitor.get("/v2/app/manifests/largest").content == largest.body
    beyond = image.saying(annotations={"a": "x" * (padding + 1)})
    answer = visitor.push_manifest("app", "beyond", beyond.document)
    assert answer.status_code == 413
    assert codes(answer) == ["SIZE_INVALID"]
    assert visitor.get("/v2/app/manifests/beyond").status_code == 404


def test_a_manifest_with_a_subject_is_answered_with_the_subject_that_was_seen(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    visitor.push_blob("app", b"{}")
    answer = visitor.push_manifest("app", "signature", artifact(image, "application/vnd.example").document)
    assert answer.status_code == 201
    assert answer.headers["oci-subject"] == image.digest
    assert "oci-subject" not in visitor.push_manifest("app", "v1", image.document).headers


def test_a_subject_need_not_exist(visitor: Visitor) -> None:
    visitor.push_blob("app", b"{}")
    subject = small_image("comes later")
    answer = visitor.push_manifest("app", "signature", artifact(subject, None).document)
    assert answer.status_code == 201
    assert answer.headers["oci-subject"] == subject.digest
