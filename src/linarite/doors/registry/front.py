"""The front: who is at the door, whether they may come in, and the challenge for those who may not.

Every request is checked against the desk anew, so that nothing outlives the credential it was made with. The challenges
and the answers to them are those of Azure's registry, as recorded in the tests of Azure's SDK for JavaScript. This
module knows no content.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linarite.doors.registry import scopes
from linarite.doors.registry.desk import TurnedAway
from linarite.doors.registry.names import is_place
from linarite.doors.registry.refused import refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from linarite.doors.registry.desk import Credential, Desk, Grant, Reason
    from linarite.doors.registry.messages import Request
    from linarite.doors.registry.refused import Refused
    from linarite.doors.registry.scopes import Access
    from linarite.doors.registry.tokens import Mint

NOBODY = "00000000-0000-0000-0000-000000000000"
"""The user name that says: the password is a token."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A credential that is current, and what it may be used for."""

    credential: Credential
    grant: Grant
    held: tuple[Access, ...] | None = None
    """The accesses of an access token; None where the whole credential was shown."""

    def covers(self, needed: Sequence[Access]) -> bool:
        return scopes.allows(self.grant, needed) and (self.held is None or scopes.covers(self.held, needed))


class Front:
    """Decides who comes in."""

    def __init__(self, desk: Desk, mint: Mint) -> None:
        self._desk = desk
        self.mint = mint

    async def admit(self, request: Request, needed: Sequence[Access]) -> Proof:
        """Let the request in, if its Authorization header proves a credential that covers what it needs.

        Raises:
            Refused: 401 with a challenge, or 403 where another token would not help either. The desk knows of it.
        """
        scheme, _, rest = (request.header("authorization") or "").partition(" ")
        if scheme.lower() == "bearer":
            return await self._admit_token(request, rest.strip(), needed)
        if scheme.lower() != "basic":
            raise await self.turn_away("anonymous", request, needed)
        user, password = basic(rest)
        proof = await self.sign_in(request, user, password)
        if proof is None:
            raise await self.turn_away("password", request, needed, user=user)
        if not proof.covers(needed):
            raise await self.turn_away("action", request, needed, user=user, credential=proof.credential)
        return proof

    async def sign_in(self, request: Request, user: str, password: str) -> Proof | None:
        """What user and password prove: the admin user's name and a password, or nobody and a token."""
        if user == NOBODY:
            token = self.mint.read(password)
            if token is None:
                return None
            return await self.proof(token.credential, None if token.kind == "refresh_token" else token.access)
        credential = await self._desk.sign_in(user, password, request.caller)
        return None if credential is None else await self.proof(credential)

    async def proof(self, credential: Credential, held: tuple[Access, ...] | None = None) -> Proof | None:
        """The credential with what it allows now; None where it is no longer current."""
        grant = await self._desk.current(credential)
        return None if grant is None or not is_place(grant.place) else Proof(credential, grant, held)

    async def exchange(self, request: Request, unverified_token: str) -> Proof | None:
        """What an Entra access token proves."""
        credential = await self._desk.exchange(unverified_token, request.caller)
        return None if credential is None else await self.proof(credential)

    async def turn_away(
        self,
        reason: Reason,
        request: Request,
        needed: Sequence[Access] = (),
        *,
        user: str | None = None,
        credential: Credential | None = None,
    ) -> Refused:
        """Tell the desk of a refusal, and return it."""
        scope = " ".join(map(str, needed))
        event = TurnedAway(reason, request.caller, request.method, request.path, scope, user, credential)
        await self._desk.turned_away(event)
        if reason == "action" and user is not None:
            return refused("DENIED", _detail(needed))
        return _challenge(reason, request, needed)

    async def _admit_token(self, request: Request, unverified_token: str, needed: Sequence[Access]) -> Proof:
        token = self.mint.read(unverified_token)
        if token is None or token.kind != "access_token":
            raise await self.turn_away("token", request, needed)
        proof = await self.proof(token.credential, token.access)
        if proof is None:
            raise await self.turn_away("revoked", request, needed, credential=token.credential)
        if not proof.covers(needed):
            raise await self.turn_away("action", request, needed, credential=token.credential)
        return proof


def basic(text: str) -> tuple[str, str]:
    """User and password of a Basic header; what cannot be read becomes a user that nobody is."""
    try:
        user, _, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


def _challenge(reason: Reason, request: Request, needed: Sequence[Access]) -> Refused:
    parts = [f'realm="{request.origin}/oauth2/token"', f'service="{request.host}"']
    if needed:
        parts.append(f'scope="{" ".join(map(str, needed))}"')
    error = {"token": "invalid_token", "revoked": "invalid_token", "action": "insufficient_scope"}.get(reason)
    if error is not None:
        parts.append(f'error="{error}"')
    return refused("UNAUTHORIZED", _detail(needed), headers=[("WWW-Authenticate", "Bearer " + ",".join(parts))])


def _detail(needed: Sequence[Access]) -> list[dict[str, str]] | None:
    """One entry for each action, as Azure's registry lists them; null where nothing in particular was needed."""
    entries = [
        {"Type": access.type, "Name": access.name, "Action": action} for access in needed for action in access.actions
    ]
    return entries or None
