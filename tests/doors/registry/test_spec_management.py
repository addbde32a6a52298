"""Content management: the requirements of the OCI distribution specification 1.1, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.doors.registry.house import codes
from tests.doors.registry.images import digest_of, small_image

if TYPE_CHECKING:
    from tests.doors.registry.house import Visitor

CONTENT = b"some content"


def test_a_deleted_tag_is_gone_and_its_manifest_stays(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    visitor.push_image("app", "v2", image)
    assert visitor("DELETE", "/v2/app/manifests/v1").status_code == 202
    assert visitor.get("/v2/app/manifests/v1").status_code == 404
    assert visitor.get(f"/v2/app/manifests/{image.digest}").status_code == 200
    assert visitor.tags("app") == ["v2"]


def test_a_deleted_manifest_is_gone_with_all_its_tags(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    visitor.push_image("app", "v2", image)
    other = visitor.push_image("app", "other", small_image("other"))
    assert visitor("DELETE", f"/v2/app/manifests/{image.digest}").status_code == 202
    for reference in ("v1", "v2", image.digest):
        assert visitor.get(f"/v2/app/manifests/{reference}").status_code == 404
    assert visitor.tags("app") == ["other"]
    assert visitor.get(f"/v2/app/manifests/{other.digest}").status_code == 200


def test_deleting_what_is_not_there_is_not_found(visitor: Visitor) -> None:
    visitor.push_image("app", "v1")
    for path in ("app/manifests/v2", f"app/manifests/{digest_of(b'x')}", f"nowhere/manifests/{digest_of(b'x')}"):
        answer = visitor("DELETE", f"/v2/{path}")
        assert answer.status_code == 404
        assert codes(answer) == ["MANIFEST_UNKNOWN"]
    answer = visitor("DELETE", f"/v2/app/blobs/{digest_of(b'x')}")
    assert answer.status_code == 404
    assert codes(answer) == ["BLOB_UNKNOWN"]


def test_a_deleted_manifest_may_be_pushed_again(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    visitor("DELETE", f"/v2/app/manifests/{image.digest}")
    assert visitor.push_manifest("app", "v1", image.document).status_code == 201
    assert visitor.get("/v2/app/manifests/v1").content == image.body


def test_a_deleted_blob_is_gone_from_its_repository_alone(visitor: Visitor) -> None:
    digest = visitor.push_blob("app", CONTENT)
    visitor.push_blob("other", CONTENT)
    assert visitor("DELETE", f"/v2/app/blobs/{digest}").status_code == 202
    assert visitor.get(f"/v2/app/blobs/{digest}").status_code == 404
    assert visitor("DELETE", f"/v2/app/blobs/{digest}").status_code == 404
    assert visitor.get(f"/v2/other/blobs/{digest}").content == CONTENT


def test_a_deleted_blob_may_be_pushed_again(visitor: Visitor) -> None:
    digest = visitor.push_blob("app", CONTENT)
    visitor("DELETE", f"/v2/app/blobs/{digest}")
    assert visitor.push_blob("app", CONTENT) == digest
    assert visitor.get(f"/v2/app/blobs/{digest}").content == CONTENT


def test_a_repository_whose_last_tag_was_deleted_is_still_there(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    visitor("DELETE", f"/v2/app/manifests/{image.digest}")
    assert visitor.tags("app") == []
    assert visitor.get("/v2/_catalog").json() == {"repositories": []}


def test_a_method_that_an_address_does_not_know_is_refused_with_those_it_does(visitor: Visitor) -> None:
    answer = visitor("PUT", "/v2/app/tags/list")
    assert answer.status_code == 405
    assert codes(answer) == ["UNSUPPORTED"]
    assert answer.headers["allow"] == "GET"
