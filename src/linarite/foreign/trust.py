"""Tokens of other issuers that count for the API: whose they are, and what they must say.

A subject of such an issuer is in no directory of ours. Its object id is the token's `oid` where the issuer's tenants
are pinned, as Entra's are; else it is made of issuer and `sub`, so that no issuer can name another one's subjects.
Roles are assigned to that id as to any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from linarite.errors.tokens import (
    issuer_unavailable,
    token_audience_wrong,
    token_expired,
    token_invalid,
    token_issuer_wrong,
    token_without_principal,
)
from linarite.foreign.documents import IssuerDown
from linarite.foreign.keys import Untrue, unverified
from linarite.ids import is_guid
from linarite.model import Principal, PrincipalKind
from linarite.moments import claimed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.errors import Refusal
    from linarite.foreign.keys import IssuerKeys
    from linarite.issuers import TrustedIssuer

_SKEW = timedelta(minutes=5)
_LONGEST_NAME = 128
_NAMES = ("upn", "preferred_username", "unique_name", "email", "appid", "azp", "sub")
"""Claims by which people know a subject, the best one first."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """Somebody for whom a trusted issuer stands, until the token ends."""

    principal: Principal
    expires: datetime


class Trust:
    """The trusted issuers; used from one event loop."""

    def __init__(
        self, issuers: Sequence[TrustedIssuer], keys: IssuerKeys, authority: str, clock: Callable[[], datetime]
    ) -> None:
        """`authority` is where a token of ours may be had, which refusals name."""
        self._issuers = {one.issuer: one for one in issuers}
        self._keys = keys
        self._authority = authority
        self._clock = clock

    async def vouch(self, authorization: str | None) -> Vouched | Refusal | None:
        """For whom an issuer stands that an Authorization header names, or why the token does not count.

        None where the token names no trusted issuer, or there is none: it is ours to read, then.
        """
        if not self._issuers or authorization is None:
            return None
        scheme, _, token = authorization.strip().partition(" ")
        found = unverified(token.strip()) if scheme.lower() == "bearer" else None
        named = found[1].get("iss") if found else None
        issuer = self._issuers.get(named) if isinstance(named, str) else None
        if issuer is None:
            return None
        try:
            claims = await self._keys.verified(token.strip(), issuer.issuer, issuer.metadata)
        except Untrue:
            return token_invalid(self._authority)
        except IssuerDown:
            return issuer_unavailable(issuer.issuer)
        return self._checked(issuer, claims)

    def _checked(self, issuer: TrustedIssuer, claims: dict[str, Any]) -> Vouched | Refusal:
        """For whom, of which tenant, until when, about whom; in the order in which Azure complains of our own."""
        url, now = self._authority, self._clock()
        audience, tenant = claims.get("aud"), claims.get("tid")
        named = audience if isinstance(audience, list) else [audience]
        if issuer.tenants and tenant not in issuer.tenants:
            return token_issuer_wrong(url, issuer.issuer, ", ".join(issuer.tenants))
        if not any(one in issuer.audiences for one in named):
            return token_audience_wrong(url, ", ".join(map(str, named)), issuer.audiences)
        expires, begins = claimed(claims.get("exp")), claimed(claims.get("nbf", 0))
        if expires is None or begins is None or begins > now + _SKEW:
            return token_invalid(url)
        if expires <= now:
            return token_expired(url, f"{expires:%m/%d/%Y %H:%M:%S}", f"{now:%m/%d/%Y %H:%M:%S}")
        object_id = _object_id(issuer, claims)
        if object_id is None:
            return token_without_principal(url)
        client = f"{urlsplit(issuer.issuer).hostname}#{_name(claims)}"
        principal = Principal(object_id, _kind(claims), client, str(tenant or ""), _name(claims))
        return Vouched(principal, expires)


def _object_id(issuer: TrustedIssuer, claims: dict[str, Any]) -> str | None:
    oid, sub = claims.get("oid"), claims.get("sub")
    if issuer.tenants:
        return oid.lower() if isinstance(oid, str) and is_guid(oid) else None
    return str(uuid5(NAMESPACE_URL, f"{issuer.issuer} {sub}")) if isinstance(sub, str) and sub else None


def _kind(claims: dict[str, Any]) -> PrincipalKind:
    """Applications have no scope and are their own subject, as in Entra's tokens."""
    of_itself = "scp" not in claims and claims.get("oid") == claims.get("sub")
    return PrincipalKind.SERVICE_PRINCIPAL if claims.get("idtyp") == "app" or of_itself else PrincipalKind.USER


def _name(claims: dict[str, Any]) -> str:
    found = next((claims[name] for name in _NAMES if isinstance(claims.get(name), str) and claims[name]), "")
    return "".join(letter for letter in found[:_LONGEST_NAME] if letter.isprintable() and letter != "'")
