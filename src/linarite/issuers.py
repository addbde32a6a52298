"""Issuers that are none of ours: what an operator says of one, and from which addresses documents are fetched.

Values only. It is small, for every command reads the settings: `foreign` does the work.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from linarite.hosts import is_loopback


class TrustedIssuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An issuer whose tokens count for the API: all its parts are compared to the letter."""

    issuer: str
    """`iss` of its tokens."""
    audiences: tuple[str, ...]
    """Whom a token must be for: one of them."""
    tenants: tuple[str, ...] = ()
    """Of which tenants (`tid`) tokens count. With these, its `oid` names a subject; without, its `sub` does."""
    metadata: str = ""
    """Address of its discovery document, where that is not below its name."""

    @property
    def problem(self) -> str:
        """What is wrong with it, empty where nothing is."""
        if not all(map(is_fit, (self.issuer, self.metadata or self.issuer))):
            return f"{self.issuer} and its metadata must be https addresses, or http addresses of this machine"
        if not self.audiences or not all((*self.audiences, *self.tenants)):
            return f"{self.issuer} needs audiences, and none of them or of its tenants may be empty"
        return ""


def trusted_in(text: str) -> tuple[TrustedIssuer, ...]:
    """What a setting says: a JSON list, or nothing.

    Raises:
        ValueError: it says nothing that can be used; the message is a half sentence.
    """
    if not text:
        return ()
    try:
        found = msgspec.json.decode(text, type=tuple[TrustedIssuer, ...])
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    if problem := next((one.problem for one in found if one.problem), ""):
        raise ValueError(problem)
    if len({one.issuer for one in found}) < len(found):
        message = "an issuer stands there twice"
        raise ValueError(message)
    return found


def is_fit(url: str) -> bool:
    """Whether documents are fetched from such an address: over HTTPS, or from loopback."""
    try:
        found = urlsplit(url)
        host, _ = found.hostname, found.port
    except ValueError:
        return False
    if not host or found.username or found.query or found.fragment or not url.isascii() or not url.isprintable():
        return False
    return found.scheme == "https" or (found.scheme == "http" and is_loopback(host))
