"""Access tokens: minted like Entra's, and read again.

RS256 and nothing else. The claims are those of Entra's v1.0 access tokens for Azure Resource Manager (Microsoft's
"Access token claims reference"): `aud iss iat nbf exp aio appid appidacr idp oid rh sub tid uti ver`, `idtyp` for
applications, and `scp` for users. A token that was read once is remembered by digest until it ends.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
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
from linarite.model import Secret
from linarite.moments import claimed
from linarite.store.directory import SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from linarite.model import Principal
    from linarite.seal import Keyring

KEY_BITS = 2048
CLOCK_SKEW = timedelta(minutes=5)
"""How far `nbf` may lie ahead, as Microsoft's own token libraries allow."""

_LONGEST_TOKEN = 64 * 1024
_REMEMBERED = 20_000
_KEY_OWNER = "signing-key"


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


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def new_signing_key(keyring: Keyring, now: datetime) -> SigningKey:
    """Make a key pair; the private half is sealed at once."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = RSAKey.import_key(
        private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    kid = public.thumbprint()
    jwk = {**public.as_dict(private=False), "kid": kid, "use": "sig", "alg": "RS256"}
    return SigningKey(kid, orjson.dumps(jwk), keyring.seal(Secret(pem.decode()), _KEY_OWNER, kid), now)


def private_half(key: SigningKey, keyring: Keyring) -> RSAKey:
    """The key that signs, unsealed; keep it in memory only."""
    pem = keyring.open(key.box, _KEY_OWNER, key.kid).reveal()
    return RSAKey.import_key(pem, {"kid": key.kid, "use": "sig", "alg": "RS256"})


# ── minting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def mint(key: RSAKey, claims: dict[str, Any]) -> str:
    """Sign claims as they are."""
    header = {"typ": "JWT", "alg": "RS256", "kid": key.kid, "x5t": key.kid}
    return jwt.encode(header, claims, key, algorithms=["RS256"])


def access_claims(
    authority: Authority, principal: Principal, audience: str, *, now: datetime, lifetime: timedelta, uti: str
) -> dict[str, Any]:
    """The claims of an application's access token."""
    return {
        **_said_of_all(authority, principal, audience, now, lifetime),
        "appid": principal.app_id or "",
        "appidacr": "1",
        "idp": authority.issuer,
        "idtyp": "app",
        "sub": principal.object_id,
        "uti": uti,
        "ver": "1.0",
    }


def delegated_claims(
    authority: Authority,
    user: Principal,
    audience: str,
    *,
    client: str,
    public: bool,
    scope: str,
    now: datetime,
    lifetime: timedelta,
    uti: str,
) -> dict[str, Any]:
    """The claims of an access token with which an application, by its id, acts for a user.

    `public` says that the application proved nothing of itself; `scope` are the words of `scp`.
    """
    return {
        **_said_of_all(authority, user, audience, now, lifetime),
        "acr": "1",
        "amr": ["pwd"],
        "appid": client,
        "appidacr": "0" if public else "1",
        "idtyp": "user",
        "name": user.name,
        "scp": scope,
        "sub": pairwise(user, audience),
        "unique_name": user.client,
        "upn": user.client,
        "uti": uti,
        "ver": "1.0",
    }


def pairwise(user: Principal, party: str) -> str:
    """The subject by which one party knows a user, and no two parties the same one: 43 letters, as Entra's."""
    digest = hashlib.sha256(f"{user.tenant}/{user.object_id}/{party.lower().rstrip('/')}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _said_of_all(
    authority: Authority, principal: Principal, audience: str, now: datetime, lifetime: timedelta
) -> dict[str, Any]:
    start = int(now.timestamp())
    return {
        "aud": audience,
        "iss": authority.issuer,
        "iat": start,
        "nbf": start,
        "exp": start + int(lifetime.total_seconds()),
        "oid": principal.object_id,
        "tid": authority.tenant,
    }


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Reader:
    """Verifies bearer tokens. `authority` and the keys may change; what was remembered under others is forgotten."""

    def __init__(
        self, authority: Authority, clock: Callable[[], datetime], audiences: tuple[str, ...] | None = None
    ) -> None:
        """`audiences` are whom tokens may be for; Azure Resource Manager unless given."""
        self.authority = authority
        self._audiences = authority.audiences if audiences is None else audiences
        self._clock = clock
        self._keys: Sequence[SigningKey] = ()
        self._key_set = KeySet([])
        self._known: dict[bytes, Claims] = {}

    def read(self, authorization: str | None, keys: Sequence[SigningKey]) -> Claims:
        """The claims behind an Authorization header.

        Raises:
            Unauthenticated: with Azure's code and words for what is wrong, and the challenge.
        """
        token = self._bearer(authorization)
        if keys is not self._keys:
            self._keys = keys
            self._key_set = KeySet([RSAKey.import_key(orjson.loads(key.public)) for key in keys])
            self._known.clear()
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        claims = self._known.get(digest)
        if claims is None:
            claims = self._verify(token)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[digest] = claims
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

    def _verify(self, unverified_token: str) -> Claims:
        url = self.authority.url
        try:
            found: dict[str, Any] = jwt.decode(unverified_token, self._key_set, algorithms=["RS256"]).claims
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
