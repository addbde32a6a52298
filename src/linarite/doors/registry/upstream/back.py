"""An upstream registry as a back end of the door. One that cannot be used makes the door busy, and the log says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from linarite.doors.registry.refused import refused
from linarite.doors.registry.upstream.line import CutShort, Down, Line
from linarite.doors.registry.upstream.tables import ROUTES
from linarite.doors.registry.upstream.visit import Visit

if TYPE_CHECKING:
    from linarite.doors.registry.front import Proof
    from linarite.doors.registry.messages import Answer, Request
    from linarite.doors.registry.routes import Found
    from linarite.doors.registry.upstream.address import Address

log = structlog.get_logger(__name__)


class Upstream:
    """Keeps registries in another registry; what it stores is its operator's to tidy and to remove."""

    routes = ROUTES

    def __init__(self, address: Address) -> None:
        self._line = Line(address)

    async def open(self) -> None:
        """There is nothing here to look at."""

    async def answer(self, found: Found, request: Request, proof: Proof) -> Answer:
        """Ask the upstream for what was asked and is allowed.

        Raises:
            Refused: the upstream refuses it, or cannot be used now (503).
        """
        try:
            return await found.operation(Visit(request, proof, self._line, found.parts))
        except CutShort:  # the client has gone
            raise refused("SIZE_INVALID") from None
        except Down as down:
            log.warning("registry.upstream_down", upstream=str(self._line), why=str(down))
            raise refused("UNAVAILABLE", headers=[("Retry-After", "10")]) from None

    async def places(self) -> tuple[str, ...]:
        """None that can be discarded."""
        return ()

    async def discard(self, place: str) -> None:
        """Not to be had."""

    async def tend(self) -> None:
        """There is nothing to tidy here."""

    async def close(self) -> None:
        await self._line.close()
