"""Keys of issuers, found by their discovery documents, remembered for a while, and what they have signed.

An issuer's own word for itself is checked, and its keys are taken from its own host. A key that is not known makes the
documents be fetched again, a few times a minute at most, so that nobody makes us ask by sending nonsense. Keys outlive
an issuer that is down by a day.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key
from joserfc.jws import JWSRegistry

from linarite.foreign.documents import IssuerDown, fetch
from linarite.issuers import is_fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from linarite.foreign.documents import Fetch

    Key = RSAKey | ECKey

ALGORITHMS = ("RS256", "PS256", "ES256")
"""What a foreign token may be signed with; none of them takes a public key for a shared one."""

FRESH = timedelta(hours=1)
"""How long keys count without being asked for again."""

KEPT = timedelta(days=1)
"""How long they count while their issuer is down."""

MOST_FETCHES = 5
"""Times within a minute that an issuer is asked."""

LONGEST = 16 * 1024
"""Characters of a token."""

_MINUTE = timedelta(minutes=1)
_MOST_KEYS = 100
_LEAST_BITS = 2048
_REGISTRY = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
"""Members of a header that nobody here knows are passed over, as RFC 7515 wants."""

_DISCOVERY = "/.well-known/openid-configuration"


class Untrue(Exception):
    """A token is not signed by its issuer; `kid` is the key that it names."""

    def __init__(self, kid: str, message: str) -> None:
        super().__init__(message)
        self.kid = kid


def unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Header and claims of a token as it has them, which proves nothing; None where it is no token."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > LONGEST:  # noqa: PLR2004 - header, claims, signature
        return None
    try:
        header, claims = (orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    except (binascii.Error, ValueError):
        return None
    return (header, claims) if isinstance(header, dict) and isinstance(claims, dict) else None


@dataclass(slots=True)
class _Issuer:
    keys: dict[str, Key] = field(default_factory=dict)
    fetched: datetime | None = None
    asked: deque[datetime] = field(default_factory=lambda: deque(maxlen=MOST_FETCHES))
    down: str = ""
    """Why the last question was not answered; empty where it was."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class IssuerKeys:
    """The keys of every issuer that was asked; used from one event loop."""

    def __init__(self, clock: Callable[[], datetime], ask: Fetch = fetch) -> None:
        self._clock = clock
        self._ask = ask
        self._issuers: dict[tuple[str, str], _Issuer] = {}

    async def verified(self, token: str, issuer: str, metadata: str = "") -> dict[str, Any]:
        """The claims of a token that this issuer has signed; nothing else of them is checked.

        `metadata` is the address of its discovery document, where that is not below its name.

        Raises:
            Untrue: it is no token, or is not signed with one of the issuer's keys.
            IssuerDown: the keys cannot be had.
        """
        found = unverified(token)
        kid = found[0].get("kid") if found else None
        if not isinstance(kid, str) or not kid:
            raise Untrue("", "The token names no key.")
        key = await self._key(kid, issuer, metadata or issuer.rstrip("/") + _DISCOVERY)
        try:
            return dict(jwt.decode(token, key, registry=_REGISTRY).claims)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise Untrue(kid, "The signature is not the key's.") from error

    async def _key(self, kid: str, issuer: str, metadata: str) -> Key:
        known = self._issuers.setdefault((issuer, metadata), _Issuer())
        if not self._is_known(known, kid):
            async with known.turn:
                if not self._is_known(known, kid) and self._may_ask(known):
                    await self._fetch(known, issuer, metadata)
        if kid in known.keys and known.fetched is not None and self._clock() < known.fetched + KEPT:
            return known.keys[kid]
        if known.down:
            raise IssuerDown(known.down)
        raise Untrue(kid, "The issuer has no such key.")

    def _is_known(self, known: _Issuer, kid: str) -> bool:
        return kid in known.keys and known.fetched is not None and self._clock() < known.fetched + FRESH

    def _may_ask(self, known: _Issuer) -> bool:
        return len(known.asked) < MOST_FETCHES or known.asked[0] + _MINUTE <= self._clock()

    async def _fetch(self, known: _Issuer, issuer: str, metadata: str) -> None:
        known.asked.append(self._clock())
        try:
            place = _place_of_keys(await self._ask(metadata), issuer, metadata)
            known.keys = dict(_usable(await self._ask(place)))
            known.fetched, known.down = self._clock(), ""
        except IssuerDown as error:
            known.down = str(error)


def _place_of_keys(document: dict[str, Any], issuer: str, metadata: str) -> str:
    """Where an issuer's own document says that its keys are, on its own host."""
    if document.get("issuer") != issuer:
        raise IssuerDown(f"{metadata} is the document of another issuer.")
    place = document.get("jwks_uri")
    if not isinstance(place, str) or not is_fit(place) or _origin(place) != _origin(metadata):
        raise IssuerDown(f"{metadata} points to keys on another host.")
    return place


def _origin(url: str) -> tuple[str, str | None, int | None]:
    found = urlsplit(url)
    return found.scheme, found.hostname, found.port or {"https": 443, "http": 80}.get(found.scheme)


def _usable(document: dict[str, Any]) -> Iterator[tuple[str, Key]]:
    """The public keys that sign, by their id; what is anything else is passed over."""
    keys = document.get("keys")
    for one in keys[:_MOST_KEYS] if isinstance(keys, list) else ():
        if not isinstance(one, dict) or not isinstance(one.get("kid"), str) or one.get("use", "sig") != "sig":
            continue
        # A private half, a certificate or an algorithm that the document names has no say here.
        plain = {name: one[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in one}
        if one.get("kty") == "RSA" and len(str(one.get("n"))) * 6 < _LEAST_BITS:
            continue
        try:
            key = import_key(plain)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, RSAKey | ECKey):
            yield one["kid"], key
