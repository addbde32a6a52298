"""Roles, and that nothing outlives the credential it was made with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from linarite.doors.registry import ACR_DELETE, ACR_PULL, ACR_PUSH
from linarite.errors.server import server_busy
from tests.doors.registry.house import REGISTRY, codes, granting
from tests.doors.registry.token_requests import (
    NOBODY,
    PULL,
    PUSH,
    challenge,
    docker_token,
    exchange,
    oauth_token,
    status,
    token_of,
)

if TYPE_CHECKING:
    from tests.doors.registry.house import House, Visitor


@pytest.mark.parametrize(
    ("role", "may"),
    [(ACR_PULL, {"pull", "list"}), (ACR_PUSH, {"pull", "list", "push", "lock"}), (ACR_DELETE, {"list", "delete"})],
)
def test_a_role_allows_what_it_says_and_nothing_else(
    house: House, visitor: Visitor, role: frozenset[Any], may: set[str]
) -> None:
    visitor.push_image("app", "v1")
    deeds: dict[str, tuple[str, str, dict[str, Any]]] = {
        "pull": ("GET", "/v2/app/manifests/v1", {}),
        "list": ("GET", "/v2/app/tags/list", {}),
        "push": ("POST", "/v2/app/blobs/uploads/", {}),
        "lock": ("PATCH", "/acr/v1/app", {"json": {}}),
        "delete": ("DELETE", "/acr/v1/app/_tags/v1", {}),
    }
    refresh = token_of(exchange(house, house.desk.principal("someone", granting(role))))
    every = "repository:app:pull,push,delete,metadata_read,metadata_write"
    access = token_of(oauth_token(house, grant_type="refresh_token", refresh_token=refresh, scope=every))
    with house.visitor(token=access) as bearer, house.visitor(NOBODY, refresh) as basic:
        for deed, (method, path, more) in deeds.items():
            allowed = deed in may
            assert (bearer(method, path, **more).status_code < 300) == allowed, deed
            if deed != "delete":
                answer = basic(method, path, **more)
                assert answer.status_code < 300 if allowed else answer.status_code == 403, deed
    assert set(house.desk.reasons()) == {"action"}


def test_a_repository_that_may_not_be_pulled_cannot_be_mounted_from(house: House, visitor: Visitor) -> None:
    digest = visitor.push_blob("secret", b"secret")
    password = house.desk.passwords[REGISTRY][0]
    token = token_of(oauth_token(house, grant_type="password", username=REGISTRY, password=password, scope=PUSH))
    with house.visitor(token=token) as narrow:
        answer = narrow("POST", "/v2/app/blobs/uploads/", params={"mount": digest, "from": "secret"})
    assert answer.status_code == 202
    assert not visitor.has_blob("app", digest)


def test_a_regenerated_password_and_its_tokens_die_at_once_and_the_other_lives(house: House, visitor: Visitor) -> None:
    visitor.push_image("app", "v1")
    old, other = house.desk.passwords[REGISTRY]
    old_token, other_token = (token_of(docker_token(house, REGISTRY, word, PULL)) for word in (old, other))
    location = visitor.begin("app")
    assert status(house, old_token, "/v2/app/manifests/v1") == 200
    new = house.desk.regenerate(0)
    with house.visitor(token=old_token) as late:
        answer = late.get("/v2/app/manifests/v1")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == challenge(house, PULL, "invalid_token")
    assert visitor.get("/v2/").status_code == 401
    assert visitor("PATCH", location, content=b"more").status_code == 401
    assert docker_token(house, REGISTRY, old, PULL).status_code == 401
    assert house.desk.reasons() == ["revoked", "password", "password", "password"]
    assert house.desk.told[0].credential is not None
    for word in (new, other):
        with house.visitor(REGISTRY, word) as visitor_now:
            assert visitor_now.get("/v2/app/manifests/v1").status_code == 200
    assert status(house, other_token, "/v2/app/manifests/v1") == 200


def test_a_role_that_was_taken_away_is_gone_from_tokens_already_given(house: House, visitor: Visitor) -> None:
    visitor.push_image("app", "v1")
    refresh = token_of(exchange(house, house.desk.principal("someone", granting(ACR_PUSH))))
    access = token_of(oauth_token(house, grant_type="refresh_token", refresh_token=refresh, scope=PUSH))
    assert status(house, access, "/v2/app/blobs/uploads/", "POST") == 202
    house.desk.grants["someone"] = granting(ACR_PULL)
    assert status(house, access, "/v2/app/blobs/uploads/", "POST") == 401
    assert status(house, access, "/v2/app/manifests/v1") == 200
    house.desk.grants["someone"] = None
    assert status(house, access, "/v2/app/manifests/v1") == 401
    assert oauth_token(house, grant_type="refresh_token", refresh_token=refresh, scope=PULL).status_code == 401


def test_a_registry_that_is_gone_lets_nobody_in(house: House, visitor: Visitor, password: str) -> None:
    token = token_of(docker_token(house, REGISTRY, password, PULL))
    del house.desk.passwords[REGISTRY], house.desk.generations[REGISTRY]
    assert visitor.get("/v2/").status_code == 401
    assert status(house, token) == 401


@pytest.mark.parametrize("name", ["..", "../elsewhere", "", "a/b", ".discarded-x"])
def test_a_registry_whose_name_is_none_lets_nobody_in_and_makes_no_folder(house: House, name: str) -> None:
    token = house.desk.principal("misled", granting(ACR_PULL), registry=name)
    assert exchange(house, token).status_code == 401
    assert not house.root.exists()


def test_a_fault_of_the_desk_is_ours_and_says_nothing(house: House, visitor: Visitor) -> None:
    house.desk.failure = RuntimeError("the database password is hunter2")
    answer = visitor.get("/v2/")
    assert answer.status_code == 500
    assert codes(answer) == ["UNKNOWN"]
    assert "hunter2" not in answer.text
    assert answer.json()["errors"][0]["detail"]["correlationId"] == answer.headers["x-ms-correlation-request-id"]


def test_a_desk_that_cannot_answer_now_is_said_to_be_busy(house: House, visitor: Visitor) -> None:
    house.desk.failure = server_busy()
    answer = visitor.get("/v2/")
    assert (answer.status_code, codes(answer), answer.headers["retry-after"]) == (503, ["UNAVAILABLE"], "1")
    house.desk.failure = None
    assert visitor.get("/v2/").status_code == 200
