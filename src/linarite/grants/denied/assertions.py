"""What is refused of an assertion that an application shows in place of a secret: its own, or a trusted issuer's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.grants.denied import Denied, quoted

if TYPE_CHECKING:
    from datetime import datetime

_REVIEW = "Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials ."
_FEDERATION = (
    "Please check your federated identity credential Subject, Audience and Issuer against the presented assertion. "
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)


def assertion_malformed(why: str = "") -> Denied:
    return Denied("invalid_client", 50027, f"JWT token is invalid or malformed. {why}".strip(), 401)


def assertion_repeated() -> Denied:
    return assertion_malformed("The assertion was presented before, and counts once.")


def assertion_subject_wrong() -> Denied:
    message = "Client assertion application identifier doesn't match 'client_id' parameter."
    return Denied("invalid_client", 700021, f"{message} {_REVIEW}", 401)


def assertion_audience_wrong() -> Denied:
    message = "Client assertion audience claim does not match Realm issuer."
    return Denied("invalid_client", 700023, f"{message} {_REVIEW}", 401)


def assertion_untimely(now: datetime, begins: datetime | None, ends: datetime | None) -> Denied:
    said = ", ".join(
        f"{what} {_moment(moment) if moment else 'missing or unreadable'}"
        for what, moment in (("assertion valid from", begins), ("expiry time of assertion", ends))
    )
    message = f"Client assertion is not within its valid time range. Current time: {_moment(now)}, {said}."
    return Denied("invalid_client", 700024, f"{message} {_REVIEW}", 401)


def assertion_signature_wrong(client: str, why: str, thumbprint: str) -> Denied:
    what = (
        "Client assertion failed signature validation."
        if "signature" in why
        else "The certificate with identifier used to sign the client assertion is not registered on application."
    )
    key = f", Thumbprint of key used by client: '{thumbprint}'" if thumbprint else ""
    hint = f", `linarite app credential list {quoted(client)}` shows the configured keys" if client else ""
    return Denied("invalid_client", 700027, f"{what} [Reason - {why}{key}{hint}]", 401)


def federated_issuer_unknown(issuer: str) -> Denied:
    message = f"No matching federated identity record found for presented assertion issuer '{quoted(issuer)}'."
    return Denied("invalid_client", 700211, f"{message} {_FEDERATION}", 401)


def federated_audience_unknown(audience: str) -> Denied:
    message = f"No matching federated identity record found for presented assertion audience '{quoted(audience)}'."
    return Denied("invalid_client", 700212, f"{message} {_FEDERATION}", 401)


def federated_subject_unknown(subject: str) -> Denied:
    message = f"No matching federated identity record found for presented assertion subject '{quoted(subject)}'."
    return Denied("invalid_client", 700213, f"{message} {_FEDERATION}", 401)


def federated_key_unknown(kid: str, issuer: str) -> Denied:
    message = (
        f"The certificate with identifier {quoted(kid)} used to sign the federated credential could not be found in "
        f"the metadata of identity provider {quoted(issuer)}. Please validate that your Identity Provider's metadata "
        "exposes the key used to sign the incoming token."
    )
    return Denied("invalid_client", 7000272, message, 401)


def federated_issuer_down(why: str) -> Denied:
    message = f"Request to External OIDC endpoint failed. {quoted(why)}"
    return Denied("temporarily_unavailable", 90061, message, 503)


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
