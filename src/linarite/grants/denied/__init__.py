"""What the token service refuses, in OAuth's word and in Entra's number and sentence.

The modules beside this one hold the sentences by what they are about: `requests`, `clients`, `assertions`, `scopes`,
`users`, `authorization`, `tickets`, `server`. The numbers and most sentences are those of Microsoft's "Microsoft Entra
authentication and authorization error codes" and of answers of the real service that stand in public issue reports.
Texts that come from a caller are cut short and rid of control characters before they are repeated.
"""

from __future__ import annotations

_LONGEST_QUOTE = 256


class Denied(Exception):
    """A request to the token service is refused; `number` is what follows `AADSTS`, `error` is OAuth's word for it."""

    def __init__(self, error: str, number: int, message: str, status: int = 400) -> None:
        super().__init__(f"AADSTS{number}: {message}")
        self.error = error
        self.number = number
        self.message = message
        self.status = status
        self.headers: tuple[tuple[str, str], ...] = ()
        self.recorded = False
        """Set where its entry is on the trail already, in the commit that it came with."""

    @property
    def code(self) -> str:
        """How the trail names it."""
        return f"AADSTS{self.number}"


def quoted(text: str) -> str:
    """What a caller sent, fit to be repeated in a sentence, a log or an entry of the trail."""
    return "".join(letter for letter in text[:_LONGEST_QUOTE] if letter.isprintable())
