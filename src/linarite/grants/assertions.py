"""Client assertions (RFC 7523): tokens by which an application proves itself instead of with a secret.

One that the application signed itself counts by a certificate that is registered for it; one of another issuer by a
trust in that issuer, subject and audience. What is checked, and in which order, is Entra's ("Microsoft identity
platform application authentication certificate credentials", "Workload identity federation").
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from linarite.foreign import IssuerDown, Untrue, unverified
from linarite.grants import certificates
from linarite.grants.ask import ANY_TENANT, DOMAIN
from linarite.grants.denied.assertions import (
    assertion_audience_wrong,
    assertion_malformed,
    assertion_repeated,
    assertion_subject_wrong,
    assertion_untimely,
    federated_audience_unknown,
    federated_issuer_down,
    federated_issuer_unknown,
    federated_key_unknown,
    federated_subject_unknown,
)
from linarite.grants.denied.requests import request_malformed
from linarite.grants.federation import Federation
from linarite.moments import claimed
from linarite.store import directory
from linarite.tokens import CLOCK_SKEW

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from linarite.grants.case import Case
    from linarite.grants.endpoint import TokenService
    from linarite.store.directory import Credential
    from linarite.store.transaction import Transaction
    from linarite.tokens import Authority

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_ENDPOINTS = ("oauth2/token", "oauth2/v2.0/token")


async def prove(service: TokenService, case: Case, client: str, credentials: Sequence[Credential]) -> None:
    """Prove an application by the assertion of its request.

    Raises:
        Denied: it proves nothing; the number says why.
    """
    if case.form.get("client_assertion_type") != TYPE:
        raise request_malformed(f"The 'client_assertion_type' must be '{TYPE}'.")
    assertion = case.form.get("client_assertion")
    found = unverified(assertion)
    if found is None:
        raise assertion_malformed()
    claims = found[1]
    if str(claims.get("iss")).lower() == client.lower():
        public = certificates.named_by(found[0], client, credentials, service.clock())
        claims = certificates.claims_signed_with(public, assertion)
        _check_own(claims, client, service.authority)
        _check_time(claims, service.clock())
        await _once(service, case, assertion, claims)
    else:
        await _check_federated(service, assertion, claims, credentials)


def audiences(authority: Authority) -> frozenset[str]:
    """How an assertion may name us, in lower case: a token endpoint under each of the tenant's words, or an issuer."""
    words = (authority.tenant, DOMAIN, *ANY_TENANT)
    endpoints = (f"{authority.origin}/{word}/{endpoint}" for word in words for endpoint in _ENDPOINTS)
    return frozenset(one.lower() for one in (*endpoints, *authority.issuers, authority.url))


def _check_own(claims: dict[str, Any], client: str, authority: Authority) -> None:
    if str(claims.get("sub")).lower() != client.lower():
        raise assertion_subject_wrong()
    known = audiences(authority)
    if not any(one.lower() in known or one.lower().rstrip("/") in known for one in _texts(claims.get("aud"))):
        raise assertion_audience_wrong()


def _check_time(claims: dict[str, Any], now: datetime) -> datetime:
    """When the assertion ends; refuses one that has ended, has not begun, or never ends."""
    ends, begins = claimed(claims.get("exp")), claimed(claims.get("nbf", 0))
    if ends is None or begins is None or ends <= now or begins > now + CLOCK_SKEW:
        raise assertion_untimely(now, begins, ends)
    return ends


async def _check_federated(
    service: TokenService, assertion: str, claims: dict[str, Any], credentials: Iterable[Credential]
) -> None:
    """Issuer, subject and audience must be those of one trust, to the letter; then the issuer's keys decide."""
    issuer, subject = str(claims.get("iss")), str(claims.get("sub"))
    trusts = [Federation.read(one.public) for one in credentials if one.kind == "issuer"]
    if not (trusts := [one for one in trusts if one.issuer == issuer]):
        raise federated_issuer_unknown(issuer)
    if not (trusts := [one for one in trusts if one.subject == subject]):
        raise federated_subject_unknown(subject)
    if not any(one.audience in _texts(claims.get("aud")) for one in trusts):
        raise federated_audience_unknown(", ".join(_texts(claims.get("aud"))))
    try:
        verified = await service.issuers.verified(assertion, issuer)
    except Untrue as error:
        raise federated_key_unknown(error.kid, issuer) from error
    except IssuerDown as error:
        raise federated_issuer_down(str(error)) from error
    _check_time(verified, service.clock())


async def _once(service: TokenService, case: Case, assertion: str, claims: dict[str, Any]) -> None:
    """Refuse an assertion that another request has presented, where the service is told to.

    Entra does not, and MSAL for Python presents the same one for nine minutes.
    """
    if service.assertions_count_often:
        return
    jti = claims.get("jti")
    named = f"{claims['iss']} {jti}" if isinstance(jti, str) and jti else assertion
    digest = hashlib.sha256(named.encode()).hexdigest()
    until, now = claimed(claims["exp"]) or service.clock(), service.clock()

    def work(transaction: Transaction) -> bool:
        return directory.present(
            transaction.connection(), digest, request=case.ask.request, until=until + CLOCK_SKEW, now=now
        )

    if not await service.gate.commit(work, lambda _: None):
        raise assertion_repeated()


def _texts(value: object) -> list[str]:
    """A claim that is a text or a list of texts."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
