"""The front door of Azure Resource Manager: HTTP requests into calls, answers and refusals into HTTP responses.

Headers follow recorded answers of the real service. Whatever is neither an answer nor a refusal is a defect of ours:
the caller gets a 500 with a correlation id and nothing else, the log gets the trace.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from time import time
from typing import TYPE_CHECKING

import structlog

from linarite import faults
from linarite.errors import Cut, Refusal
from linarite.errors.server import internal_error
from linarite.ids import is_guid
from linarite.web.calling import call_of
from linarite.web.http import Response
from linarite.web.render import JSON, answer_body, refusal_body

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.calls import Call
    from linarite.engine import Engine
    from linarite.model import Answer
    from linarite.web.http import Request

# Azure also sends Strict-Transport-Security; for `localhost` a browser would apply it to every other port.
_FIXED = (
    ("cache-control", "no-cache"),
    ("pragma", "no-cache"),
    ("expires", "-1"),
    ("vary", "Accept-Encoding"),
    ("x-content-type-options", "nosniff"),
)
_JSON = ("content-type", JSON)
_STANDARD = ("x-ms-response-type", "standard")
_ERROR = ("x-ms-response-type", "error")
_GATEWAY = ("x-ms-failure-cause", "gateway")
_ECHOED = re.compile(r"[\x21-\x7e]{1,128}")

log = structlog.get_logger()


@lru_cache(maxsize=2)
def _routed(location: str, second: int) -> str:
    """What `x-ms-routing-request-id` starts with: a place and a moment, in seconds since 1970."""
    return f"{location}:{datetime.fromtimestamp(second, UTC):%Y%m%dT%H%M%SZ}:"


@lru_cache(maxsize=1024)
def _remaining(bucket: str, left: int) -> tuple[str, str]:
    """The header that tells what is left in a bucket."""
    return f"x-ms-ratelimit-remaining-{bucket}", str(left)


class Arm:
    """Translates for one engine."""

    def __init__(self, engine: Engine, new_id: Callable[[], str], location: str) -> None:
        self._engine = engine
        self._new_id = new_id
        self._location = location.upper()

    async def serve(self, request: Request) -> Response:
        """Answer a request.

        Raises:
            Cut: it is not to be answered; nothing else is ever raised.
        """
        request_id = self._new_id()
        given = request.headers.get("x-ms-correlation-request-id", "")
        call = call_of(request, request_id, given.lower() if given and is_guid(given) else request_id)
        try:
            return self._respond(request, call, await self._engine.serve(call))
        except Cut:
            raise
        except Refusal as refusal:
            return self._respond(request, call, refusal)
        except Exception:
            log.exception("a request broke", request=request_id, correlation=call.correlation, method=call.method)
            return self._respond(request, call, internal_error(call.correlation))

    def _respond(self, request: Request, call: Call, outcome: Answer | Refusal) -> Response:
        id_ = call.request
        headers = [
            *_FIXED,
            *outcome.headers,
            ("x-ms-request-id", id_),
            ("x-ms-correlation-request-id", call.correlation),
            ("x-ms-routing-request-id", _routed(self._location, int(time())) + id_),
        ]
        if isinstance(outcome, Refusal):
            headers.append(_GATEWAY if outcome.origin == "gateway" else _ERROR)
            body = refusal_body(outcome, correlation=call.correlation, request=id_, location=self._location.lower())
        else:
            headers.append(_STANDARD)
            body = answer_body(outcome)
        if call.struck_by:
            headers.append((faults.HEADER, ", ".join(call.struck_by)))
        if call.remaining is not None:
            headers.append(_remaining(call.bucket, call.remaining))
        if request.headers.get("x-ms-return-client-request-id", "").lower() == "true":
            echoed = request.headers.get("x-ms-client-request-id", "")
            if _ECHOED.fullmatch(echoed):
                headers.append(("x-ms-client-request-id", echoed))
        if body:
            headers.append(_JSON)
        if request.method == "HEAD":
            body = b""
        return Response(outcome.status, headers, body)
