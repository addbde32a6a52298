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
    from collections.abc import Callable

    from linarite.web.arm import Arm
    from linarite.web.graph import Directory
    from linarite.web.http import Request
    from linarite.web.metadata import Metadata
    from linarite.web.oauth import OAuth

_ARM = frozenset({"subscriptions", "providers", "tenants"})


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
        self._arm = arm
        self._oauth = oauth
        self._graph = graph
        self._metadata = metadata
        self._sealed = sealed
        self._origin = origin
        self._body_limit = body_limit

    async def __call__(self, scope: Any, protocol: Any) -> None:
        """Serve one request (RSGI)."""
        request = await http.receive(scope, protocol, origin=self._origin, limit=self._body_limit)
        try:
            http.send(protocol, await self._serve(request))
        except Cut:
            cut(scope)

    async def _serve(self, request: Request) -> Response:
        first = request.path.lstrip("/").partition("/")[0].lower()
        if first in _ARM or not first:
            return await self._arm.serve(request)
        if first == "graph":
            return await self._graph.serve(request)
        if first == "health":
            return self._health()
        if first in {"metadata", "discovery"}:
            return self._metadata.serve(request)
        return await self._oauth.serve(request)

    def _health(self) -> Response:
        """Alive, and whether the root key is at hand; needs neither token nor store."""
        body = orjson.dumps({"status": "sealed" if self._sealed() else "ok"})
        return Response(200, (("content-type", JSON), ("cache-control", "no-store")), body)
