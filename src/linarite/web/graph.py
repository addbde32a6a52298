"""Microsoft Graph's address: HTTP requests into calls, answers and refusals into Graph's JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from linarite.errors import Refusal
from linarite.graph import broken
from linarite.model import Answer
from linarite.web.calling import call_of
from linarite.web.http import Response
from linarite.web.render import answer_body

if TYPE_CHECKING:
    from linarite.graph import Graph
    from linarite.web.http import Request

JSON = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_FIXED = (("cache-control", "no-cache"), ("odata-version", "4.0"), ("x-content-type-options", "nosniff"))
_ECHOED = re.compile(r"[\x21-\x7e]{1,128}")
_BROKEN = 500

log = structlog.get_logger()


class Directory:
    """Translates for one directory."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def serve(self, request: Request) -> Response:
        """Answer a request; never raises."""
        id_ = str(uuid4())
        given = request.headers.get("client-request-id", "")
        asked = given if _ECHOED.fullmatch(given) else id_
        try:
            answer = await self._graph.serve(call_of(request, id_, id_))
        except Refusal as refusal:
            return _refused(refusal, refusal.status, id_, asked, self._graph.now())
        except Exception:
            log.exception("a request to the directory broke", request=id_)
            return _refused(broken(), _BROKEN, id_, asked, self._graph.now())
        return _response(answer, id_, asked)


def _refused(refusal: Refusal, status: int, id_: str, asked: str, now: str) -> Response:
    """Graph's envelope, with what one names when one asks about a refusal."""
    inner = {"date": now, "request-id": id_, "client-request-id": asked}
    body = {"error": {"code": refusal.code, "message": refusal.message, "innerError": inner}}
    return _response(Answer(status, body, refusal.headers), id_, asked)


def _response(answer: Answer, id_: str, asked: str) -> Response:
    headers = [*_FIXED, *answer.headers, ("request-id", id_), ("client-request-id", asked)]
    if answer.body is not None:
        headers.append(("content-type", JSON))
    return Response(answer.status, tuple(headers), answer_body(answer))
