"""Access tokens: whose count, and what a good one says. They are minted like Entra's in `minting`, and read again here.

RS256 and nothing else. The claims are those of Entra's v1.0 access tokens for Azure Resource Manager (Microsoft's
"Access token claims reference"): `aud iss iat nbf exp aio appid appidacr idp oid rh sub tid uti ver`, `idtyp` for
applications, and `scp` for users. A token that was read once is remembered by digest until it ends.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from linarite.errors.tokens import (
    ALLOWED_AUDIENCES,
    token_audience_wrong,
    token_empty,
    token_expired,
    token_invalid,
    token_issuer_wrong,
    token_missing,
    token_scheme_unknown,
    token_without_principal,
)
from linarite.moments import claimed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.store.directory import SigningKey

CLOCK_SKEW = timedelta(minutes=5)
"""How far `nbf` may lie ahead, as Microsoft's own token libraries allow."""

_LONGEST_TOKEN = 64 * 1024
_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says."""

    object_id: str
    tenant: str
    audience: str
    expires: datetime
    all: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Authority:
    """Whose tokens count here: the origin of the token service, and the tenant."""

    origin: str
    tenant: str

    @property
    def url(self) -> str:
        """Where a token may be had: what challenges name."""
        return f"{self.origin}/{self.tenant}"

    @property
    def issuer(self) -> str:
        """`iss` of tokens for Azure's own resources, which are v1.0 tokens."""
        return f"https://sts.windows.net/{self.tenant}/"

    @property
    def issuers(self) -> tuple[str, ...]:
        return (self.issuer, f"{self.origin}/{self.tenant}/v2.0")

    @property
    def audiences(self) -> tuple[str, ...]:
        """Azure Resource Manager's names, and our own address with and without a slash at the end."""
        return (*ALLOWED_AUDIENCES, self.origin, self.origin + "/")

    @property
    def graph(self) -> str:
        """Microsoft Graph's address here, and the resource that tokens for it are asked for."""
        return f"{self.origin}/graph"

    @property
    def graph_audiences(self) -> tuple[str, ...]:
        """Microsoft Graph's names: its address, its application id, and ours, with and without a slash at the end."""
        known = ("https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000", self.graph)
        return (*known, *(f"{one}/" for one in known))


class _Trusted:
    """Keys, and the tokens that were verified with them: one value, for units of work read in a thread of their own."""

    def __init__(self, keys: Sequence[SigningKey]) -> None:
        self.keys = keys
        self.key_set = KeySet([RSAKey.import_key(orjson.loads(key.public)) for key in keys])
        self.known: dict[bytes, Claims] = {}


class Reader:
    """Verifies bearer tokens. `authority` and the keys may change; what was remembered under others is forgotten."""

    def __init__(
        self, authority: Authority, clock: Callable[[], datetime], audiences: tuple[str, ...] | None = None
    ) -> None:
        """`audiences` are whom tokens may be for; Azure Resource Manager unless given."""
        self.authority = authority
        self._audiences = authority.audiences if audiences is None else audiences
        self._clock = clock
        self._trusted = _Trusted(())

    def read(self, authorization: str | None, keys: Sequence[SigningKey]) -> Claims:
        """The claims behind an Authorization header.

        Raises:
            Unauthenticated: with Azure's code and words for what is wrong, and the challenge.
        """
        token = self._bearer(authorization)
        trusted = self._trusted
        if keys is not trusted.keys and keys != trusted.keys:
            trusted = self._trusted = _Trusted(keys)
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        claims = trusted.known.get(digest)
        if claims is None:
            claims = self._verify(token, trusted.key_set)
            if len(trusted.known) >= _REMEMBERED:
                trusted.known.clear()
            trusted.known[digest] = claims
        if claims.expires <= (now := self._clock()):
            raise token_expired(self.authority.url, _clock_text(claims.expires), _clock_text(now))
        return claims

    def _bearer(self, authorization: str | None) -> str:
        url = self.authority.url
        if authorization is None:
            raise token_missing(url)
        scheme, _, token = authorization.strip().partition(" ")
        if scheme.lower() != "bearer":
            raise token_scheme_unknown(url)
        if not token.strip():
            raise token_empty(url)
        if len(token) > _LONGEST_TOKEN:
            raise token_invalid(url)
        return token.strip()

    def _verify(self, unverified_token: str, key_set: KeySet) -> Claims:
        url = self.authority.url
        try:
            found: dict[str, Any] = jwt.decode(unverified_token, key_set, algorithms=["RS256"]).claims
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise token_invalid(url) from error
        return self._checked(found)

    def _checked(self, found: dict[str, Any]) -> Claims:
        """Who, from whom, for whom and until when; in the order in which Azure complains."""
        url, authority = self.authority.url, self.authority
        issuer, audience, tenant = found.get("iss"), found.get("aud"), found.get("tid")
        if not isinstance(issuer, str) or not isinstance(audience, str):
            raise token_invalid(url)
        if issuer not in authority.issuers or tenant != authority.tenant:
            raise token_issuer_wrong(url, issuer, authority.issuer)
        if audience not in self._audiences:
            own = (one for one in self._audiences if one not in ALLOWED_AUDIENCES)
            raise token_audience_wrong(url, audience, (*ALLOWED_AUDIENCES, *own))
        expires, begins = claimed(found.get("exp")), claimed(found.get("nbf", 0))
        if expires is None or begins is None or begins > self._clock() + CLOCK_SKEW:
            raise token_invalid(url)
        object_id = found.get("oid")
        if not isinstance(object_id, str) or not object_id:
            raise token_without_principal(url)
        return Claims(object_id, authority.tenant, audience, expires, found)


def _clock_text(moment: datetime) -> str:
    """As in Azure's sentence: `11/24/2026 8:15:00 AM`."""
    hour = moment.hour % 12 or 12
    return f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment:%M:%S} {'AM' if moment.hour < 12 else 'PM'}"  # noqa: PLR2004
