"""Access tokens as they are minted: the keys that sign them, what they say, and the signature."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import RSAKey

from linarite.model import Secret
from linarite.store.directory import SigningKey

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from linarite.model import Principal
    from linarite.seal import Keyring
    from linarite.tokens import Authority

KEY_BITS = 2048

_KEY_OWNER = "signing-key"


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
