"""Keys of issuers: whose they are, how long they count, how often they are asked for, and what they verify."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from linarite.foreign import IssuerDown, IssuerKeys, Untrue, unverified
from linarite.foreign.keys import FRESH, KEPT, MOST_FETCHES

ISSUER = "https://issuer.example/tenant"
METADATA = f"{ISSUER}/.well-known/openid-configuration"
PLACE = "https://issuer.example/keys"
FIRST = RSAKey.generate_key(2048, {"kid": "first"}, auto_kid=False)
SECOND = RSAKey.generate_key(2048, {"kid": "second"}, auto_kid=False)


def public(key: Any, **more: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), "kid": key.kid, **more}


def token(key: Any = FIRST, algorithm: str = "RS256", **header: Any) -> str:
    return jwt.encode({"alg": algorithm, "kid": "first", **header}, {"sub": "s"}, key, algorithms=[algorithm])


class World:
    """An issuer's documents, a clock, and what was asked."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, tzinfo=UTC)
        self.documents: dict[str, dict[str, Any]] = {
            METADATA: {"issuer": ISSUER, "jwks_uri": PLACE},
            PLACE: {"keys": [public(FIRST)]},
        }
        self.asked: list[str] = []
        self.down = False
        self.keys = IssuerKeys(lambda: self.now, self.fetch)

    async def fetch(self, url: str) -> dict[str, Any]:
        self.asked.append(url)
        await asyncio.sleep(0)
        if self.down:
            raise IssuerDown(f"{url} is down.")
        return self.documents[url]

    def read(self, token: str) -> dict[str, Any]:
        return asyncio.run(self.keys.verified(token, ISSUER))

    def untrue(self, token: str) -> Untrue:
        with pytest.raises(Untrue) as caught:
            self.read(token)
        return caught.value

    def unreachable(self, token: str) -> str:
        with pytest.raises(IssuerDown) as caught:
            self.read(token)
        return str(caught.value)


@pytest.fixture
def world() -> World:
    return World()


def test_what_the_issuer_has_signed_is_read_and_its_keys_are_asked_for_once(world: World) -> None:
    assert world.read(token()) == {"sub": "s"}
    assert world.read(token(algorithm="PS256")) == {"sub": "s"}
    assert world.asked == [METADATA, PLACE]


def test_many_who_come_at_once_ask_once(world: World) -> None:
    async def all_of_them() -> None:
        await asyncio.gather(*(world.keys.verified(token(), ISSUER) for _ in range(20)))

    asyncio.run(all_of_them())
    assert world.asked == [METADATA, PLACE]


def test_an_elliptic_key_is_as_good(world: World) -> None:
    key = ECKey.generate_key("P-256", {"kid": "first"}, auto_kid=False)
    world.documents[PLACE] = {"keys": [public(key)]}
    assert world.read(token(key, "ES256")) == {"sub": "s"}


# ── rotation ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_key_counts_at_once(world: World) -> None:
    world.read(token())
    world.documents[PLACE] = {"keys": [public(FIRST), public(SECOND)]}
    assert world.read(token(SECOND, kid="second")) == {"sub": "s"}


def test_a_key_that_was_taken_back_counts_for_an_hour_at_most(world: World) -> None:
    world.read(token())
    world.documents[PLACE] = {"keys": [public(SECOND)]}
    world.now += FRESH - timedelta(seconds=1)
    world.read(token())
    world.now += timedelta(seconds=1)
    assert world.untrue(token()).kid == "first"


def test_unknown_keys_make_us_ask_a_few_times_a_minute_at_most(world: World) -> None:
    for number in range(50):
        world.untrue(token(kid=f"none-{number}"))
    assert len(world.asked) == 2 * MOST_FETCHES
    assert world.read(token()) == {"sub": "s"}
    world.now += timedelta(minutes=1)
    world.untrue(token(kid="none"))
    assert len(world.asked) == 2 * MOST_FETCHES + 2


# ── an issuer that is down ──────────────────────────────────────────────────────────────────────────────────────────


def test_an_issuer_that_is_down_is_said_so_and_is_back_when_it_is(world: World) -> None:
    world.down = True
    assert world.unreachable(token()) == f"{METADATA} is down."
    world.down = False
    assert world.read(token()) == {"sub": "s"}


def test_keys_outlive_an_issuer_that_is_down_by_a_day(world: World) -> None:
    world.read(token())
    world.down = True
    world.now += KEPT - timedelta(seconds=1)
    assert world.read(token()) == {"sub": "s"}
    world.now += timedelta(seconds=1)
    world.unreachable(token())


def test_one_that_is_down_is_not_asked_for_ever(world: World) -> None:
    world.down = True
    for _ in range(50):
        world.unreachable(token())
    assert len(world.asked) == MOST_FETCHES


# ── documents that are not the issuer's ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"issuer": "https://other.example"}, "is the document of another issuer"),
        ({"issuer": ISSUER + "/"}, "is the document of another issuer"),
        ({"jwks_uri": "https://other.example/keys"}, "points to keys on another host"),
        ({"jwks_uri": "https://issuer.example:444/keys"}, "points to keys on another host"),
        ({"jwks_uri": "http://issuer.example/keys"}, "points to keys on another host"),
        ({"jwks_uri": "https://issuer.example@other.example/keys"}, "points to keys on another host"),
        ({"jwks_uri": "file:///etc/passwd"}, "points to keys on another host"),
        ({"jwks_uri": None}, "points to keys on another host"),
    ],
)
def test_a_document_that_leads_elsewhere_is_refused(world: World, change: dict[str, Any], said: str) -> None:
    world.documents[METADATA] |= change
    assert said in world.unreachable(token())
    assert PLACE not in world.asked


SMALL = public(FIRST)
SMALL["n"] = SMALL["n"][:170]


@pytest.mark.parametrize(
    "keys",
    [
        None,
        {},
        [None, 7, "key"],
        [{"kid": "first", "kty": "RSA"}],
        [{"kid": "first", "kty": "RSA", "n": 7, "e": []}],
        [{"kid": "first", "kty": "oct", "k": "c2VjcmV0"}],
        [public(FIRST, use="enc")],
        [public(FIRST, kid=7)],
        [SMALL],
    ],
    ids=["none", "object", "no keys", "empty", "odd", "shared", "for encryption", "kid", "small"],
)
def test_a_key_that_is_none_is_passed_over(world: World, keys: Any) -> None:
    world.documents[PLACE] = {"keys": keys}
    world.untrue(token())


# ── tokens that are not the issuer's ────────────────────────────────────────────────────────────────────────────────


def _unsigned(alg: str = "none") -> str:
    parts = ({"alg": alg, "kid": "first"}, {"sub": "s"})
    return ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in parts) + "."


def _with_the_public_key_as_a_shared_one() -> str:
    """What no library signs any more, so it is done by hand."""
    head = _unsigned(alg="HS256").rstrip(".")
    tag = hmac.digest(FIRST.as_pem(private=False), head.encode(), "sha256")
    return f"{head}.{base64.urlsafe_b64encode(tag).decode().rstrip('=')}"


@pytest.mark.parametrize(
    "made",
    [
        lambda: token(SECOND),
        lambda: token(algorithm="RS512"),
        _unsigned,
        _with_the_public_key_as_a_shared_one,
        lambda: token(kid="../../first"),
        lambda: token(SECOND, jwk=public(SECOND)),
        lambda: token(SECOND, jku="https://other.example/keys"),
        lambda: token()[:-8] + "AAAAAAAA",
        lambda: "a.b.c",
        lambda: "",
    ],
    ids=["another key", "RS512", "none", "HS256", "path", "jwk", "jku", "torn", "nonsense", "empty"],
)
def test_a_token_that_the_issuer_did_not_sign_is_untrue(world: World, made: Any) -> None:
    world.untrue(made())
    assert not {url for url in world.asked if "other" in url}


def test_a_token_that_names_no_key_is_untrue_and_nobody_is_asked(world: World) -> None:
    for kid in (None, "", 7, ["first"]):
        header = {"alg": "RS256", **({} if kid is None else {"kid": kid})}
        text = ".".join(
            base64.urlsafe_b64encode(json.dumps(one).encode()).decode().rstrip("=") for one in (header, {"sub": "s"})
        )
        world.untrue(f"{text}.AAAA")
    assert world.asked == []


@pytest.mark.parametrize(
    "text", ["", "a", "a.b", "a.b.c.d", "W10.W10.x", "e30.W10.x", "é.é.é", "e30.e30." + "x" * 20_000]
)
def test_what_is_no_token_has_no_claims(text: str) -> None:
    assert unverified(text) is None
