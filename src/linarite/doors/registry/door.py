"""The registry door: one RSGI application in front of every container registry of an instance.

Which registry a request is for follows from who makes it: the admin user's name is the registry's, and tokens carry it.
Here the parts come together: the front lets in, the tables find the operation, and whatever goes wrong becomes an
answer in the registry's envelope.
"""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from linarite.doors.registry import oauth
from linarite.doors.registry.front import Front
from linarite.doors.registry.messages import JSON, SILENT, Answer, Request, send
from linarite.doors.registry.refused import Refused, refused
from linarite.doors.registry.routes import PATIENCE, find
from linarite.doors.registry.tokens import Mint
from linarite.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.doors.registry.desk import Desk
    from linarite.doors.registry.routes import Back

log = structlog.get_logger(__name__)

EXPOSED = ("Docker-Content-Digest", "WWW-Authenticate", "Link", "X-Ms-Correlation-Request-Id")

_CLIENT_ID = re.compile(r"[!-~]{1,100}")


class RegistryDoor:
    """Serves registries whose content `back` keeps.

    >>> door = RegistryDoor(desk, Embedded(root), key=os.urandom(32))
    >>> listener = Listener(door, "127.0.0.1", 0)
    """

    def __init__(
        self,
        desk: Desk,
        back: Back,
        *,
        key: bytes,
        patience: float = PATIENCE,
        now: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        """`key`: 32 random bytes that sign the tokens; a new one at every start costs clients a new sign-in.

        Processes that serve together must share it. `patience`: seconds that a client may be silent in a body.
        """
        self._desk = desk
        self._back = back
        self._patience = patience
        self._new_id = new_id
        self._front = Front(desk, Mint(key, now=now, new_id=new_id))

    async def __call__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        request: Request | None = None
        correlation = self._new_id()
        try:
            request = Request(scope, protocol, self._patience)
            answer = await self._answer(request)
        except Refused as refusal:
            answer = await _refuse(request, refusal)
        except Unavailable:
            answer = await _refuse(request, refused("UNAVAILABLE", headers=[("Retry-After", "1")]))
        except Exception:
            log.exception("registry.failed", correlation=correlation)
            answer = await _refuse(request, refused("UNKNOWN", {"correlationId": correlation}))
        try:
            await send(protocol, scope.method, self._with_common_headers(answer, scope, correlation))
        except Exception:  # its head is sent, so all that is left is to hang up in the middle
            log.exception("registry.broke_off", correlation=correlation)

    async def start(self) -> None:
        """Look whether the registries can be used, before the listener starts.

        Raises:
            IndexUnusable: one of them cannot.
        """
        await self._back.open()

    async def tend(self) -> None:
        """Tidy up; to be called now and then, by one at a time."""
        await self.sweep()
        await self._back.tend()

    async def sweep(self) -> None:
        """Remove for good what belongs to registries that are no more."""
        for place in await self._desk.gone(await self._back.places()):
            await self._back.discard(place)
            log.info("registry.discarded", place=place)

    async def close(self) -> None:
        """Close all, after the listener has stopped."""
        await self._back.close()

    async def _answer(self, request: Request) -> Answer:
        if request.path in {oauth.TOKEN, oauth.EXCHANGE}:
            return await oauth.answer(self._front, request)
        found = find(self._back.routes, request)
        proof = await self._front.admit(request, found.needed)
        try:
            return await self._back.answer(found, request, proof)
        except Refused as refusal:
            if refusal.locked:
                await self._front.turn_away("locked", request, found.needed, credential=proof.credential)
            raise

    def _with_common_headers(self, answer: Answer, scope: Any, correlation: str) -> Answer:
        """Azure's registry also sends Strict-Transport-Security; for `localhost` it would reach every other port."""
        common = [
            ("Docker-Distribution-Api-Version", "registry/2.0"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Ms-Correlation-Request-Id", correlation),
            *(("Access-Control-Expose-Headers", name) for name in EXPOSED),
        ]
        client_id = scope.headers.get("x-ms-client-request-id")
        if client_id and _CLIENT_ID.fullmatch(client_id):
            common.append(("X-Ms-Client-Request-Id", client_id))
        return replace(answer, headers=[*answer.headers, *common])


async def _refuse(request: Request | None, refusal: Refused) -> Answer:
    if request is not None and refusal.status != SILENT:
        await request.drain()
    return Answer(refusal.status, [("Content-Type", JSON), *refusal.headers], refusal.body())
