"""The desk: what the door asks of the rest of the system, and the words in which it asks.

The door itself has no users, no passwords and no roles. It brings what a visitor says to the desk, carries what the
desk answers inside its tokens, and asks again at every request whether that still holds. This module knows no HTTP,
no token format and no storage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

Action = Literal["pull", "push", "delete", "metadata_read", "metadata_write", "catalog"]
"""What may be done in a registry, in the words of Azure's token scopes; `catalog` is the scope `registry:catalog:*`."""

ACR_PULL: frozenset[Action] = frozenset({"pull", "metadata_read", "catalog"})
"""What the role AcrPull allows."""

ACR_PUSH: frozenset[Action] = ACR_PULL | {"push", "metadata_write"}
"""What the role AcrPush allows."""

ACR_DELETE: frozenset[Action] = frozenset({"delete", "metadata_read", "catalog"})
"""What the role AcrDelete allows."""

EVERYTHING: frozenset[Action] = ACR_PUSH | ACR_DELETE
"""What the admin user, Contributors and Owners may do."""

Reason = Literal["anonymous", "password", "token", "revoked", "action", "exchange", "locked"]
"""Why a visitor is turned away: no credentials at all (the first request of every client) · a wrong user or password ·
a token that is not ours, damaged or expired · a credential that is no longer current · an action not granted · an Entra
token that the desk did not accept · a lock on what was named."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is on the line, before anything is known of them."""

    host: str
    """The `host:port` that the client wrote: the registry's login server."""
    address: str
    """The network address, with port."""


@dataclass(frozen=True, slots=True)
class Credential:
    """Which credential was shown. It has no secret in it and stands readable in the door's signed tokens."""

    registry: str
    """Whose registry it opens: letters and digits."""
    subject: str
    """Who holds it: the admin user's name, or the object id of a principal."""
    kind: str
    """Which one it is, in the desk's own words: `password`, `password2`, `entra`."""
    mark: str
    """Different after the credential was regenerated: a generation or a fingerprint."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a current credential allows, in every repository of its registry."""

    actions: frozenset[Action]
    place: str
    """Where the registry's content is kept: small letters, digits and hyphens, and never the place of a namesake."""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A request that the door is about to refuse. Nothing in it is secret; what nobody proved is called claimed."""

    reason: Reason
    caller: Caller
    method: str
    path: str
    scope: str
    """What the request needed, as in a token scope: `repository:team/image:pull,push`; empty for a sign-in."""
    claimed_user: str | None
    credential: Credential | None
    """The proven credential, where one was."""


class Desk(Protocol):
    """Implemented outside. Every method may be called by many requests at once.

    Any of them may raise `errors.Unavailable`: nothing can be said or recorded now, and the client may try again.
    """

    async def sign_in(self, user: str, password: str, caller: Caller) -> Credential | None:
        """The credential that user and password are, or None; takes equally long whether the user exists or not."""

    async def exchange(self, unverified_token: str, caller: Caller) -> Credential | None:
        """The credential of the principal whose Entra access token this is, or None where it does not hold.

        The client names no registry beside the host that it wrote. Where several registries share that host, it is for
        the desk to choose the one that is meant, as by what the principal may use.
        """

    async def current(self, credential: Credential) -> Grant | None:
        """What the credential allows at this moment; None once it was regenerated, disabled or its registry deleted."""

    async def gone(self, places: Collection[str]) -> Collection[str]:
        """Which of these places belong to registries that are no more."""

    async def turned_away(self, event: TurnedAway) -> None:
        """Record a refusal; the client gets its answer only after this returns."""
