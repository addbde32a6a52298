"""The keys that sign tokens, with their private halves in memory; where they are kept sealed is the store's to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.errors.server import server_sealed
from linarite.tokens.minting import private_half

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

    from linarite.store.directory import SigningKey
    from linarite.store.gate import Gate
    from linarite.store.view import View


class Signer:
    """Unseals a key once, for as long as it is the one that is asked for."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._unsealed: tuple[str, RSAKey] | None = None

    async def newest(self) -> RSAKey:
        """The private half of the newest key that is not retired.

        Raises:
            Unavailable: the server is sealed.
        """
        key, _ = await self._gate.peek(newest_key)
        return self.half(key)

    def half(self, key: SigningKey) -> RSAKey:
        """The private half of a key; raises as `newest` does."""
        if self._unsealed is None or self._unsealed[0] != key.kid:
            if self._gate.keyring is None:
                raise server_sealed()
            self._unsealed = key.kid, private_half(key, self._gate.keyring)
        return self._unsealed[1]


def newest_key(view: View) -> SigningKey:
    """The newest key that is not retired, with which new tokens are signed."""
    return next(key for key in view.signing_keys() if key.retired is None)
