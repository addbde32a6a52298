"""Tokens of trusted issuers: for whom they stand, and for each thing that is wrong with one, why it does not count."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt

from linarite.errors import Refusal
from linarite.foreign import IssuerDown, IssuerKeys, Trust, Vouched
from linarite.issuers import TrustedIssuer, trusted_in
from linarite.model import PrincipalKind
from tests.issuer import new_key

NOW = datetime(2026, 11, 24, 8, 15, 30, tzinfo=UTC)
ENTRA = "https://login.example/77777777-6666-5555-4444-333333333333/v2.0"
PLAIN = "https://issuer.example"
TENANT = "77777777-6666-5555-4444-333333333333"
SOMEBODY = "12345678-1234-1234-1234-123456789abc"
AUDIENCES = ("api://linarite", "https://localhost:8443")
ISSUERS = (TrustedIssuer(ENTRA, AUDIENCES, (TENANT,)), TrustedIssuer(PLAIN, AUDIENCES))
KEY, OTHER_KEY = new_key(), new_key()


async def fetch(url: str) -> dict[str, Any]:
    if url.endswith("/keys"):
        return {"keys": [{**KEY.as_dict(private=False), "kid": KEY.kid}]}
    issuer = url.removesuffix("/.well-known/openid-configuration")
    return {"issuer": issuer, "jwks_uri": f"https://{issuer.split('/')[2]}/keys"}


async def nobody_there(url: str) -> dict[str, Any]:
    raise IssuerDown(url)


def header(key: Any = KEY, **changes: Any) -> str:
    start = int(NOW.timestamp())
    claims = {
        "iss": ENTRA,
        "aud": AUDIENCES[0],
        "tid": TENANT,
        "oid": SOMEBODY,
        "sub": "pairwise",
        "scp": "user_impersonation",
        "preferred_username": "ada@contoso.com",
        "nbf": start,
        "exp": start + 3600,
        **changes,
    }
    present = {name: value for name, value in claims.items() if value is not None}
    return f"Bearer {jwt.encode({'alg': 'RS256', 'kid': KEY.kid}, present, key)}"


def vouched(authorization: str | None, ask: Any = fetch) -> Vouched | Refusal | None:
    trust = Trust(ISSUERS, IssuerKeys(lambda: NOW, ask), "https://localhost:8443/t", lambda: NOW)
    return asyncio.run(trust.vouch(authorization))


def stood_for(**changes: Any) -> Vouched:
    found = vouched(header(**changes))
    assert isinstance(found, Vouched), found
    return found


def test_a_user_is_known_by_the_object_id_and_the_name_that_their_issuer_gives_them() -> None:
    found = stood_for()
    assert found.expires == datetime.fromtimestamp(NOW.timestamp() // 1 + 3600, UTC)
    principal = found.principal
    assert (principal.object_id, principal.kind, principal.tenant) == (SOMEBODY, PrincipalKind.USER, TENANT)
    assert principal.client == "login.example#ada@contoso.com"


@pytest.mark.parametrize("changes", [{"idtyp": "app", "scp": None}, {"sub": SOMEBODY, "scp": None}])
def test_an_application_is_told_from_a_user(changes: dict[str, Any]) -> None:
    assert stood_for(**changes).principal.kind is PrincipalKind.SERVICE_PRINCIPAL


def test_an_audience_may_be_one_of_a_list() -> None:
    assert stood_for(aud=["other", AUDIENCES[1]])


def test_without_pinned_tenants_the_subject_counts_and_is_the_issuers_own() -> None:
    plain = stood_for(iss=PLAIN, tid=None, oid=SOMEBODY, sub="ada").principal.object_id
    assert plain == stood_for(iss=PLAIN, sub="ada").principal.object_id
    assert plain not in {SOMEBODY, stood_for(iss=PLAIN, sub="ben").principal.object_id}


def test_a_name_cannot_hold_what_is_no_letter() -> None:
    assert stood_for(preferred_username="ada\r\n\x00'x").principal.client == "login.example#adax"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "for another audience": ({"aud": "https://management.azure.com/"}, "InvalidAuthenticationTokenAudience"),
    "for nobody": ({"aud": None}, "InvalidAuthenticationTokenAudience"),
    "for a part of ours": ({"aud": "api://linarit"}, "InvalidAuthenticationTokenAudience"),
    "of another tenant": ({"tid": str(uuid4())}, "InvalidAuthenticationTokenTenant"),
    "of no tenant": ({"tid": None}, "InvalidAuthenticationTokenTenant"),
    "of a list of tenants": ({"tid": [TENANT]}, "InvalidAuthenticationTokenTenant"),
    "that has ended": ({"exp": int(NOW.timestamp())}, "ExpiredAuthenticationToken"),
    "that never ends": ({"exp": None}, "InvalidAuthenticationToken"),
    "that ends true": ({"exp": True}, "InvalidAuthenticationToken"),
    "that begins in an hour": ({"nbf": int(NOW.timestamp()) + 3600}, "InvalidAuthenticationToken"),
    "that begins one day": ({"nbf": "one day"}, "InvalidAuthenticationToken"),
    "that names nobody": ({"oid": None}, "InvalidAuthenticationToken"),
    "that names somebody oddly": ({"oid": "ada"}, "InvalidAuthenticationToken"),
    "of nobody, without tenants": ({"iss": PLAIN, "sub": None}, "InvalidAuthenticationToken"),
    "that another key has signed": ({"key": OTHER_KEY}, "InvalidAuthenticationToken"),
}


@pytest.mark.parametrize(("changes", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_token_that_is_not_as_it_must_be_does_not_count(changes: dict[str, Any], code: str) -> None:
    found = vouched(header(**changes))
    assert isinstance(found, Refusal)
    assert (found.status, found.code) == (401, code)
    assert dict(found.headers)["www-authenticate"].startswith("Bearer authorization_uri=")


def test_an_issuer_that_is_down_is_said_so() -> None:
    found = vouched(header(), nobody_there)
    assert isinstance(found, Refusal)
    assert (found.status, found.code) == (503, "ServiceUnavailable")
    assert dict(found.headers)["retry-after"] == "10"
    assert ENTRA in found.message


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer nonsense",
        "Basic YTpi",
        header(iss="https://other.example"),
        header(iss=f"{ENTRA}/"),
        header(iss=None),
        header(iss=[ENTRA]),
        header().replace("Bearer", "Basic"),
    ],
    ids=["none", "empty", "no token", "nonsense", "basic", "other", "slash", "no issuer", "list", "scheme"],
)
def test_what_names_no_trusted_issuer_is_not_ours_and_nobody_is_asked(authorization: str | None) -> None:
    assert vouched(authorization, nobody_there) is None


# ── the setting ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_setting_is_a_list() -> None:
    [one] = trusted_in('[{"issuer": "https://a.example", "audiences": ["x"], "metadata": "https://b.example/doc"}]')
    assert one == TrustedIssuer("https://a.example", ("x",), (), "https://b.example/doc")
    assert trusted_in("") == ()


@pytest.mark.parametrize(
    "text",
    [
        "https://a.example",
        "{}",
        '[{"issuer": "https://a.example"}]',
        '[{"issuer": "https://a.example", "audiences": []}]',
        '[{"issuer": "https://a.example", "audiences": [""]}]',
        '[{"issuer": "https://a.example", "audiences": ["x"], "tenants": [""]}]',
        '[{"issuer": "https://a.example", "audiences": ["x"], "tenant": "y"}]',
        '[{"issuer": "http://a.example", "audiences": ["x"]}]',
        '[{"issuer": "https://a.example", "audiences": ["x"], "metadata": "http://a.example/"}]',
        '[{"issuer": "https://a.example", "audiences": ["x"]}, {"issuer": "https://a.example", "audiences": ["y"]}]',
    ],
)
def test_what_is_no_such_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        trusted_in(text)
