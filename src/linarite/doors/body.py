"""The body of a request, read whole over RSGI. It knows no door, and not what a body is for."""

from __future__ import annotations

import asyncio
from typing import Any


class Unread(Exception):
    """The body could not be had; the message is a sentence, `status` the HTTP status that says the same."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


async def whole(scope: Any, protocol: Any, *, limit: int, within: float) -> bytes:
    """The whole body, read no further than `limit` bytes.

    Raises:
        Unread: it is larger (413), is not here `within` so many seconds (408), or is shorter than announced (400).
    """
    announced = scope.headers.get("content-length")  # the server has refused what is no number
    if announced is not None and int(announced) > limit:
        raise Unread(413, f"The request body is larger than {limit} bytes.")
    body = bytearray()
    try:
        async with asyncio.timeout(within):
            async for chunk in protocol:
                body += chunk
                if len(body) > limit:
                    raise Unread(413, f"The request body is larger than {limit} bytes.")
    except TimeoutError:
        raise Unread(408, "The request body did not come.") from None
    if announced is not None and len(body) < int(announced):  # Granian ends the stream alike when the client is gone
        raise Unread(400, "The request body is shorter than its Content-Length.")
    return bytes(body)
