"""Texts without meaning that are given out and taken back: how they are made, found again, and what goes with each.

The text has 256 random bits, so a plain digest of it is kept: nobody finds a text to a digest by trying. The user code
of a device is shorter, for somebody types it; it ends within minutes, and who tries many is held up.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from linarite.grants.wishes import Wish
from linarite.ids import new_guid
from linarite.model import Secret
from linarite.store.tickets import Ticket

if TYPE_CHECKING:
    from datetime import datetime

    from linarite.seal import Random

_BYTES = 32
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"
"""Of a user code: none that is taken for another, and no vowels, so that no code is a word."""
_USER_CODE = 9
_DECIDED_BY = 256 - 256 % len(_LETTERS)


class Sort(StrEnum):
    """What a ticket is good for."""

    CODE = "code"
    REFRESH = "refresh"
    DEVICE = "device"
    USER_CODE = "user-code"
    SESSION = "session"
    CONSENT = "consent"


LIFETIMES = {
    Sort.CODE: timedelta(minutes=5),
    Sort.REFRESH: timedelta(days=90),
    Sort.DEVICE: timedelta(minutes=15),
    Sort.USER_CODE: timedelta(minutes=15),
    Sort.SESSION: timedelta(hours=12),
    Sort.CONSENT: timedelta(days=365),
}
"""Entra's, but for codes, which last ten minutes there, and for consents, which last."""


class Granted(msgspec.Struct, frozen=True, omit_defaults=True):
    """What goes with a ticket."""

    client: str = ""
    """The application's id, in lower case."""
    wish: Wish = Wish()
    redirect: str = ""
    challenge: str = ""
    """Of PKCE, with S256."""
    nonce: str = ""
    polled: float = 0
    """When a device last asked, in seconds since 1970."""
    declined: bool = False


def new_text(random: Random) -> Secret:
    return Secret(base64.urlsafe_b64encode(random(_BYTES)).decode().rstrip("="))


def new_family(random: Random) -> str:
    """A name for all that comes of one sign-in."""
    return new_guid(random)


def new_user_code(random: Random) -> str:
    """A code that somebody types: 43 bits."""
    code = ""
    while len(code) < _USER_CODE:
        code += "".join(_LETTERS[byte % len(_LETTERS)] for byte in random(_USER_CODE) if byte < _DECIDED_BY)
    return code[:_USER_CODE]


def digest_of(sort: Sort, text: str) -> bytes:
    """By what a ticket is found: no text of one sort is one of another."""
    return hashlib.sha256(f"{sort}:{text}".encode("utf-8", "surrogatepass")).digest()


def ticket(sort: Sort, text: str, family: str, granted: Granted, *, now: datetime, user: str | None = None) -> Ticket:
    """A ticket as it is kept."""
    body = msgspec.json.encode(granted)
    return Ticket(digest_of(sort, text), sort, family, body, now + LIFETIMES[sort], user)


def granted_with(found: Ticket) -> Granted:
    """What goes with a ticket that was found."""
    return msgspec.json.decode(found.body, type=Granted)
