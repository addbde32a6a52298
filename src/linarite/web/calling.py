"""A request as a call: what all addresses that serve calls make of HTTP alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.calls import Call
from linarite.web import body as bodies

if TYPE_CHECKING:
    from linarite.web.http import Request


def call_of(request: Request, id_: str, correlation: str) -> Call:
    """The call of a request, under ids that the answer names too."""
    return Call(
        method=request.method,
        path=request.path,
        query_string=request.query_string,
        query=request.query,
        authorization=request.headers.get("authorization", "") or None,
        json=bodies.reader(request.body, request.headers),
        origin=request.origin,
        request=id_,
        correlation=correlation,
        address=request.address,
        refusal=request.refusal,
    )
