"""Tokens: both flows, the exchange of an Entra token, and what each kind of token is good for."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from linarite.doors.registry import ACR_PULL, ACR_PUSH
from tests.doors.registry.house import REGISTRY, codes, granting
from tests.doors.registry.token_requests import (
    NOBODY,
    PULL,
    PUSH,
    challenge,
    claims,
    docker_token,
    exchange,
    oauth_token,
    status,
    token_of,
)

if TYPE_CHECKING:
    from tests.doors.registry.house import House, Visitor


def test_a_token_from_dockers_flow_opens_what_it_was_asked_for(house: House, visitor: Visitor, password: str) -> None:
    visitor.push_image("app", "v1")
    token = token_of(docker_token(house, REGISTRY, password, PULL))
    assert status(house, token) == 200
    assert status(house, token, "/v2/app/manifests/v1") == 200
    assert status(house, token, "/v2/other/manifests/v1") == 401


def test_a_token_has_the_claims_that_azure_documents(house: House, password: str) -> None:
    found = claims(
        token_of(oauth_token(house, grant_type="password", username=REGISTRY, password=password, scope=PUSH))
    )
    assert found["iss"] == "Azure Container Registry"
    assert found["aud"] == house.host
    assert found["sub"] == REGISTRY
    assert found["version"] == "1.0"
    assert found["grant_type"] == "access_token"
    assert found["exp"] - found["nbf"] == 4500
    assert found["access"] == [{"type": "repository", "name": "app", "actions": ["pull", "push"]}]


def test_a_token_without_a_scope_is_good_for_the_base_address_alone(
    house: House, visitor: Visitor, password: str
) -> None:
    visitor.push_image("app", "v1")
    token = token_of(docker_token(house, REGISTRY, password))
    assert status(house, token) == 200
    assert status(house, token, "/v2/app/manifests/v1") == 401


def test_dockers_flow_gives_all_that_is_granted_on_a_repository_and_oauth_what_was_asked(
    house: House, password: str
) -> None:
    wide = claims(token_of(docker_token(house, REGISTRY, password, PULL)))
    narrow = claims(
        token_of(oauth_token(house, grant_type="password", username=REGISTRY, password=password, scope=PULL))
    )
    assert set(wide["access"][0]["actions"]) == {"pull", "push", "delete", "metadata_read", "metadata_write"}
    assert narrow["access"][0]["actions"] == ["pull"]


def test_a_token_that_does_not_cover_a_request_is_told_what_is_missing(house: House, password: str) -> None:
    token = token_of(oauth_token(house, grant_type="password", username=REGISTRY, password=password, scope=PULL))
    with house.visitor(token=token) as visitor:
        answer = visitor("POST", "/v2/app/blobs/uploads/")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == challenge(house, PUSH, "insufficient_scope")
    assert house.desk.reasons() == ["action"]
    assert house.desk.told[0].credential is not None


def test_several_scopes_may_be_asked_for_in_either_form(house: House, password: str) -> None:
    asked = [f"{PULL} registry:catalog:*", "repository:a/b:5000/c:pull,push"]
    found = claims(token_of(docker_token(house, REGISTRY, password, *asked)))
    assert [(entry["type"], entry["name"]) for entry in found["access"]] == [
        ("repository", "app"),
        ("registry", "catalog"),
        ("repository", "a/b:5000/c"),
    ]


@pytest.mark.parametrize("scope", ["nonsense", "::", "repository:app", "artifact-repository:repo:pull", "registry:x:*"])
def test_a_scope_that_is_none_gives_nothing(house: House, password: str, scope: str) -> None:
    assert claims(token_of(docker_token(house, REGISTRY, password, scope)))["access"] == []


def test_too_many_scopes_are_refused(house: House, password: str) -> None:
    assert docker_token(house, REGISTRY, password, " ".join([PULL] * 101)).status_code == 400


@pytest.mark.parametrize("change", ["payload", "signature", "none", "other key"])
def test_a_token_that_was_tampered_with_is_refused(house: House, password: str, change: str) -> None:
    token = token_of(docker_token(house, REGISTRY, password, PULL))
    head, payload, signature = token.split(".")
    if change == "payload":
        wider = {**claims(token), "access": [{"type": "repository", "name": "app", "actions": ["pull", "push"]}]}
        payload = base64.urlsafe_b64encode(json.dumps(wider).encode()).decode().rstrip("=")
    if change == "signature":
        signature = signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")
    if change == "none":
        head, signature = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("="), ""
    if change == "other key":
        head = base64.urlsafe_b64encode(b'{"alg":"HS512","typ":"JWT"}').decode().rstrip("=")
    with house.visitor(token=f"{head}.{payload}.{signature}") as visitor:
        answer = visitor.get("/v2/")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].endswith('error="invalid_token"')
    assert house.desk.reasons() == ["token"]


def test_a_wrong_password_gets_no_token(house: House) -> None:
    answers = [
        docker_token(house, REGISTRY, "wrong", PULL),
        oauth_token(house, grant_type="password", username=REGISTRY, password="wrong", scope=PULL),
        docker_token(house, "nobodyhere", "wrong", PULL),
        docker_token(house, NOBODY, "wrong", PULL),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert codes(answers[0]) == ["UNAUTHORIZED"]
    assert house.desk.reasons() == ["password"] * 4


def test_an_anonymous_sign_in_gets_no_token(house: House) -> None:
    with house.visitor() as nobody:
        assert nobody.get("/oauth2/token", params={"scope": PULL}).status_code == 401
    assert oauth_token(house, grant_type="password", refresh_token="", scope=PULL).status_code == 401
    assert house.desk.reasons() == ["anonymous", "anonymous"]


@pytest.mark.parametrize("path", ["/oauth2/token", "/oauth2/exchange"])
def test_a_grant_type_that_is_not_known_is_refused(house: House, path: str) -> None:
    with house.visitor() as visitor:
        answer = visitor("POST", path, data={"grant_type": "authorization_code"})
        assert (answer.status_code, codes(answer)) == (400, ["UNSUPPORTED"])
        assert visitor("DELETE", path).status_code == 405


def test_an_entra_token_becomes_a_refresh_token_and_that_an_access_token(house: House, visitor: Visitor) -> None:
    visitor.push_image("app", "v1")
    entra = house.desk.principal("someone", granting(ACR_PULL))
    refresh = token_of(exchange(house, entra))
    assert claims(refresh)["sub"] == "someone"
    assert claims(refresh)["grant_type"] == "refresh_token"
    access = token_of(oauth_token(house, grant_type="refresh_token", refresh_token=refresh, scope=PULL))
    assert status(house, access, "/v2/app/manifests/v1") == 200


def test_a_registry_is_the_same_however_its_name_is_written(house: House, visitor: Visitor) -> None:
    image = visitor.push_image("app", "v1")
    refresh = token_of(exchange(house, house.desk.principal("someone", granting(ACR_PULL), registry=REGISTRY.upper())))
    with house.visitor(NOBODY, refresh) as nobody:
        assert nobody.get("/v2/app/manifests/v1").content == image.body


def test_an_entra_token_that_does_not_hold_is_refused_and_told(house: House) -> None:
    answer = exchange(house, "forged")
    assert answer.status_code == 401
    assert codes(answer) == ["UNAUTHORIZED"]
    assert house.desk.reasons() == ["exchange"]


def test_a_refresh_token_is_a_password_of_nobody(house: House, visitor: Visitor) -> None:
    visitor.push_image("app", "v1")
    refresh = token_of(exchange(house, house.desk.principal("someone", granting(ACR_PULL))))
    token = token_of(docker_token(house, NOBODY, refresh, PULL))
    assert status(house, token, "/v2/app/manifests/v1") == 200
    with house.visitor(NOBODY, refresh) as nobody:
        assert nobody.get("/v2/app/manifests/v1").status_code == 200


def test_a_narrow_access_token_as_a_password_stays_narrow(house: House, visitor: Visitor) -> None:
    visitor.push_image("app", "v1")
    refresh = token_of(exchange(house, house.desk.principal("someone", granting(ACR_PUSH))))
    narrow = token_of(oauth_token(house, grant_type="refresh_token", refresh_token=refresh, scope=PULL))
    again = token_of(docker_token(house, NOBODY, narrow, PUSH, "repository:other:pull"))
    assert claims(again)["access"] == [{"type": "repository", "name": "app", "actions": ["pull"]}]
    with house.visitor(NOBODY, narrow) as nobody:
        assert nobody.get("/v2/app/manifests/v1").status_code == 200
        assert nobody("POST", "/v2/app/blobs/uploads/").status_code == 403


def test_a_refresh_token_opens_nothing_itself_and_an_access_token_refreshes_nothing(
    house: House, password: str
) -> None:
    refresh = token_of(exchange(house, house.desk.principal("someone", granting(ACR_PULL))))
    assert status(house, refresh) == 401
    access = token_of(docker_token(house, REGISTRY, password, PULL))
    assert oauth_token(house, grant_type="refresh_token", refresh_token=access, scope=PULL).status_code == 401
    assert house.desk.reasons() == ["token", "token"]
