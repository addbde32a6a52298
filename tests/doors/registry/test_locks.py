"""Locks: the attributes that Azure lets one change, and what each of them forbids."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.doors.registry.house import codes
from tests.doors.registry.images import digest_of, small_image

if TYPE_CHECKING:
    from tests.doors.registry.house import House, Visitor

OPEN = {"deleteEnabled": True, "writeEnabled": True, "readEnabled": True, "listEnabled": True}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")
DISALLOWED = (
    "The operation is disallowed on this registry, repository or image. View troubleshooting steps at "
    "https://aka.ms/acr/faq/#why-does-my-pull-or-push-request-fail-with-disallowed-operation"
)


@pytest.mark.parametrize("what", ["app", "app/_tags/v1", "app/_manifests/{digest}"])
def test_attributes_are_changed_one_by_one(visitor: Visitor, what: str) -> None:
    image = visitor.push_image("app", "v1")
    path = f"/acr/v1/{what.format(digest=image.digest)}"
    closed = dict.fromkeys(OPEN, False)

    def attributes(answer: Any) -> dict[str, bool]:
        assert answer.status_code == 200
        document = answer.json()
        found: dict[str, bool] = document.get("tag", document.get("manifest", document))["changeableAttributes"]
        return found

    assert attributes(visitor("PATCH", path, json={"deleteEnabled": False})) == {**OPEN, "deleteEnabled": False}
    assert attributes(visitor("PATCH", path, json={"writeEnabled": False, "readEnabled": None})) == {
        **OPEN,
        "deleteEnabled": False,
        "writeEnabled": False,
    }
    assert attributes(visitor("PATCH", path, json=closed)) == closed
    assert attributes(visitor.get(path)) == closed
    assert attributes(visitor("PATCH", path, json=OPEN)) == OPEN


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"readEnabled": 1}', b'{"readEnabled": "false"}'])
def test_attributes_that_are_none_are_refused(visitor: Visitor, body: bytes) -> None:
    visitor.push_image("app", "v1")
    answer = visitor("PATCH", "/acr/v1/app", content=body)
    assert (answer.status_code, codes(answer)) == (400, ["UNSUPPORTED"])


def lock(visitor: Visitor, path: str, *members: str) -> None:
    assert visitor("PATCH", f"/acr/v1/{path}", json=dict.fromkeys(members, False)).status_code == 200


def test_a_locked_tag_may_be_neither_moved_nor_deleted(house: House, visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    lock(visitor, "app/_tags/v1", "writeEnabled", "deleteEnabled")
    other = small_image("other")
    for blob in other.blobs:
        visitor.push_blob("app", blob)
    answers = [
        visitor.push_manifest("app", "v1", other.document),
        visitor("DELETE", "/acr/v1/app/_tags/v1"),
        visitor("DELETE", "/v2/app/manifests/v1"),
        visitor("DELETE", f"/v2/app/manifests/{image.digest}"),
        visitor("DELETE", "/acr/v1/app"),
    ]
    assert [answer.status_code for answer in answers] == [405] * 5
    assert answers[0].json() == {"errors": [{"code": "UNSUPPORTED", "message": DISALLOWED}]}
    assert house.desk.reasons() == ["locked"] * 5
    assert visitor.get("/v2/app/manifests/v1").content == image.body
    assert visitor.push_manifest("app", "v1", image.document).status_code == 201  # as it is, it may be pushed again
    assert visitor.push_manifest("app", "v2", other.document).status_code == 201


def test_a_locked_manifest_may_not_be_deleted_or_read(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    lock(visitor, f"app/_manifests/{image.digest}", "deleteEnabled", "readEnabled")
    for reference in ("v1", image.digest):
        assert visitor.get(f"/v2/app/manifests/{reference}").status_code == 405
    assert visitor("DELETE", f"/v2/app/manifests/{image.digest}").status_code == 405
    assert visitor("DELETE", "/acr/v1/app").status_code == 405


def test_a_tag_that_may_not_be_read_hides_no_manifest(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    lock(visitor, "app/_tags/v1", "readEnabled")
    assert visitor.get("/v2/app/manifests/v1").status_code == 405
    assert visitor.get(f"/v2/app/manifests/{image.digest}").status_code == 200


def test_a_repository_that_may_not_be_written_takes_nothing(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    digest = visitor.push_blob("base", b"something")
    location = visitor.begin("app")
    lock(visitor, "app", "writeEnabled")
    assert visitor("POST", "/v2/app/blobs/uploads/").status_code == 405
    mount = visitor("POST", "/v2/app/blobs/uploads/", params={"mount": digest, "from": "base"})
    assert mount.status_code == 405
    late = visitor("PUT", location, params={"digest": digest_of(b"late")}, content=b"late")
    assert late.status_code == 405
    assert visitor.push_manifest("app", "v2", image.document).status_code == 405
    assert visitor.get("/v2/app/manifests/v1").status_code == 200


def test_a_repository_that_may_not_be_read_gives_nothing(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    lock(visitor, "app", "readEnabled")
    assert visitor.get("/v2/app/manifests/v1").status_code == 405
    assert visitor.get(f"/v2/app/blobs/{digest_of(image.config)}").status_code == 405
    mount = visitor("POST", "/v2/x/blobs/uploads/", params={"mount": digest_of(image.config), "from": "app"})
    assert mount.status_code == 405


def test_what_is_not_listed_is_there_all_the_same(visitor: Visitor) -> None:
    for tag in ("v1", "v2"):
        visitor.push_image("app", tag)
    hidden = visitor.push_image("hidden", "v1")
    lock(visitor, "hidden", "listEnabled")
    lock(visitor, "app/_tags/v1", "listEnabled")
    assert visitor.get("/acr/v1/_catalog").json() == {"repositories": ["app"]}
    assert visitor.tags("app") == ["v2"]
    assert visitor.get("/v2/app/manifests/v1").status_code == 200
    assert visitor.get("/v2/hidden/manifests/v1").content == hidden.body
