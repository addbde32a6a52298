"""Tokens at the front door: each that does not count is refused for what is wrong with it, in Azure's words."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.api.people import hire
from tests.api.place import refusal
from tests.api.signing import asked, claims_of_the_owner, signed
from tests.cli.program import answered

if TYPE_CHECKING:
    import httpx
    from joserfc.jwk import RSAKey

    from tests.server import Caller, Server


def challenge(server: Server, description: str) -> str:
    return (
        f'Bearer authorization_uri="{server.origin}/{server.known["tenantId"]}", error="invalid_token", '
        f'error_description="{description}"'
    )


def assert_unauthenticated(server: Server, answer: httpx.Response, code: str, message: str, description: str) -> None:
    assert refusal(answer) == (401, code, message)
    assert answer.headers["www-authenticate"] == challenge(server, description)
    assert answer.headers["x-ms-failure-cause"] == "gateway"
    assert not [name for name in answer.headers if "ratelimit" in name], "nobody's bucket is drawn on"


INVALID = "The access token is invalid."


# ── no token at all ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("header", "code", "message", "description"),
    [
        (
            None,
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
            "The authentication failed because of missing 'Authorization' header.",
        ),
        (
            "Bearer",
            "AuthenticationFailedMissingToken",
            "Authentication failed. The 'Authorization' header is missing the access token.",
            "The access token is missing.",
        ),
        (
            "Basic YTpi",
            "AuthenticationFailedInvalidHeader",
            "Authentication failed. The 'Authorization' header is provided in an invalid format.",
            "The authentication scheme is not supported.",
        ),
        ("Bearer nonsense", "InvalidAuthenticationToken", INVALID, INVALID),
        ("Bearer a.b.c", "InvalidAuthenticationToken", INVALID, INVALID),
    ],
)
def test_what_is_no_token_is_named_as_what_it_is(  # noqa: PLR0917 - an example and fixtures
    server: Server, nobody: Caller, header: str | None, code: str, message: str, description: str
) -> None:
    assert_unauthenticated(server, asked(server, nobody, header), code, message, description)


def test_the_scheme_is_read_in_any_case(server: Server, owner: Caller, nobody: Caller) -> None:
    token = owner.http.headers["authorization"].partition(" ")[2]
    for scheme in ("bearer", "BEARER", "Bearer "):
        assert asked(server, nobody, f"{scheme} {token}").status_code == 200


# ── a token that does not count ─────────────────────────────────────────────────────────────────────────────────────


def test_claims_of_the_owner_signed_by_the_server_let_in(server: Server, nobody: Caller, key: RSAKey) -> None:
    """Without which the refusals below would prove nothing."""
    assert asked(server, nobody, signed(key, claims_of_the_owner(server))).status_code == 200


@pytest.mark.parametrize("audience", ["", "/"])
def test_a_token_for_this_very_server_counts_too(server: Server, nobody: Caller, key: RSAKey, audience: str) -> None:
    claims = claims_of_the_owner(server, aud=server.origin + audience)
    assert asked(server, nobody, signed(key, claims)).status_code == 200


@pytest.mark.parametrize("audience", ["https://graph.microsoft.com/", "https://management.azure.com.evil.example/", ""])
def test_a_token_for_another_resource_is_refused_with_those_that_would_do(
    server: Server, nobody: Caller, key: RSAKey, audience: str
) -> None:
    allowed = [
        "https://management.core.windows.net/",
        "https://management.core.windows.net",
        "https://management.azure.com/",
        "https://management.azure.com",
        server.origin,
        f"{server.origin}/",
    ]
    said = f"The access token has been obtained for wrong audience or resource '{audience}'."
    list_ = ",".join(f"'{one}'" for one in allowed)
    assert_unauthenticated(
        server,
        asked(server, nobody, signed(key, claims_of_the_owner(server, aud=audience))),
        "InvalidAuthenticationTokenAudience",
        f"{said} It should exactly match with one of the allowed audiences {list_}.",
        "The access token has been obtained for wrong audience or resource.",
    )


def test_a_token_of_another_issuer_is_refused_with_the_one_that_would_do(
    server: Server, nobody: Caller, key: RSAKey
) -> None:
    other = f"https://sts.windows.net/{uuid4()}/"
    tenant = server.known["tenantId"]
    said = (
        f"The access token is from the wrong issuer '{other}'. It must match the tenant "
        f"'https://sts.windows.net/{tenant}/' associated with this subscription. Please use the authority (URL) "
        f"'{server.origin}/{tenant}' to get the token. Note, if the subscription is transferred to another tenant "
        "there is no impact to the services, but information about new tenant could take time to propagate (up to an "
        "hour). If you just transferred your subscription and see this error message, please try back later."
    )
    assert_unauthenticated(
        server,
        asked(server, nobody, signed(key, claims_of_the_owner(server, iss=other))),
        "InvalidAuthenticationTokenTenant",
        said,
        "The access token is from the wrong issuer.",
    )


def test_a_token_of_another_tenant_is_refused_whoever_its_issuer_is(
    server: Server, nobody: Caller, key: RSAKey
) -> None:
    answer = asked(server, nobody, signed(key, claims_of_the_owner(server, tid=str(uuid4()))))
    assert refusal(answer)[:2] == (401, "InvalidAuthenticationTokenTenant")


def test_a_token_that_has_ended_is_refused_with_the_times(server: Server, nobody: Caller, key: RSAKey) -> None:
    answer = asked(server, nobody, signed(key, claims_of_the_owner(server, exp=1_700_000_000, nbf=1_600_000_000)))
    status, code, message = refusal(answer)
    assert (status, code) == (401, "ExpiredAuthenticationToken")
    moment = r"\d{1,2}/\d{1,2}/20\d\d \d{1,2}:\d\d:\d\d [AP]M"
    assert re.fullmatch(
        rf"The access token expiry UTC time '11/14/2023 10:13:20 PM' is earlier than current UTC time '{moment}'\.",
        message,
    )
    assert answer.headers["www-authenticate"] == challenge(server, message)


def test_a_token_that_was_let_in_is_refused_from_the_second_on_in_which_it_ends(
    server: Server, nobody: Caller, key: RSAKey
) -> None:
    header = signed(key, claims_of_the_owner(server, exp=int(time.time()) + 2))
    assert asked(server, nobody, header).status_code == 200
    deadline = time.monotonic() + 10
    while (answer := asked(server, nobody, header)).status_code == 200:
        assert time.monotonic() < deadline, "it counts for ever"
    assert refusal(answer)[:2] == (401, "ExpiredAuthenticationToken")


def test_a_token_that_names_nobody_is_refused(server: Server, nobody: Caller, key: RSAKey) -> None:
    said = (
        "The received access token is not valid: at least one of the claims 'puid' or 'altsecid' or 'oid' should be "
        "present. If you are accessing as application please make sure service principal is properly created in the "
        "tenant."
    )
    assert_unauthenticated(
        server,
        asked(server, nobody, signed(key, claims_of_the_owner(server, oid=None))),
        "InvalidAuthenticationToken",
        said,
        "The received access token is not valid.",
    )


BROKEN: dict[str, dict[str, Any]] = {
    "of somebody who is not there": {"oid": "99999999-9999-9999-9999-999999999999"},
    "that begins in an hour": {"nbf": int(time.time()) + 3600},
    "without an end": {"exp": None},
    "with an end that is no number": {"exp": "tomorrow"},
    "with an end that is true": {"exp": True},
    "with an end beyond all calendars": {"exp": 10**30},
    "without an issuer": {"iss": None},
    "with a list of issuers": {"iss": ["https://sts.windows.net/dddddddd-cccc-bbbb-aaaa-000000000000/"]},
    "without an audience": {"aud": None},
    "with a list of audiences": {"aud": ["https://management.azure.com/"]},
    "of a number": {"oid": 7},
}


@pytest.mark.parametrize("claims", BROKEN.values(), ids=BROKEN.keys())
def test_a_token_that_says_something_odd_is_refused(
    server: Server, nobody: Caller, key: RSAKey, claims: dict[str, Any]
) -> None:
    answer = asked(server, nobody, signed(key, claims_of_the_owner(server, **claims)))
    assert refusal(answer)[:2] == (401, "InvalidAuthenticationToken")
    assert answer.headers["www-authenticate"].startswith("Bearer authorization_uri=")


def test_a_token_of_somebody_who_was_removed_counts_no_more(server: Server) -> None:
    person = hire(server)
    assert refusal(person.caller.get(server.workspace))[:2] == (403, "AuthorizationFailed")
    answered("app", "remove", person.client_id, "--data", server.folder)
    assert refusal(person.caller.get(server.workspace)) == (401, "InvalidAuthenticationToken", INVALID)
