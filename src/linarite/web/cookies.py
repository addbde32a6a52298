"""The two cookies of a browser that signs in: its session, and what ties the forms that it was given to it.

Both are for this host alone and come over TLS alone, no script reads them, and no other site's post brings them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linarite.web.http import Request

SESSION = "__Host-linarite-session"
FORM = "__Host-linarite-form"
_MADE_OF = "; Path=/; Secure; HttpOnly; SameSite=Lax"


@dataclass(slots=True)
class Cookies:
    """The cookies of one request, and those that its answer sets."""

    session: str = field(repr=False)
    form: str = field(repr=False)
    headers: list[tuple[str, str]] = field(default_factory=list, repr=False)

    @property
    def token(self) -> str:
        """What a form carries: another site neither reads it nor makes one that goes with the cookie."""
        if not self.form:
            self.form = base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")
            self.headers.append(("set-cookie", f"{FORM}={self.form}{_MADE_OF}"))
        return _token(self.form)

    def ties(self, token: str) -> bool:
        """Whether a form that came back was given to this browser."""
        return bool(self.form) and hmac.compare_digest(_token(self.form).encode(), token.encode())

    def begin(self, session: str) -> None:
        self.session = session
        self.headers.append(("set-cookie", f"{SESSION}={session}{_MADE_OF}"))

    def end(self) -> None:
        self.session = ""
        self.headers.append(("set-cookie", f"{SESSION}=; Max-Age=0{_MADE_OF}"))


def cookies_of(request: Request) -> Cookies:
    """The cookies that a browser sent."""
    crumbs = "; ".join(request.headers.get_all("cookie"))
    pairs = (one.strip().partition("=") for one in crumbs.split(";"))
    sent = {name: value for name, _, value in pairs}
    return Cookies(sent.get(SESSION, ""), sent.get(FORM, ""))


def _token(cookie: str) -> str:
    return hashlib.sha256(f"form:{cookie}".encode()).hexdigest()
