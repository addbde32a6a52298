"""Requests and answers: HTTP as the rest of the door sees it, over Granian's RSGI.

The body of a request is a stream that is read once, with patience for slow clients and none for silent ones. An answer
is a value; a file is sent by the server itself, past Python. This module knows no registry.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson

from linarite.doors.registry.desk import Caller
from linarite.doors.registry.pipe import pour
from linarite.doors.registry.refused import Refused, refused

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence
    from pathlib import Path

    Headers = Sequence[tuple[str, str]]

JSON = "application/json; charset=utf-8"
PARTIAL = 206
SILENT = 408
MOST_PARAMETERS = 100
DRAINED = 16 * 1024 * 1024
"""Bytes of a body that are read and thrown away before a refusal is sent.

Clients that write before they read (Azure's own SDK sends 4 MiB chunks without a token first) would see a broken
connection instead of the refusal. Who sends more is meant to wait for `100 Continue`.
"""

_HOST = re.compile(r"[A-Za-z0-9.\-_\[\]:]{1,255}")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers, and a body: bytes; a file with the bytes from `start` up to, not including, `end`; or a stream.

    The headers of a stream tell its length, if that is known.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    file: Path | None = None
    start: int = 0
    end: int = 0
    stream: AsyncGenerator[bytes] | None = None
    length: int | None = None
    """Content-Length where there is no body to tell it: the answer to HEAD."""


def json_answer(document: Any, headers: Headers = (), *, status: int = 200) -> Answer:
    return Answer(status, [("Content-Type", JSON), *headers], orjson.dumps(document))


class Request:
    """One request. `path` is decoded, `query` and `form` map each name to all its values."""

    def __init__(self, scope: Any, protocol: Any, patience: float) -> None:
        """`patience`: seconds that a client may be silent in the middle of a body.

        Raises:
            Refused: the query cannot be read, or the Host header cannot be a host.
        """
        self.method: str = scope.method
        self.path: str = scope.path
        self.host = _host(scope)
        self.caller = Caller(self.host, scope.client)
        self.secure: bool = scope.scheme == "https"
        self.query = _fields(scope.query_string)
        self._headers = scope.headers
        self._protocol = protocol
        self._patience = patience
        self._source: AsyncIterator[bytes] | None = None

    @property
    def origin(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.host}"

    def header(self, name: str) -> str | None:
        """The first header of that name; `name` in lower case."""
        value: str | None = self._headers.get(name)
        return value

    def headers(self, name: str) -> list[str]:
        """All headers of that name, in the order they came in; `name` in lower case."""
        return list(self._headers.get_all(name))

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter."""
        return self.query.get(name, [None])[0]

    def length(self) -> int | None:
        """What the client says the body's length is; the server has made sure that it is a number."""
        text = self.header("content-length")
        return None if text is None else int(text)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The rest of the body, as it comes in. It ends early, without a word, when the client goes away.

        Raises:
            Refused: the client has been silent for too long.
        """
        if self._source is None:
            self._source = aiter(self._protocol)
        while True:
            try:
                async with asyncio.timeout(self._patience):
                    piece = await anext(self._source)
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise _silent() from None
            if piece:
                yield piece

    async def whole(self, limit: int) -> bytes:
        """The body, of at most `limit` bytes; being kept in memory, it must be here within the client's patience.

        Raises:
            Refused: it is longer (413), too slow (408), or shorter than was announced.
        """
        announced = self.length()
        if announced is not None and announced > limit:
            raise _too_large(limit)
        body = bytearray()
        try:
            async with asyncio.timeout(self._patience):
                async for piece in self.pieces():
                    body += piece
                    if len(body) > limit:
                        raise _too_large(limit)
        except TimeoutError:
            raise _silent() from None
        if announced is not None and announced != len(body):
            raise refused("SIZE_INVALID")
        return bytes(body)

    async def form(self, limit: int = 256 * 1024) -> dict[str, list[str]]:
        """The fields of a URL-encoded body.

        Raises:
            Refused: it is too long or cannot be read.
        """
        try:
            return _fields((await self.whole(limit)).decode())
        except UnicodeDecodeError:
            raise refused("UNSUPPORTED", status=400, message="the form is not UTF-8") from None

    async def drain(self) -> None:
        """Read and forget what is left of a body that nobody wanted, within reason."""
        if self.method in {"GET", "HEAD"} or (self.length() or 0) > DRAINED:
            return
        seen = 0
        with contextlib.suppress(TimeoutError, Refused):
            async with asyncio.timeout(self._patience):
                async for piece in self.pieces():
                    seen += len(piece)
                    if seen > DRAINED:
                        return


async def send(protocol: Any, method: str, answer: Answer) -> None:
    """Hand the answer to the server; a stream as fast as the client takes it."""
    headers = [(name.lower(), value) for name, value in answer.headers]
    if answer.stream is not None:
        async with contextlib.aclosing(answer.stream) as stream:
            await pour(stream, lambda path: protocol.response_file(answer.status, headers, path))
    elif answer.file is not None:
        headers.append(("content-length", str(answer.end - answer.start)))
        if answer.status == PARTIAL:
            protocol.response_file_range(answer.status, headers, str(answer.file), answer.start, answer.end)
        else:
            protocol.response_file(answer.status, headers, str(answer.file))
    elif method == "HEAD":
        length = len(answer.body) if answer.length is None else answer.length
        protocol.response_empty(answer.status, [*headers, ("content-length", str(length))])
    elif answer.body:
        protocol.response_bytes(answer.status, headers, answer.body)
    else:
        protocol.response_empty(answer.status, headers)


def _host(scope: Any) -> str:
    """HTTP/1.1 has a Host header, HTTP/2 an authority. It becomes part of headers and bodies, hence the check."""
    host = scope.headers.get("host") or scope.authority or ""
    if not _HOST.fullmatch(host):
        raise refused("UNSUPPORTED", status=400, message="the Host header names no host")
    return host


def _fields(text: str) -> dict[str, list[str]]:
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise refused("UNSUPPORTED", status=400, message="too many parameters") from None


def _silent() -> Refused:
    return refused("BLOB_UPLOAD_INVALID", status=SILENT, message="the client has stopped sending")


def _too_large(limit: int) -> Refused:
    return refused("SIZE_INVALID", status=413, message=f"the body is longer than {limit} bytes")
