"""Azure's metadata API: attributes, paging, deleting; in the shapes of the real service's recorded answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.doors.registry.house import codes
from tests.doors.registry.images import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, digest_of, index_of, small_image
from tests.doors.registry.test_spec_discovery import all_pages, next_page

if TYPE_CHECKING:
    from tests.doors.registry.house import House, Visitor

OPEN = {"deleteEnabled": True, "writeEnabled": True, "readEnabled": True, "listEnabled": True}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")
DISALLOWED = (
    "The operation is disallowed on this registry, repository or image. View troubleshooting steps at "
    "https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation"
)


def without_times(document: dict[str, Any]) -> dict[str, Any]:
    """The document, after both times in it were found to be times."""
    created, updated = document.pop("createdTime"), document.pop("lastUpdateTime")
    assert TIME.fullmatch(created)
    assert TIME.fullmatch(updated)
    assert created <= updated
    return document


def test_the_catalog_is_listed_in_pages(visitor: Visitor) -> None:
    for name in ("a", "b", "team/c"):
        visitor.push_image(name, "v1")
    assert visitor.get("/acr/v1/_catalog").json() == {"repositories": ["a", "b", "team/c"]}
    assert next_page(visitor.get("/acr/v1/_catalog?n=2")) == "/acr/v1/_catalog?last=b&n=2&orderby="
    assert all_pages(visitor, "/acr/v1/_catalog?n=2", "repositories") == [["a", "b"], ["team/c"]]


def test_the_attributes_of_a_repository(house: House, visitor: Visitor) -> None:
    image = visitor.push_image("team/app", "v1")
    visitor.push_image("team/app", "v2", image)
    visitor.push_image("team/app", "v3")
    document = without_times(visitor.get("/acr/v1/team%2Fapp").json())
    assert list(document.items()) == [
        ("registry", house.host),
        ("imageName", "team/app"),
        ("manifestCount", 2),
        ("tagCount", 3),
        ("changeableAttributes", OPEN),
    ]


def test_the_attributes_of_a_tag(house: House, visitor: Visitor) -> None:
    image = visitor.push_image("team/app", "v1")
    document = visitor.get("/acr/v1/team%2Fapp/_tags/v1").json()
    assert without_times(document["tag"]) == {
        "name": "v1",
        "digest": image.digest,
        "signed": False,
        "changeableAttributes": OPEN,
    }
    assert (document["registry"], document["imageName"]) == (house.host, "team/app")


def test_the_attributes_of_an_image(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1", small_image("hello", "arm64"))
    visitor.push_image("app", "latest", image)
    document = visitor.get(f"/acr/v1/app/_manifests/{image.digest}").json()
    assert list(without_times(document["manifest"]).items()) == [
        ("digest", image.digest),
        ("imageSize", sum(map(len, image.blobs))),
        ("architecture", "arm64"),
        ("os", "linux"),
        ("mediaType", OCI_MANIFEST),
        ("configMediaType", OCI_CONFIG),
        ("tags", ["latest", "v1"]),
        ("changeableAttributes", OPEN),
    ]


def test_the_attributes_of_an_index_have_what_it_holds(visitor: Visitor) -> None:
    images = [small_image("one", "amd64"), small_image("two", "arm64")]
    for image in images:
        visitor.push_image("app", image.digest, image)
    document = index_of(*images)
    for entry, architecture in zip(document["manifests"], ("amd64", "arm64"), strict=True):
        entry["platform"] = {"os": "linux", "architecture": architecture, "os.version": "1"}
    digest = visitor.push_manifest("app", "all", document, OCI_INDEX).headers["docker-content-digest"]
    found = without_times(visitor.get(f"/acr/v1/app/_manifests/{digest}").json()["manifest"])
    assert found["imageSize"] == 0
    assert found["references"] == [
        {"digest": image.digest, "architecture": architecture, "os": "linux"}
        for image, architecture in zip(images, ("amd64", "arm64"), strict=True)
    ]
    untagged = visitor.get(f"/acr/v1/app/_manifests/{images[0].digest}").json()["manifest"]
    assert "tags" not in untagged


def test_a_config_that_is_no_image_config_tells_no_platform(visitor: Visitor) -> None:
    for number, config in enumerate(
        (b"no json", b"[1]", b'{"architecture": 5}', b'{"architecture": "amd64"}' + b" " * 1024 * 1024)
    ):
        image = small_image("x")
        visitor.push_blob("app", config)
        visitor.push_blob("app", image.layers[0])
        entry = {"mediaType": "application/vnd.example", "digest": digest_of(config), "size": len(config)}
        answer = visitor.push_manifest("app", f"v{number}", image.saying(config=entry).document)
        found = visitor.get(f"/acr/v1/app/_manifests/{answer.headers['docker-content-digest']}").json()["manifest"]
        assert "architecture" not in found
        assert found["configMediaType"] == "application/vnd.example"


def test_sizes_that_no_number_holds_are_told_as_the_largest_that_one_does(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    layers = [{**image.document["layers"][0], "size": 2**63} for _ in range(4)]
    answer = visitor.push_manifest("app", "huge", image.saying(layers=layers).document)
    found = visitor.get(f"/acr/v1/app/_manifests/{answer.headers['docker-content-digest']}").json()["manifest"]
    assert found["imageSize"] == 2**63 - 1


def test_what_does_not_exist_is_not_found_in_azures_words(visitor: Visitor) -> None:
    visitor.push_image("app", "v1")
    unknown = {"code": "NAME_UNKNOWN", "message": "repository name not known to registry", "detail": {"name": "none"}}
    for path in ("none", "none/_tags", "none/_tags/v1", "none/_manifests", f"none/_manifests/{digest_of(b'')}"):
        answer = visitor.get(f"/acr/v1/{path}")
        assert answer.status_code == 404
        assert answer.json()["errors"] == [unknown]
    tag = visitor.get("/acr/v1/app/_tags/v2")
    assert tag.status_code == 404
    assert tag.json() == {"errors": [{"code": "TAG_UNKNOWN", "message": "the specified tag does not exist"}]}
    assert codes(visitor.get(f"/acr/v1/app/_manifests/{digest_of(b'')}")) == ["MANIFEST_UNKNOWN"]
    assert visitor("DELETE", "/acr/v1/none").status_code == 404
    assert visitor("DELETE", "/acr/v1/app/_tags/v2").status_code == 404
    assert visitor("PATCH", "/acr/v1/app/_tags/v2", json={}).status_code == 404
    assert visitor("PATCH", f"/acr/v1/app/_manifests/{digest_of(b'')}", json={}).status_code == 404


# ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_tags_are_listed_by_name_by_time_and_by_manifest(visitor: Visitor) -> None:
    first = visitor.push_image("team/app", "b", small_image("first"))
    visitor.push_image("team/app", "c", small_image("second"))
    visitor.push_image("team/app", "a", first)

    def names(query: str) -> list[list[str]]:
        pages = all_pages(visitor, f"/acr/v1/team%2Fapp/_tags?{query}", "tags")
        return [[tag["name"] for tag in page] for page in pages]

    assert names("") == [["a", "b", "c"]]
    assert names("n=2") == [["a", "b"], ["c"]]
    assert names("orderby=timeasc&n=1") == [["b"], ["c"], ["a"]]
    assert names("orderby=timedesc&n=2") == [["a", "c"], ["b"]]
    assert names(f"digest={first.digest}") == [["a", "b"]]
    assert next_page(visitor.get("/acr/v1/team%2Fapp/_tags?n=1")) == "/acr/v1/team%2Fapp/_tags?last=a&n=1&orderby="
    assert visitor.get("/acr/v1/team%2Fapp/_tags?orderby=size").status_code == 400


def test_manifests_are_listed_by_digest_and_by_time(visitor: Visitor) -> None:
    pushed = [visitor.push_image("app", tag, small_image(tag)).digest for tag in ("v1", "v2", "v3")]

    def digests(query: str) -> list[str]:
        pages = all_pages(visitor, f"/acr/v1/app/_manifests?{query}", "manifests")
        return [manifest["digest"] for page in pages for manifest in page]

    assert digests("n=1") == sorted(pushed)
    assert digests("orderby=timeasc&n=2") == pushed
    assert digests("orderby=timedesc&n=2") == pushed[::-1]


@pytest.mark.parametrize("order", ["", "timeasc", "timedesc"])
def test_everything_is_found_by_a_client_that_deletes_what_it_lists(visitor: Visitor, order: str) -> None:
    for number in range(7):
        visitor.push_image("app", f"v{number}", small_image(str(number)))
    following: str | None = f"/acr/v1/app/_manifests?n=2&orderby={order}"
    while following:
        answer = visitor.get(following)
        for manifest in answer.json()["manifests"]:
            assert visitor("DELETE", f"/acr/v1/app/_manifests/{manifest['digest']}").status_code == 202
        following = next_page(answer)
    assert visitor.get("/acr/v1/app").json()["manifestCount"] == 0


def test_a_page_of_the_metadata_api_has_a_hundred_entries_where_nothing_is_said(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v000")
    for number in range(1, 102):
        visitor.push_manifest("app", f"v{number:03}", image.document)
    assert [len(page) for page in all_pages(visitor, "/acr/v1/app/_tags", "tags")] == [100, 2]
    assert len(visitor.tags("app")) == 102


# ── deleting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_tag_is_deleted_and_the_answer_has_its_digest(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    answer = visitor("DELETE", "/acr/v1/app/_tags/v1")
    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["x-ms-int-docker-content-digest"] == image.digest
    assert visitor.get("/acr/v1/app/_tags/v1").status_code == 404
    assert visitor.get(f"/v2/app/manifests/{image.digest}").status_code == 200


def test_a_repository_is_deleted_with_everything_in_it(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    visitor.push_image("app/inner", "v1", image)
    answer = visitor("DELETE", "/acr/v1/app")
    assert answer.status_code == 202
    assert answer.json() == {"manifestsDeleted": [image.digest], "tagsDeleted": ["v1"]}
    assert visitor.get("/v2/_catalog").json() == {"repositories": ["app/inner"]}
    assert visitor.get("/v2/app/tags/list").status_code == 404
    assert visitor.get(f"/v2/app/blobs/{digest_of(image.config)}").status_code == 404
    assert visitor.get("/v2/app/inner/manifests/v1").status_code == 200
