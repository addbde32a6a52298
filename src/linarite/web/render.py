"""Answers and refusals as bytes. The only place where a `Secret` becomes text.

The gateway and most resource providers write compact JSON, the workspaces' provider indents by two spaces (recorded
answers).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from msgspec.structs import force_setattr

from linarite.model import Secret

if TYPE_CHECKING:
    from linarite.errors import Refusal
    from linarite.model import Answer, Body

JSON = "application/json; charset=utf-8"


def answer_body(answer: Answer) -> bytes:
    """The body of an answer; empty where it has none."""
    if answer.rendered is None:
        if answer.body is None:
            return b""
        encoded = _encode(answer.body, pretty=answer.origin == "workspaces")
        # A copy: orjson's own bytes keep all the room that they had to grow in, four kilobytes for a thousand.
        force_setattr(answer, "rendered", bytes(memoryview(encoded)))
        force_setattr(answer, "body", None)
    return answer.rendered or b""


def refusal_body(refusal: Refusal, *, correlation: str, request: str, location: str) -> bytes:
    """Azure's envelope: the short one, or the larger one of the workspaces' resource provider."""
    if refusal.origin != "workspaces":
        error: Body = {"code": refusal.code, "message": refusal.message}
        if refusal.target is not None:
            error["target"] = refusal.target
        if refusal.details:
            error["details"] = [
                {"code": one.code, "message": one.message, "target": one.target} for one in refusal.details
            ]
        return _encode({"error": error}, pretty=False)
    return _encode(_workspaces_envelope(refusal, correlation, request, location), pretty=True)


def _workspaces_envelope(refusal: Refusal, correlation: str, request: str, location: str) -> Body:
    """As recorded: a superset of ARM's `ErrorResponse`, with where and when beside it."""
    return {
        "error": {
            "code": refusal.code,
            "severity": None,
            "message": refusal.message,
            "messageFormat": None,
            "messageParameters": {},
            "referenceCode": None,
            "detailsUri": None,
            "target": refusal.target,
            "details": [
                {
                    "code": one.code,
                    "severity": None,
                    "message": one.message,
                    "messageFormat": None,
                    "messageParameters": {},
                    "target": one.target,
                    "details": [],
                }
                for one in refusal.details
            ],
            "innerError": None,
            "debugInfo": None,
            "additionalInfo": None,
        },
        "correlation": {"operation": correlation.replace("-", ""), "request": request.replace("-", "")[:16]},
        "environment": location,
        "location": location,
        "time": datetime.now(UTC).isoformat(),
        "componentName": "account-rp",
    }


def _encode(body: Any, *, pretty: bool) -> bytes:
    return orjson.dumps(body, default=_reveal, option=orjson.OPT_INDENT_2 if pretty else None)


def _reveal(value: Any) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError
