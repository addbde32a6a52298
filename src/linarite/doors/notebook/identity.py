"""Who may use Jupyter: whoever the server says, asked anew at every request; and which websockets hang on which key.

Runs in the child. It knows how Jupyter's requests show keys and cookies, and nothing of whose they are.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from jupyter_server.auth.identity import IdentityProvider, User
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler
from traitlets import default

from linarite.doors.notebook.channel import Unanswered
from linarite.doors.notebook.desk import Pass

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tornado.iostream import IOStream

    Ask = Callable[[Mapping[str, object]], Awaitable[dict[str, Any]]]

LONGEST_TOKEN = 16 * 1024
"""Characters; what is longer is cut off, and so is none of ours."""
POLICY_VIOLATION = 1008
"""RFC 6455, section 7.4.1."""


class KeyIdentity(IdentityProvider):
    """Nothing is open: a request without a good key, token or cookie gets 403, and 503 where the server cannot say."""

    ask: Ask
    """Set before the first request."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._sockets: WeakKeyDictionary[WebSocketHandler, Pass] = WeakKeyDictionary()
        self._round = 0

    @default("token")
    def _no_token(self) -> str:
        """Jupyter's own would open the door to whoever reads its log."""
        return ""

    @property
    def login_available(self) -> bool:
        """No form: a key is shown, not typed."""
        return False

    @property
    def logout_available(self) -> bool:
        return False

    async def get_user(self, handler: Any) -> User:
        """Whoever is asking.

        Raises:
            HTTPError: 403, with the refusal on the trail where a key was shown; 503.
        """
        # Jupyter's error pages ask for the user, and without one they fail.
        handler.current_user = handler._jupyter_current_user = None  # noqa: SLF001 - as its own check_host does
        try:
            shown = await self._admitted(handler)
        except Unanswered:
            raise HTTPError(503, "The server cannot say now whose key this is.") from None
        if shown is None:
            raise HTTPError(403, "No notebook key of a workspace, or none that counts any more.")
        return User(username=shown.holder or shown.workspace, name=shown.workspace.rpartition("/")[2])

    async def sweep(self) -> None:
        """Hang up on every websocket whose key does not count any more, or of which the server cannot say."""
        self._round += 1
        for shown in {shown for handler, shown in self._sockets.items() if _stream(handler)}:
            try:
                good = (await self.ask({"pass": shown.wire(), "visit": None}))["good"]
            except Unanswered:
                good = False
            if not good:
                for handler in [handler for handler, its in self._sockets.items() if its == shown]:
                    _hang_up(handler)

    async def _admitted(self, handler: Any) -> Pass | None:
        """What was shown, if it is good; a websocket is known from then on, so that no sweep misses it."""
        while True:
            before = self._round
            shown = await self._found_good(handler)
            if shown is None or before == self._round:
                break
            # Something changed while the answer was on its way, and the sweep did not know of this request.
        if shown is not None and isinstance(handler, WebSocketHandler):
            self._sockets[handler] = shown
        return shown

    async def _found_good(self, handler: Any) -> Pass | None:
        request = handler.request
        visit = {"method": request.method, "path": request.path, "address": request.remote_ip}
        token = self.get_token(handler)
        if token:
            shown = Pass.from_wire((await self.ask({"token": token[:LONGEST_TOKEN], "visit": visit}))["pass"])
            if shown is not None:
                handler._token_authenticated = True  # noqa: SLF001 - Jupyter's own: such a request needs no XSRF token
                self._remember(handler, shown)
            return shown
        shown = self._remembered(handler)
        if shown is not None and not (await self.ask({"pass": shown.wire(), "visit": visit}))["good"]:
            self.clear_login_cookie(handler)
            return None
        return shown

    def _remember(self, handler: Any, shown: Pass) -> None:
        """Set a cookie for a browser, which can show a key in an address alone; it ends with the browser's session."""
        if "token" in handler.request.query_arguments and not isinstance(handler, WebSocketHandler):
            name, value = self.get_cookie_name(handler), json.dumps(shown.wire())
            handler.set_signed_cookie(name, value, expires_days=None, httponly=True, secure=True, samesite="Lax")

    def _remembered(self, handler: Any) -> Pass | None:
        """What a cookie says that this very process has signed."""
        signed = handler.get_signed_cookie(self.get_cookie_name(handler))
        return Pass.from_wire(json.loads(signed)) if signed else None


def _hang_up(handler: WebSocketHandler) -> None:
    """End a websocket now: nothing that comes in counts, not even until the other side has agreed to close."""
    stream = _stream(handler)
    if stream is not None:
        handler.close(POLICY_VIOLATION, "The key does not count any more.")
        stream.close()


def _stream(handler: WebSocketHandler) -> IOStream | None:
    """What it is read from and written to, also before the handshake is over; None where it has ended."""
    line: Any = handler.ws_connection or handler.request.connection
    stream: IOStream | None = line.stream
    return stream if stream is not None and not stream.closed() else None
