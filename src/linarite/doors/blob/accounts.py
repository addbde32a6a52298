"""What the blob door is told, and what it asks: accounts with their keys, whose tokens count, may this one do that.

Values only. This module does not know where they come from, nor that a Node process makes use of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA_SEGMENTS = ("/blobs/", "/messages/", "/entities/")
"""What an action's name contains where Azure's role definitions list it under `dataActions`."""


@dataclass(frozen=True, slots=True)
class Account:
    """A storage account as its data plane sees it; `keys` are key1 and key2 in base64, as Azure writes them."""

    name: str
    keys: tuple[str, str] = field(repr=False)
    shared_key: bool = True
    """Azure's `allowSharedKeyAccess`: false refuses both keys and every SAS that was signed with one."""
    made: str = ""
    """When it was made, which tells it from a namesake."""

    def wire(self) -> dict[str, Any]:
        """The account as host.cjs reads it."""
        return {"name": self.name, "keys": list(self.keys), "sharedKey": self.shared_key}


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose tokens open the door: RS256, by a key of `jwks`, issued by one of `issuers` for one of `audiences`.

    `{account}` in an audience stands for the account asked for (`https://{account}.blob.core.windows.net`).
    `authorization_uri` goes into the challenge of a 401, where clients read which tenant to ask.
    """

    jwks: Mapping[str, Any]
    issuers: tuple[str, ...]
    audiences: tuple[str, ...] = ("https://storage.azure.com", "https://storage.azure.com/")
    authorization_uri: str | None = None

    def wire(self) -> dict[str, Any]:
        """The trust as host.cjs reads it."""
        return {
            "jwks": dict(self.jwks),
            "issuers": list(self.issuers),
            "audiences": list(self.audiences),
            "authorizationUri": self.authorization_uri,
        }


@dataclass(frozen=True, slots=True)
class Question:
    """May the principal `oid`, whose token was verified, do any one of `actions` on this account?

    Actions are Azure's own names, `Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read` and the like.
    Those under `blobs/`, `messages/` and `entities/` are data actions, the others are actions.
    """

    account: str
    service: str
    """`blob`, `queue` or `table`."""
    oid: str
    actions: tuple[str, ...]

    @property
    def data(self) -> bool:
        """Whether a role must grant it under `dataActions`."""
        return any(segment in action for action in self.actions for segment in DATA_SEGMENTS)


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A request that the door is about to refuse by itself: for a key, a SAS or a token that does not count."""

    account: str
    service: str
    """`blob`, `queue` or `table`."""
    operation: str
    """In Azurite's words, `Blob_Download` and the like; empty where it is none."""
    address: str
    """The network address, with port; empty for a part of a batch."""
    status: int
    code: str
    """Azure's, as the client gets it."""
    oid: str | None
    """Who asked, where a token or a SAS was verified that says it."""


class BlobDesk(Protocol):
    """Who decides. Asked at every request that carries a token or a user delegation SAS; nothing is remembered."""

    async def may(self, question: Question) -> bool:
        """Whether a role assignment allows it now; an exception counts as no and is logged.

        What is not allowed the desk may record itself: `turned_away` is not called for it.
        """

    async def turned_away(self, event: TurnedAway) -> None:
        """Record a refusal; the client gets its answer only after this returns, and after an exception another one."""
