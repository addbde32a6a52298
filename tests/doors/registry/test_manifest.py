"""Reading a manifest: what is found in it, and everything that is wrong with it at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linarite.doors.registry import manifest
from linarite.doors.registry.refused import Refused
from tests.doors.registry.images import OCI_INDEX, OCI_LAYER, OCI_MANIFEST, artifact, descriptor, index_of, small_image

IMAGE = small_image("hello")
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
MEMBERS = [
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "blobs",
    "manifests",
    "subject",
    "annotations",
]


def faults(document: Any, content_type: str | None = OCI_MANIFEST) -> list[str]:
    with pytest.raises(Refused) as refusal:
        manifest.read(json.dumps(document).encode(), content_type)
    assert {fault.code for fault in refusal.value.faults} == {"MANIFEST_INVALID"}
    return [fault.message.removeprefix("manifest invalid: ") for fault in refusal.value.faults]


def test_an_image_is_read_with_all_that_it_needs() -> None:
    read = manifest.read(IMAGE.body, OCI_MANIFEST)
    assert [blob.digest for blob in read.blobs] == [
        IMAGE.document["config"]["digest"],
        IMAGE.document["layers"][0]["digest"],
    ]
    assert (read.media_type, read.artifact_type) == (OCI_MANIFEST, "application/vnd.oci.image.config.v1+json")
    assert (read.manifests, read.subject, read.annotations) == ((), None, {})


def test_an_index_is_read_with_its_manifests() -> None:
    read = manifest.read(json.dumps(index_of(IMAGE, annotations={"a": "b"})).encode(), OCI_INDEX)
    assert [entry.digest for entry in read.manifests] == [IMAGE.digest]
    assert (read.blobs, read.artifact_type, read.annotations) == ((), None, {"a": "b"})


def test_an_artifact_is_read_with_its_type_and_subject() -> None:
    read = manifest.read(artifact(IMAGE, "application/vnd.example").body, OCI_MANIFEST)
    assert read.artifact_type == "application/vnd.example"
    assert read.subject is not None
    assert read.subject.digest == IMAGE.digest


def test_a_media_type_that_nobody_knows_is_read_by_its_members() -> None:
    own = "application/vnd.example.manifest+json"
    body = json.dumps({"mediaType": own, "blobs": [descriptor(b"x", "text/plain")]}).encode()
    read = manifest.read(body, own)
    assert (read.media_type, [blob.size for blob in read.blobs]) == (own, [1])


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (IMAGE.document, OCI_MANIFEST),
        (index_of(IMAGE), OCI_INDEX),
        ({**index_of(IMAGE), "mediaType": None}, OCI_INDEX),
        ({key: value for key, value in IMAGE.document.items() if key != "mediaType"}, OCI_MANIFEST),
    ],
)
def test_without_a_content_type_the_members_decide(document: dict[str, Any], expected: str) -> None:
    assert manifest.read(json.dumps(document).encode(), None).media_type == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"schemaVersion": 1}, ["schemaVersion must be 2"]),
        ({"mediaType": OCI_INDEX}, ["mediaType is not the Content-Type it was pushed with"]),
        ({"layers": None}, ["layers is missing"]),
        ({"layers": "x"}, ["layers must be a list"]),
        ({"layers": [5]}, ["layers[0] must be an object"]),
        ({"layers": [{"digest": "x", "mediaType": OCI_LAYER, "size": 1}]}, ["layers[0].digest is not a digest"]),
        ({"artifactType": 5}, ["artifactType must be a string"]),
        ({"annotations": {"a": 5}}, ["annotations must be an object of strings"]),
        ({"annotations": ["a"]}, ["annotations must be an object of strings"]),
        ({"subject": {**descriptor(b"x", "x"), "size": -1}}, ["subject.size must be a number of bytes"]),
        ({"subject": {**descriptor(b"x", "x"), "size": True}}, ["subject.size must be a number of bytes"]),
        ({"config": {**descriptor(b"x", "x"), "mediaType": 5}}, ["config.mediaType must be a string"]),
        ({"config": {**descriptor(b"x", "x"), "urls": "x"}}, ["config.urls must be a list"]),
        ({"config": {**descriptor(b"x", "x"), "platform": "x"}}, ["config.platform must be an object"]),
    ],
)
def test_what_is_wrong_is_said(members: dict[str, Any], expected: list[str]) -> None:
    assert faults({**IMAGE.document, **members}) == expected


def test_everything_that_is_wrong_is_said_at_once() -> None:
    assert faults({"schemaVersion": 3, "config": 5, "annotations": 5}) == [
        "layers is missing",
        "schemaVersion must be 2",
        "annotations must be an object of strings",
        "config must be an object",
    ]


def test_a_manifest_that_refers_to_nothing_is_none() -> None:
    assert faults({"schemaVersion": 2}, "application/vnd.example") == ["it refers to nothing"]


@given(st.dictionaries(st.sampled_from(MEMBERS), JSON_VALUES))
def test_no_values_are_a_fault_of_ours(members: dict[str, Any]) -> None:
    try:
        body = json.dumps({**IMAGE.document, **members}).encode()
        manifest.read(body, OCI_MANIFEST)
    except Refused as refusal:
        assert refusal.status == 400  # noqa: PT017 - any other exception fails the test
