"""The one HTTPS origin: Resource Manager, the token service, Microsoft Graph, the metadata and the health answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from linarite.errors import Cut
from linarite.web import http
from linarite.web.connection import cut
from linarite.web.http import Response
from linarite.web.render import JSON

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.web.arm import Arm
    from linarite.web.graph import Directory
    from linarite.web.http import Request
    from linarite.web.metadata import Metadata
    from linarite.web.oauth import OAuth

    Service = Callable[[Request], Awaitable[Response]]
    """Answers a request; raises Cut where it is not to be answered, and nothing else."""

_ARM = ("", "subscriptions", "providers", "tenants")


class Front:
    """An RSGI application."""

    def __init__(
        self,
        *,
        arm: Arm,
        oauth: OAuth,
        graph: Directory,
        metadata: Metadata,
        sealed: Callable[[], bool],
        origin: str,
        body_limit: int,
    ) -> None:
        self._services: dict[str, Service] = {
            **dict.fromkeys(_ARM, arm.serve),
            **dict.fromkeys(("metadata", "discovery"), self._cloud),
            "graph": graph.serve,
            "health": self._health,
        }
        """By the first word of the path; all other words are the token service's, which has a tenant's name there."""
        self._oauth = oauth.serve
        self._metadata = metadata
        self._sealed = sealed
        self._origin = origin
        self._body_limit = body_limit

    async def __call__(self, scope: Any, protocol: Any) -> None:
        """Serve one request (RSGI)."""
        request = http.bare(scope, origin=self._origin)
        if request is None:
            request = await http.receive(scope, protocol, origin=self._origin, limit=self._body_limit)
        first = request.path.lstrip("/").partition("/")[0].lower()
        try:
            http.send(protocol, await self._services.get(first, self._oauth)(request))
        except Cut:
            cut(scope)

    async def _cloud(self, request: Request) -> Response:
        return self._metadata.serve(request)

    async def _health(self, _: Request) -> Response:
        """Alive, and whether the root key is at hand; needs neither token nor store."""
        body = orjson.dumps({"status": "sealed" if self._sealed() else "ok"})
        return Response(200, (("content-type", JSON), ("cache-control", "no-store")), body)
