"""Keeps secrets out of what is shown: whatever was once called a secret is covered in every text from then on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

COVER = "•" * 8


@dataclass(slots=True)
class Veil:
    """All secrets that were met."""

    _secrets: set[str] = field(default_factory=set, repr=False)

    def hide(self, secret: str | None) -> str:
        """Remember a secret; answers what may be shown of it: that it is there, and a mark that changes with it."""
        if not secret:
            return "none"
        self._secrets.add(secret)
        return f"{COVER} (#{hashlib.sha256(secret.encode()).hexdigest()[:6]})"

    def over(self, text: str) -> str:
        """The text with every secret covered."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, COVER)
        return text
