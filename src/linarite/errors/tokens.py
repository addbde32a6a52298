"""Refusals of a token: whoever calls with it is nobody, and a challenge says where a good one may be had."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from linarite.errors import Unauthenticated, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

ALLOWED_AUDIENCES = (
    "https://management.core.windows.net/",
    "https://management.core.windows.net",
    "https://management.azure.com/",
    "https://management.azure.com",
)


def _challenge(authority: str, description: str, error: str = "invalid_token") -> tuple[tuple[str, str], ...]:
    text = f'Bearer authorization_uri="{authority}", error="{error}", error_description="{description}"'
    return (("www-authenticate", text),)


def token_missing(authority: str) -> Unauthenticated:
    """No Authorization header at all; `authority` is the URL where a token may be had."""
    return Unauthenticated(
        "AuthenticationFailed",
        "Authentication failed. The 'Authorization' header is missing.",
        headers=_challenge(authority, "The authentication failed because of missing 'Authorization' header."),
    )


def token_empty(authority: str) -> Unauthenticated:
    return Unauthenticated(
        "AuthenticationFailedMissingToken",
        "Authentication failed. The 'Authorization' header is missing the access token.",
        headers=_challenge(authority, "The access token is missing."),
    )


def token_scheme_unknown(authority: str) -> Unauthenticated:
    return Unauthenticated(
        "AuthenticationFailedInvalidHeader",
        "Authentication failed. The 'Authorization' header is provided in an invalid format.",
        headers=_challenge(authority, "The authentication scheme is not supported."),
    )


def token_invalid(authority: str) -> Unauthenticated:
    message = "The access token is invalid."
    return Unauthenticated("InvalidAuthenticationToken", message, headers=_challenge(authority, message))


def token_expired(authority: str, expiry: str, now: str) -> Unauthenticated:
    message = f"The access token expiry UTC time '{expiry}' is earlier than current UTC time '{now}'."
    return Unauthenticated("ExpiredAuthenticationToken", message, headers=_challenge(authority, message))


def token_audience_wrong(authority: str, audience: str, audiences: Iterable[str]) -> Unauthenticated:
    allowed = ",".join(f"'{known}'" for known in audiences)
    message = (
        f"The access token has been obtained for wrong audience or resource '{audience}'. "
        f"It should exactly match with one of the allowed audiences {allowed}."
    )
    header = _challenge(authority, "The access token has been obtained for wrong audience or resource.")
    return Unauthenticated("InvalidAuthenticationTokenAudience", message, headers=header)


def token_issuer_wrong(authority: str, issuer: str, expected: str) -> Unauthenticated:
    message = (
        f"The access token is from the wrong issuer '{issuer}'. It must match the tenant '{expected}' associated with "
        f"this subscription. Please use the authority (URL) '{authority}' to get the token. Note, if the subscription "
        "is transferred to another tenant there is no impact to the services, but information about new tenant could "
        "take time to propagate (up to an hour). If you just transferred your subscription and see this error message, "
        "please try back later."
    )
    header = _challenge(authority, "The access token is from the wrong issuer.")
    return Unauthenticated("InvalidAuthenticationTokenTenant", message, headers=header)


def token_without_principal(authority: str) -> Unauthenticated:
    message = (
        "The received access token is not valid: at least one of the claims 'puid' or 'altsecid' or 'oid' should be "
        "present. If you are accessing as application please make sure service principal is properly created in the "
        "tenant."
    )
    header = _challenge(authority, "The received access token is not valid.")
    return Unauthenticated("InvalidAuthenticationToken", message, headers=header)


def issuer_unavailable(issuer: str) -> Unavailable:
    return Unavailable(
        "ServiceUnavailable",
        f"The keys of the issuer '{issuer}' of the access token cannot be had now. Please try again.",
        headers=(("retry-after", "10"),),
    )


def claims_wanted(authority: str, claims: str) -> Unauthenticated:
    """The challenge of Continuous Access Evaluation: `claims` is JSON that a new token is to be asked for with."""
    message = (
        "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: "
        "TokenIssuedBeforeRevocationTimestamp."
    )
    encoded = base64.b64encode(claims.encode()).decode()
    header = f'Bearer realm="", authorization_uri="{authority}", error="insufficient_claims", claims="{encoded}"'
    return Unauthenticated("InvalidAuthenticationToken", message, headers=(("www-authenticate", header),))
