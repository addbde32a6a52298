"""Content discovery: the requirements of the OCI distribution specification 1.1, one by one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.doors.registry.house import codes
from tests.doors.registry.images import OCI_INDEX, Image, artifact, digest_of, index_of, small_image

if TYPE_CHECKING:
    import httpx

    from tests.doors.registry.house import Visitor

SIGNATURE = "application/vnd.example.signature.v1"
BILL = "application/vnd.example.sbom.v1"


def next_page(answer: httpx.Response) -> str | None:
    """Where the Link header leads to."""
    if "link" not in answer.headers:
        return None
    match = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers["link"])
    assert match is not None
    return match[1]


def all_pages(visitor: Visitor, path: str, member: str) -> list[list[Any]]:
    pages, following = [], path
    while following:
        answer = visitor.get(following)
        assert answer.status_code == 200
        pages.append(answer.json()[member])
        following = next_page(answer) or ""
    return pages


@pytest.fixture
def tagged(visitor: Visitor) -> Visitor:
    image = visitor.push_image("app", "v2")
    for tag in ("v10", "V1", "_first", "v1", "latest"):
        visitor.push_image("app", tag, image)
    return visitor


# ── tags ────────────────────────────────────────────────────────────────────────────────────────────────────────────

IN_ORDER = ["V1", "_first", "latest", "v1", "v10", "v2"]


def test_tags_are_listed_in_ascii_order(tagged: Visitor) -> None:
    answer = tagged.get("/v2/app/tags/list")
    assert answer.status_code == 200
    assert answer.json() == {"name": "app", "tags": IN_ORDER}
    assert next_page(answer) is None


def test_a_page_of_tags_has_n_entries_and_links_to_the_next(tagged: Visitor) -> None:
    answer = tagged.get("/v2/app/tags/list", params={"n": 2})
    assert answer.json()["tags"] == IN_ORDER[:2]
    assert next_page(answer) == "/v2/app/tags/list?last=_first&n=2&orderby="
    assert all_pages(tagged, "/v2/app/tags/list?n=2", "tags") == [IN_ORDER[:2], IN_ORDER[2:4], IN_ORDER[4:]]
    assert all_pages(tagged, "/v2/app/tags/list?n=4", "tags") == [IN_ORDER[:4], IN_ORDER[4:]]
    assert all_pages(tagged, "/v2/app/tags/list?n=6", "tags") == [IN_ORDER]


def test_lists_are_head_requested_without_their_body(tagged: Visitor) -> None:
    for path in ("/v2/", "/v2/_catalog", "/v2/app/tags/list", f"/v2/app/referrers/{digest_of(b'')}"):
        answer = tagged("HEAD", path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-length"] == tagged.get(path).headers["content-length"]


def test_tags_begin_after_the_last_one_whether_it_exists_or_not(tagged: Visitor) -> None:
    assert tagged.get("/v2/app/tags/list", params={"last": "latest"}).json()["tags"] == IN_ORDER[3:]
    assert tagged.get("/v2/app/tags/list", params={"last": "m", "n": 1}).json()["tags"] == ["v1"]
    assert tagged.get("/v2/app/tags/list", params={"last": "zzz"}).json()["tags"] == []


def test_a_page_of_no_tags_is_empty_and_links_nowhere(tagged: Visitor) -> None:
    answer = tagged.get("/v2/app/tags/list", params={"n": 0})
    assert answer.json()["tags"] == []
    assert next_page(answer) is None


def test_more_tags_than_a_page_may_have_are_linked(tagged: Visitor) -> None:
    answer = tagged.get("/v2/app/tags/list", params={"n": "99999999999999999999"})
    assert answer.json()["tags"] == IN_ORDER


@pytest.mark.parametrize("n", ["-1", "x", "1.5", "\u0663"])
def test_a_number_of_tags_that_is_none_is_refused(tagged: Visitor, n: str) -> None:
    answer = tagged.get("/v2/app/tags/list", params={"n": n})
    assert answer.status_code == 400
    assert codes(answer) == ["UNSUPPORTED"]


def test_a_repository_without_tags_has_an_empty_list(visitor: Visitor) -> None:
    visitor.push_blob("app", b"a blob alone")
    assert visitor.get("/v2/app/tags/list").json() == {"name": "app", "tags": []}


def test_tags_of_a_repository_that_does_not_exist_are_not_found(visitor: Visitor) -> None:
    answer = visitor.get("/v2/nowhere/tags/list")
    assert answer.status_code == 404
    assert answer.json()["errors"] == [
        {"code": "NAME_UNKNOWN", "message": "repository name not known to registry", "detail": {"name": "nowhere"}}
    ]


# ── the catalog ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_catalog_lists_repositories_with_a_manifest_page_by_page(visitor: Visitor) -> None:
    for name in ("team/b", "team/a", "z", "app"):
        visitor.push_image(name, "v1")
    visitor.push_blob("only-a-blob", b"here")
    assert visitor.get("/v2/_catalog").json() == {"repositories": ["app", "team/a", "team/b", "z"]}
    pages = all_pages(visitor, "/v2/_catalog?n=3", "repositories")
    assert pages == [["app", "team/a", "team/b"], ["z"]]
    assert next_page(visitor.get("/v2/_catalog?n=2")) == "/v2/_catalog?last=team%2Fa&n=2&orderby="


def test_the_catalog_of_a_new_registry_is_empty(visitor: Visitor) -> None:
    assert visitor.get("/v2/_catalog").json() == {"repositories": []}


# ── referrers ───────────────────────────────────────────────────────────────────────────────────────────────────────


def push_artifact(visitor: Visitor, subject: Image, artifact_type: str | None, **members: Any) -> Image:
    visitor.push_blob("app", b"{}")
    pushed = artifact(subject, artifact_type, **members)
    assert visitor.push_manifest("app", pushed.digest, pushed.document).status_code == 201
    return pushed


def test_the_referrers_of_nothing_are_an_empty_index_and_never_not_found(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    for path in (f"app/referrers/{image.digest}", f"app/referrers/{digest_of(b'x')}", f"none/referrers/{image.digest}"):
        answer = visitor.get(f"/v2/{path}")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == OCI_INDEX
        assert answer.json() == {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}


def test_referrers_come_with_type_and_annotations(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    signed = push_artifact(visitor, image, SIGNATURE, annotations={"org.example.by": "me"})
    (entry,) = visitor.get(f"/v2/app/referrers/{image.digest}").json()["manifests"]
    assert entry == {
        "mediaType": signed.document["mediaType"],
        "digest": signed.digest,
        "size": len(signed.body),
        "artifactType": SIGNATURE,
        "annotations": {"org.example.by": "me"},
    }


def test_a_referrer_without_a_type_has_that_of_its_config(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    push_artifact(visitor, image, None)
    (entry,) = visitor.get(f"/v2/app/referrers/{image.digest}").json()["manifests"]
    assert entry["artifactType"] == "application/vnd.oci.empty.v1+json"


def test_an_index_without_a_type_is_a_referrer_without_one(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    subject = {"mediaType": image.document["mediaType"], "digest": image.digest, "size": len(image.body)}
    answer = visitor.push_manifest("app", "all", index_of(image, subject=subject), OCI_INDEX)
    assert answer.headers["oci-subject"] == image.digest
    (entry,) = visitor.get(f"/v2/app/referrers/{image.digest}").json()["manifests"]
    assert entry["mediaType"] == OCI_INDEX
    assert "artifactType" not in entry


def test_referrers_are_filtered_by_type_and_the_answer_says_so(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    push_artifact(visitor, image, SIGNATURE)
    bill = push_artifact(visitor, image, BILL)
    path = f"/v2/app/referrers/{image.digest}"
    filtered = visitor.get(path, params={"artifactType": BILL})
    assert [entry["digest"] for entry in filtered.json()["manifests"]] == [bill.digest]
    assert filtered.headers["oci-filters-applied"] == "artifactType"
    assert visitor.get(path, params={"artifactType": "application/vnd.nothing"}).json()["manifests"] == []
    unfiltered = visitor.get(path)
    assert len(unfiltered.json()["manifests"]) == 2
    assert "oci-filters-applied" not in unfiltered.headers


def test_referrers_are_paged(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    for number in range(3):
        push_artifact(visitor, image, BILL, annotations={"number": str(number)})
    push_artifact(visitor, image, SIGNATURE)
    pages = all_pages(visitor, f"/v2/app/referrers/{image.digest}?n=2&artifactType={BILL}", "manifests")
    assert [len(page) for page in pages] == [2, 1]
    assert len({entry["digest"] for page in pages for entry in page}) == 3


def test_a_referrer_may_come_before_its_subject(visitor: Visitor) -> None:
    subject = small_image("later")
    signed = push_artifact(visitor, subject, SIGNATURE)
    visitor.push_image("app", "v1", subject)
    (entry,) = visitor.get(f"/v2/app/referrers/{subject.digest}").json()["manifests"]
    assert entry["digest"] == signed.digest


def test_a_deleted_referrer_is_none_any_more(visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    signed = push_artifact(visitor, image, SIGNATURE)
    assert visitor("DELETE", f"/v2/app/manifests/{signed.digest}").status_code == 202
    assert visitor.get(f"/v2/app/referrers/{image.digest}").json()["manifests"] == []


def test_referrers_of_something_that_is_no_digest_are_refused(visitor: Visitor) -> None:
    answer = visitor.get("/v2/app/referrers/latest")
    assert answer.status_code == 400
    assert codes(answer) == ["DIGEST_INVALID"]
