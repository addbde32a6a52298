"""HTTP as the rest of `web` sees it: a request whole, a response whole. The one module that speaks RSGI."""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl

import msgspec

from linarite import ends
from linarite.errors.bodies import body_too_large, body_unreadable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from linarite.errors import Refusal

_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?")

_DRAINED = 16 * 2**20
"""Bytes over the limit that are read and thrown away: many clients write everything before they read."""


class Headers(Protocol):
    """Headers by name, in any case; of one that was sent twice, the first counts."""

    def get(self, key: str, default: str, /) -> str:
        """The value, or the default."""

    def get_all(self, key: str, /) -> list[str]:
        """Every value: HTTP/2 sends cookies in several."""


_NONE: Mapping[str, str] = MappingProxyType({})


class Request(msgspec.Struct, frozen=True):
    """A request. What may hold secrets does not print."""

    method: str
    path: str
    """Percent-decoded."""
    query_string: str
    headers: Headers
    body: bytes
    address: str
    """The client's IP address."""
    origin: str
    """`https://host:port` as the client wrote it."""
    query: Mapping[str, str] = _NONE
    """Of a parameter that was sent twice, the last one counts."""
    refusal: Refusal | None = None
    """Set where the body was over the limit: the body is empty then."""

    def __repr__(self) -> str:
        return f"Request({self.method} {self.path} for {self.address})"


class Response(msgspec.Struct, frozen=True):
    """A response. What may hold secrets does not print."""

    status: int
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""

    def __repr__(self) -> str:
        return f"Response({self.status})"


def bare(scope: Any, *, origin: str) -> Request | None:
    """The request, if it cannot have a body: to read an empty one costs as much as a tenth of a listKeys."""
    headers = scope.headers
    length = headers.get("content-length")
    if length is not None:
        may_have_body = length != "0"
    else:
        may_have_body = scope.http_version not in {"1", "1.0", "1.1"} or headers.get("transfer-encoding") is not None
    return None if may_have_body else _request(scope, headers, origin)


async def receive(scope: Any, protocol: Any, *, origin: str, limit: int) -> Request:
    """Read a request whole, up to `limit` bytes of body; `origin` is the server's own (see `_origin`)."""
    headers = scope.headers
    body, refusal = await _body(protocol, limit)
    refusal = refusal or _cut_short(body, headers.get("content-length"))
    return _request(scope, headers, origin, body, refusal)


def _request(scope: Any, headers: Any, origin: str, body: bytes = b"", refusal: Refusal | None = None) -> Request:
    query_string = scope.query_string
    return Request(
        method=scope.method,
        path=scope.path,
        query_string=query_string,
        headers=headers,
        body=body,
        address=ends.host(scope.client),
        origin=_origin(origin, headers.get("host") or scope.authority or ""),
        query=_query(query_string),
        refusal=refusal,
    )


@lru_cache(maxsize=1024)
def _origin(own: str, host: str) -> str:
    """The origin that a client wrote, under the scheme of the server's own, which counts where that is no host."""
    return f"{own.partition(':')[0]}://{host}" if _HOST.fullmatch(host) else own


@lru_cache(maxsize=8192)
def _query(query_string: str) -> Mapping[str, str]:
    return MappingProxyType(dict(parse_qsl(query_string, keep_blank_values=True)))


async def _body(protocol: Any, limit: int) -> tuple[bytes, Refusal | None]:
    """The body; over the limit, the rest is read and thrown away within reason, so that the client hears the answer."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in protocol:
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        elif size > limit + _DRAINED:
            break
    if size > limit:
        return b"", body_too_large(limit)
    return b"".join(chunks), None


def _cut_short(body: bytes, declared: str | None) -> Refusal | None:
    """Granian ends a body in silence where the client hangs up in the middle of it; half a body is none."""
    if declared is None or not declared.isdigit() or int(declared) == len(body):
        return None
    return body_unreadable("The body is shorter than its Content-Length says")


def send(protocol: Any, response: Response) -> None:
    """Write a response whole."""
    if response.body:
        protocol.response_bytes(response.status, response.headers, response.body)
    else:
        protocol.response_empty(response.status, response.headers)
