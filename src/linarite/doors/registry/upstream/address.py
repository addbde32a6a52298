"""Where an upstream registry is: what the setting's URL says. This module reads it and opens nothing."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from linarite.model import Secret


@dataclass(frozen=True, slots=True)
class Address:
    """An upstream's address: `https://host:port`, or a socket, for whose requests any host would do."""

    origin: str
    socket: str | None
    authorization: Secret | None
    """The Authorization header for it, where the URL names a user."""

    @classmethod
    def read(cls, url: str) -> Address:
        """The address that `http://…`, `https://…` or `unix:///path` is; a user and password may be in it."""
        parts = urlsplit(url)
        if parts.scheme == "unix":
            return cls("http://localhost", unquote(parts.path), None)
        secret = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            secret = Secret("Basic " + base64.b64encode(pair.encode()).decode())
        return cls(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", None, secret)

    def __str__(self) -> str:
        return self.socket or self.origin
