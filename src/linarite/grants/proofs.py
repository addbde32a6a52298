"""Client secrets: made, hashed, and proved.

A secret is kept as an Argon2id hash. Computing one takes tens of milliseconds by design, so it is done in a thread, a
few at a time, and once: a secret that was proved is remembered by a keyed digest, under the hash that it proved. What
is remembered is asked about credentials of the newest state alone, so nothing is left of one that was removed.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from linarite.model import Secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.seal import Random
    from linarite.store.directory import Credential

# OWASP's first choice for Argon2id ("Password Storage Cheat Sheet"): 46 MiB and one pass, about 50 ms of one core.
_HASHER = PasswordHasher(time_cost=1, memory_cost=46 * 1024, parallelism=1)
_AT_ONCE = 2
_MOST_REMEMBERED = 10_000
_SECRET_BYTES = 30
"""240 bits, which are 40 letters: the length of Entra's own client secrets."""


def new_secret(random: Random = os.urandom) -> Secret:
    """A client secret that nobody can guess; its letters need no escaping in forms, URLs and shells."""
    return Secret(base64.urlsafe_b64encode(random(_SECRET_BYTES)).decode())


def hash_secret(secret: Secret) -> str:
    """The hash of a secret, with its parameters and its salt. Takes tens of milliseconds."""
    return _HASHER.hash(secret.reveal())


class Proofs:
    """Tells which credential a secret proves; used from one event loop."""

    def __init__(self, random: Random = os.urandom) -> None:
        self._key = random(32)
        self._known: dict[str, bytes] = {}
        self._decoy = _decoy(random)
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def find(self, secret: Secret, credentials: Sequence[Credential]) -> Credential | None:
        """The credential that the secret is, or None.

        Where there are no credentials it takes as long as where there is one, so that time does not tell who exists.
        """
        digest = self._digest(secret)
        known = self._recall(digest, credentials)
        if known is not None:
            return known
        async with self._turn:
            # Of many who came with the same secret at once, the first one has proved it for all.
            known = self._recall(digest, credentials)
            return known or await self._prove(secret, digest, credentials)

    def recall(self, secret: Secret, credentials: Sequence[Credential]) -> Credential | None:
        """The credential that the secret is, if that was proved before; costs next to nothing."""
        return self._recall(self._digest(secret), credentials)

    def _digest(self, secret: Secret) -> bytes:
        return hmac.digest(self._key, secret.reveal().encode(), hashlib.sha256)

    def _recall(self, digest: bytes, credentials: Sequence[Credential]) -> Credential | None:
        for one in credentials:
            if hmac.compare_digest(self._known.get(one.hash, b""), digest):
                return one
        return None

    async def _prove(self, secret: Secret, digest: bytes, credentials: Sequence[Credential]) -> Credential | None:
        for one in credentials:
            if await asyncio.to_thread(_verify, one.hash, secret):
                if len(self._known) >= _MOST_REMEMBERED:
                    self._known.pop(next(iter(self._known)))
                self._known[one.hash] = digest
                return one
        if not credentials:
            await asyncio.to_thread(_verify, self._decoy, secret)
        return None


def _verify(hash_: str, secret: Secret) -> bool:
    try:
        return _HASHER.verify(hash_, secret.reveal())
    except (VerificationError, InvalidHashError):
        return False


def _decoy(random: Random) -> str:
    """A hash of no secret: it costs what any other costs, and nothing proves it."""
    salt, tag = (base64.b64encode(random(size)).decode().rstrip("=") for size in (_HASHER.salt_len, _HASHER.hash_len))
    work = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${work}${salt}${tag}"
