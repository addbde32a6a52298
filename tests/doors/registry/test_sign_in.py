"""Coming to the door: the challenge that says how to sign in, and signing in with Basic."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.doors.registry.house import OTHER_REGISTRY, REGISTRY
from tests.doors.registry.images import digest_of, small_image
from tests.doors.registry.token_requests import (
    PULL,
    REQUIRED,
    challenge,
)

if TYPE_CHECKING:
    from linarite.certificates import Certificates
    from tests.doors.registry.conftest import Opened
    from tests.doors.registry.house import House, Visitor


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v2/", ""),
        ("GET", "/v2", ""),
        ("GET", "/v2/_catalog", "registry:catalog:*"),
        ("GET", "/acr/v1/_catalog", "registry:catalog:*"),
        ("GET", "/v2/team/app/manifests/v1", "repository:team/app:pull"),
        ("HEAD", f"/v2/app/blobs/{digest_of(b'')}", "repository:app:pull"),
        ("GET", f"/v2/app/referrers/{digest_of(b'')}", "repository:app:pull"),
        ("GET", "/v2/app/tags/list", "repository:app:metadata_read"),
        ("POST", "/v2/app/blobs/uploads/", "repository:app:pull,push"),
        ("PUT", "/v2/app/manifests/v1", "repository:app:pull,push"),
        ("DELETE", "/v2/app/manifests/v1", "repository:app:delete"),
        ("GET", "/acr/v1/team%2Fapp/_tags/v1", "repository:team/app:metadata_read"),
        ("PATCH", "/acr/v1/app/_manifests/x", "repository:app:metadata_write"),
        ("DELETE", "/acr/v1/app", "repository:app:delete"),
    ],
)
def test_without_credentials_the_challenge_says_where_to_get_what(
    house: House, method: str, path: str, scope: str
) -> None:
    with house.visitor() as nobody:
        answer = nobody(method, path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == challenge(house, scope)
    assert house.desk.reasons() == ["anonymous"]
    assert house.desk.told[0].scope == scope


def test_the_body_of_a_challenge_is_azures(house: House) -> None:
    with house.visitor() as nobody:
        base = nobody.get("/v2/").json()
        push = nobody("POST", "/v2/app/blobs/uploads/").json()
    assert base == {"errors": [{"code": "UNAUTHORIZED", "message": REQUIRED, "detail": None}]}
    assert push["errors"][0]["detail"] == [
        {"Type": "repository", "Name": "app", "Action": "pull"},
        {"Type": "repository", "Name": "app", "Action": "push"},
    ]


def test_every_answer_has_azures_headers(house: House) -> None:
    with house.visitor() as nobody:
        answer = nobody.get("/v2/", headers={"x-ms-client-request-id": "my-own-1"})
    assert answer.headers["docker-distribution-api-version"] == "registry/2.0"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-ms-client-request-id"] == "my-own-1"
    assert answer.headers["x-ms-correlation-request-id"]
    assert "Www-Authenticate".lower() in answer.headers.get("access-control-expose-headers").lower()
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("which", [0, 1])
def test_both_passwords_open_the_registry_with_basic(house: House, which: int) -> None:
    with house.visitor(REGISTRY, house.desk.passwords[REGISTRY][which]) as visitor:
        assert visitor.get("/v2/").status_code == 200
        visitor.push_image("app", "v1")
    assert house.desk.told == []


def test_a_wrong_password_and_an_unknown_user_get_the_same_answer_and_are_told(house: House, password: str) -> None:
    answers = []
    for user, word in ((REGISTRY, "wrong"), ("nobodyhere", password), (OTHER_REGISTRY, password)):
        with house.visitor(user, word) as stranger:
            answers.append(stranger.get("/v2/app/manifests/v1"))
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert {answer.headers["www-authenticate"] for answer in answers} == {challenge(house, PULL)}
    assert house.desk.reasons() == ["password"] * 3
    assert [event.claimed_user for event in house.desk.told] == [REGISTRY, "nobodyhere", OTHER_REGISTRY]
    assert password not in str(house.desk.told)


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Basic /w==", "Basic Og==", "Digest x", "Bearer", "garbage", "Bearer a.b.c"]
)
def test_credentials_that_cannot_be_read_are_refused(house: House, header: str) -> None:
    with house.visitor() as stranger:
        assert stranger.get("/v2/", headers={"Authorization": header}).status_code == 401


def test_a_user_sees_only_their_own_registry(house: House, visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    with house.visitor(OTHER_REGISTRY, house.desk.passwords[OTHER_REGISTRY][0]) as other:
        assert other.get("/v2/_catalog").json() == {"repositories": []}
        assert other.get("/v2/app/manifests/v1").status_code == 404
        assert other.get(f"/v2/app/blobs/{digest_of(image.config)}").status_code == 404
        other.push_image("app", "v1", small_image("another one"))
    assert visitor.get("/v2/app/manifests/v1").content == image.body


def test_the_challenge_is_the_same_over_http_2(opened: Opened, files: Certificates) -> None:
    pytest.importorskip("h2", reason="httpx cannot speak HTTP/2 here")
    context = ssl.create_default_context(cafile=files.bundle)
    with opened(files=files) as secure, httpx.Client(http2=True, verify=context, trust_env=False) as client:
        answer = client.get(f"{secure.url}/v2/app/tags/list")
        assert answer.http_version == "HTTP/2"
        assert answer.headers["www-authenticate"] == challenge(secure, "repository:app:metadata_read")
        password = secure.desk.passwords[REGISTRY][0]
        pushed = client.post(
            f"{secure.url}/v2/app/blobs/uploads/",
            params={"digest": digest_of(b"x" * 300_000)},
            content=b"x" * 300_000,
            auth=(REGISTRY, password),
        )
        assert pushed.status_code == 201
