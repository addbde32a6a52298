"""The line to an upstream: requests out, answers in, both as streams, over connections that are kept for a while.

It says in one exception that there is nobody at the other end, or nobody that can be understood. It knows no registry.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpcore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

    from linarite.doors.registry.messages import Headers
    from linarite.doors.registry.upstream.address import Address

MOST_AT_ONCE = 100
TIMES = {"connect": 5.0, "pool": 30.0, "read": 120.0, "write": 60.0}
"""Seconds: an upstream may take long to put a large blob together, and a little while for anything else."""

_FAILURES = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)

Query = dict[str, list[str]]


class Down(Exception):
    """The upstream does not answer, or says what cannot be passed on; the message is for the log."""


class CutShort(Exception):
    """What was to be sent ended before the length that was announced for it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The beginning of an answer; names of headers are in lower case. It must be read to its end, or closed."""

    status: int
    headers: Mapping[str, str]
    _response: httpcore.Response

    async def pieces(self) -> AsyncGenerator[bytes]:
        """The body, as it comes in.

        Raises:
            Down: it breaks off.
        """
        try:
            async for piece in self._response.aiter_stream():
                yield piece
        except _FAILURES as error:
            raise Down(_why(error)) from error
        finally:
            await self.close()

    async def whole(self, limit: int) -> bytes:
        """The body.

        Raises:
            Down: it breaks off, or is longer than so many bytes.
        """
        body = bytearray()
        async for piece in self.pieces():
            body += piece
            if len(body) > limit:
                raise Down(f"an answer is longer than {limit} bytes")
        return bytes(body)

    async def close(self) -> None:
        await self._response.aclose()


class Line:
    """Connections to one upstream."""

    def __init__(self, address: Address) -> None:
        self._address = address
        tls = ssl.create_default_context() if address.origin.startswith("https:") else None
        self._pool = httpcore.AsyncConnectionPool(
            tls, max_connections=MOST_AT_ONCE, keepalive_expiry=5.0, uds=address.socket
        )

    def __str__(self) -> str:
        return str(self._address)

    async def ask(
        self,
        method: str,
        path: str,
        query: Query | None = None,
        headers: Headers = (),
        body: AsyncIterator[bytes] | None = None,
    ) -> Answered:
        """Send a request; returns with the head of the answer. `path` is encoded.

        Raises:
            Down: there is none. CutShort: the body was not what its Content-Length says.
        """
        url = f"{self._address.origin}{path}{'?' + urlencode(query, doseq=True) if query else ''}"
        try:
            response = await self._pool.handle_async_request(
                httpcore.Request(
                    method, url, headers=[*self._own_headers(), *headers], content=body, extensions={"timeout": TIMES}
                )
            )
        except httpcore.LocalProtocolError as error:
            raise CutShort from error
        except _FAILURES as error:
            raise Down(_why(error)) from error
        found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        return Answered(response.status, found, response)

    async def close(self) -> None:
        await self._pool.aclose()

    def _own_headers(self) -> Sequence[tuple[str, str]]:
        host = ("Host", self._address.origin.partition("://")[2])
        secret = self._address.authorization
        return [host, ("Authorization", secret.reveal())] if secret else [host]


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__
