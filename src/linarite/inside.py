"""Calls from inside the house: over the path that everybody's take, with a token that is minted on the spot.

The first start makes the sample so, and the operator's commands do what the API can do: both have the root key.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from linarite.calls import Call
from linarite.errors.server import server_sealed
from linarite.model import Secret
from linarite.tokens.minting import access_claims, mint, private_half

if TYPE_CHECKING:
    from datetime import datetime

    from linarite.engine import Engine
    from linarite.model import Answer, Principal
    from linarite.store.directory import SigningKey
    from linarite.store.gate import Gate
    from linarite.store.view import View
    from linarite.tokens import Authority

_LIFETIME = timedelta(minutes=1)


async def token_of(gate: Gate, authority: Authority, object_id: str, now: datetime) -> Secret:
    """A token of an application, for as long as a command takes."""
    if gate.keyring is None:
        raise server_sealed()

    def question(view: View) -> tuple[SigningKey, Principal | None]:
        return view.signing_keys()[0], view.principal(object_id)

    (key, principal), _ = await gate.look(question)
    if principal is None:
        raise LookupError(object_id)
    claims = access_claims(authority, principal, authority.audiences[0], now=now, lifetime=_LIFETIME, uti=uuid4().hex)
    return Secret(mint(private_half(key, gate.keyring), claims))


class Insider:
    """Calls an engine as whoever the token is of."""

    def __init__(self, engine: Engine, token: Secret) -> None:
        self._engine = engine
        self._token = token

    async def send(self, method: str, path: str, version: str, body: Any = None) -> Answer:
        """One call, with its id for a correlation; raises as `Engine.serve` does."""
        request = str(uuid4())
        return await self._engine.serve(
            Call(
                method=method,
                path=path,
                query_string=f"api-version={version}",
                query={"api-version": version},
                authorization=f"Bearer {self._token.reveal()}",
                json=lambda: body,
                origin=self._engine.options.origin,
                request=request,
                correlation=request,
                address="",
            )
        )
