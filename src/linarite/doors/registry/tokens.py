"""The door's own tokens: signed, self-contained, and worth only as much as the credential they were made for.

They are JSON Web Tokens with the claims that Azure's registry documents for its own, signed with HMAC-SHA256 under a
key that only the processes of one door share. A token names the credential it stands for; whether that is still
current is for the caller to ask. This module knows no HTTP and asks nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from linarite.doors.registry.desk import Credential
from linarite.doors.registry.scopes import Access

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Kind = Literal["access_token", "refresh_token"]

ISSUER = "Azure Container Registry"
ACCESS_LIFE = 75 * 60
"""Seconds; from `exp` and `nbf` of the access token in Azure's documentation."""

REFRESH_LIFE = 3 * 60 * 60
"""Seconds; documented for `az acr login`."""

_ALGORITHM = "HS256"


@dataclass(frozen=True, slots=True)
class Token:
    """A token whose signature and times hold."""

    kind: Kind
    credential: Credential
    access: tuple[Access, ...]
    """What it may be used for; a refresh token is for nothing itself."""


class Mint:
    """Makes tokens and recognises its own.

    >>> mint = Mint(key, now=time.time, new_id=lambda: str(uuid.uuid4()))
    """

    def __init__(self, key: bytes, *, now: Callable[[], float], new_id: Callable[[], str]) -> None:
        """`key`: 32 random bytes, the same in every process that serves the door."""
        self._key = OctKey.import_key(key)
        self._now = now
        self._new_id = new_id

    def access(self, credential: Credential, access: Sequence[Access], audience: str) -> str:
        """A token for the requests that `access` lists."""
        claims = {"access": [entry.document() for entry in access], "roles": []}
        return self._sign("access_token", ACCESS_LIFE, credential, audience, claims)

    def refresh(self, credential: Credential, audience: str) -> str:
        """A token to get access tokens with."""
        claims = {"permissions": {"actions": ["*"], "notActions": []}, "roles": []}
        return self._sign("refresh_token", REFRESH_LIFE, credential, audience, claims)

    def read(self, unverified_token: str) -> Token | None:
        """The token, or None where it is not ours, was altered, is out of its time, or longer than joserfc reads."""
        try:
            claims = jwt.decode(unverified_token, self._key, algorithms=[_ALGORITHM]).claims
        except (JoseError, ValueError):
            return None
        if not claims["nbf"] <= self._now() < claims["exp"]:
            return None
        entries = claims.get("access", ())
        access = tuple(Access(entry["type"], entry["name"], tuple(entry["actions"])) for entry in entries)
        credential = Credential(claims["registry"], claims["sub"], claims["credential"], claims["mark"])
        return Token(claims["grant_type"], credential, access)

    def _sign(self, kind: Kind, life: int, credential: Credential, audience: str, more: dict[str, Any]) -> str:
        now = int(self._now())
        claims = {
            "jti": self._new_id(),
            "sub": credential.subject,
            "nbf": now,
            "exp": now + life,
            "iat": now,
            "iss": ISSUER,
            "aud": audience,
            "version": "1.0",
            "grant_type": kind,
            "registry": credential.registry,
            "credential": credential.kind,
            "mark": credential.mark,
            **more,
        }
        return jwt.encode({"alg": _ALGORITHM, "typ": "JWT"}, claims, self._key, algorithms=[_ALGORITHM])
