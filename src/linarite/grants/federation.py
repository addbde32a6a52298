"""The trust of an application in another issuer's tokens: Entra's federated identity credential."""

from __future__ import annotations

import msgspec

AUDIENCE = "api://AzureADTokenExchange"
"""What Entra recommends as the audience, and what its clients ask their platform for."""


class Federation(msgspec.Struct, frozen=True):
    """Whoever presents a token of this issuer, about this subject and for this audience, is the application."""

    issuer: str
    subject: str
    audience: str = AUDIENCE

    @classmethod
    def read(cls, text: str) -> Federation:
        """One as it was kept."""
        return msgspec.json.decode(text, type=cls)

    @property
    def text(self) -> str:
        """How it is kept."""
        return msgspec.json.encode(self).decode()
