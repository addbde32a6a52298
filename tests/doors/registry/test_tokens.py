"""Tokens and scopes on their own: what is signed comes back, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey

from linarite.doors.registry import ACR_PULL, ACR_PUSH, EVERYTHING, Credential, scopes
from linarite.doors.registry.refused import Refused
from linarite.doors.registry.scopes import CATALOG, Access
from linarite.doors.registry.tokens import ACCESS_LIFE, REFRESH_LIFE, Mint
from tests.doors.registry.house import granting

NOW = 1_800_000_000.0
KEY = bytes(range(32))
CREDENTIAL = Credential("sampleregistry", "someone", "password2", "7")
APP = Access("repository", "team/app", ("pull", "push"))


def mint(now: float = NOW, key: bytes = KEY) -> Mint:
    return Mint(key, now=lambda: now, new_id=lambda: "an id")


def test_an_access_token_comes_back_as_it_was_made() -> None:
    token = mint().read(mint().access(CREDENTIAL, [APP, CATALOG], "localhost:1"))
    assert token is not None
    assert (token.kind, token.credential, token.access) == ("access_token", CREDENTIAL, (APP, CATALOG))


def test_a_refresh_token_comes_back_without_access() -> None:
    token = mint().read(mint().refresh(CREDENTIAL, "localhost:1"))
    assert token is not None
    assert (token.kind, token.credential, token.access) == ("refresh_token", CREDENTIAL, ())


@pytest.mark.parametrize(
    ("later", "good"), [(-1, False), (0, True), (ACCESS_LIFE - 1, True), (ACCESS_LIFE, False), (1e9, False)]
)
def test_an_access_token_has_its_time(later: float, good: bool) -> None:  # noqa: FBT001 - a column of the table
    token = mint().access(CREDENTIAL, [APP], "localhost:1")
    assert (mint(NOW + later).read(token) is not None) == good


def test_a_refresh_token_lives_for_three_hours() -> None:
    token = mint().refresh(CREDENTIAL, "localhost:1")
    assert mint(NOW + REFRESH_LIFE - 1).read(token) is not None
    assert mint(NOW + REFRESH_LIFE).read(token) is None


def test_a_token_of_another_key_is_none() -> None:
    assert mint(key=b"x" * 32).read(mint().access(CREDENTIAL, [APP], "localhost:1")) is None


def test_a_token_under_another_algorithm_is_none_though_the_key_is_right() -> None:
    claims = {
        "nbf": 0,
        "exp": NOW + 100,
        "registry": "x",
        "sub": "x",
        "credential": "x",
        "mark": "x",
        "grant_type": "x",
    }
    token = jwt.encode({"alg": "HS512"}, claims, OctKey.import_key(KEY), algorithms=["HS512"])
    assert mint().read(token) is None


@given(st.text(max_size=200))
def test_any_other_text_is_none(text: str) -> None:
    assert mint().read(text) is None


@given(st.integers(min_value=0), st.characters(codec="ascii"))
def test_a_token_with_one_other_character_is_none_or_the_same(where: int, character: str) -> None:
    token = mint().access(CREDENTIAL, [APP], "localhost:1")
    where %= len(token)
    altered = token[:where] + character + token[where + 1 :]
    read = mint().read(altered)
    assert read is None or read == mint().read(token)  # the last character of base64 has bits that mean nothing


def test_a_token_that_is_very_long_is_not_looked_at() -> None:
    many = [Access("repository", f"repository-{number}", ("pull",)) for number in range(2000)]
    assert mint().read(mint().access(CREDENTIAL, many, "localhost:1")) is None


# ── scopes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_scopes_are_read_as_docker_writes_them() -> None:
    texts = ["repository:team/app:pull,push registry:catalog:*", "repository:host:5000/a:pull,,pull", "x", "a:b", "::"]
    assert scopes.parse(texts) == [APP, CATALOG, Access("repository", "host:5000/a", ("pull",))]


@given(st.lists(st.text(max_size=40), max_size=20))
def test_no_text_is_a_scope_that_fails(texts: list[str]) -> None:
    try:
        found = scopes.parse(texts)
    except Refused:
        return
    assert all(scopes.parse([str(access)]) in ([access], []) for access in found)


@pytest.mark.parametrize(
    ("asked", "role", "all_of_it", "actions"),
    [
        (("pull", "push"), ACR_PULL, False, ("pull",)),
        (("pull", "push"), ACR_PUSH, False, ("pull", "push")),
        (("delete",), ACR_PUSH, False, ()),
        (("*",), ACR_PULL, False, ("metadata_read", "pull")),
        (("pull",), ACR_PULL, True, ("metadata_read", "pull")),
        (("catalog",), EVERYTHING, False, ()),
        (("everything",), EVERYTHING, False, ()),
    ],
)
def test_a_token_gets_what_was_asked_as_far_as_it_is_granted(
    asked: tuple[str, ...],
    role: frozenset[str],
    all_of_it: bool,  # noqa: FBT001 - a column of the table
    actions: tuple[str, ...],
) -> None:
    found = scopes.granted([Access("repository", "app", asked)], granting(role), all_of_it=all_of_it)  # type: ignore[arg-type]
    assert found == ([Access("repository", "app", actions)] if actions else [])


def test_the_catalog_is_for_those_who_may_see_it() -> None:
    assert scopes.granted([CATALOG], granting(ACR_PULL), all_of_it=False) == [CATALOG]
    assert scopes.granted([CATALOG], granting(frozenset({"pull"})), all_of_it=True) == []
    assert scopes.granted([Access("registry", "other", ("*",))], granting(EVERYTHING), all_of_it=True) == []
