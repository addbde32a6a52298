"""Tunnels: an HTTP proxy that knows CONNECT and nothing else, bounded in number, size and time.

It passes bytes on as they are, in both directions, and looks into none of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from linarite.proxy.switchboard import Unconnected

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter, Timeout
    from collections.abc import Callable

    from linarite.proxy.switchboard import Place

MOST = 512
"""Tunnels at a time; whoever comes then is told so."""
LONGEST_HEAD = 16 * 1024
HEAD_WITHIN = 10.0
CONNECTED_WITHIN = 10.0
IDLE_WITHIN = 600.0
"""Seconds without a byte in either direction after which a tunnel is closed."""
CLOSED_WITHIN = 2.0
PIECE = 64 * 1024

_CONNECT = re.compile(rb"CONNECT (?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z.-]{1,253})):(\d{1,5}) HTTP/1\.[01]")


class PortTaken(Exception):
    """The address is in use, or may not be bound by this user; the message is a sentence for the command line."""


class Board(Protocol):
    """Who knows where names lead."""

    async def place(self, host: str, port: int) -> Place:
        """Where a name leads, or Unconnected."""


async def serve(board: Board, port: int, announce: Callable[[int], None]) -> None:
    """Serve on loopback until SIGINT or SIGTERM; `announce` is told the port once it answers.

    Raises:
        PortTaken: the port cannot be had.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    exchange = Exchange(board)
    try:
        server = await asyncio.start_server(exchange.take, "127.0.0.1", port, limit=LONGEST_HEAD, backlog=MOST)
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        message = f"Port {port} on 127.0.0.1 cannot be used: {why}. Choose another with --port."
        raise PortTaken(message) from error
    try:
        announce(server.sockets[0].getsockname()[1])
        await stop.wait()
    finally:
        server.close()
        await exchange.close()


class Exchange:
    """The tunnels that are open."""

    def __init__(self, board: Board, *, most: int = MOST, idle_within: float = IDLE_WITHIN) -> None:
        self._board = board
        self._most = most
        self._idle_within = idle_within
        self._open: set[asyncio.Task[None]] = set()

    async def take(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve one client from its first byte to its last."""
        task = asyncio.current_task()
        if task is not None:
            self._open.add(task)
            task.add_done_callback(self._open.discard)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # it hung up, or the proxy is being stopped
        finally:
            await _closed(writer)

    async def close(self) -> None:
        """Close every tunnel."""
        for task in self._open:
            task.cancel()
        if self._open:
            await asyncio.wait(self._open)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            self._admit()
            host, port = await _asked(reader)
            there, back = await _connected(await self._board.place(host, port))
        except Unconnected as error:
            await _refuse(reader, writer, error)
            return
        try:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await self._relay((reader, back), (there, writer))
        finally:
            await _closed(back)

    def _admit(self) -> None:
        if len(self._open) > self._most:
            raise Unconnected(503, f"There are {self._most} tunnels already.")

    async def _relay(self, *ways: tuple[StreamReader, StreamWriter]) -> None:
        """Pass on both ways until both have ended, or nothing has come for too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._idle_within) as patience:
                copies = [asyncio.ensure_future(self._copy(*way, patience)) for way in ways]
                try:
                    await asyncio.gather(*copies)
                finally:
                    for copy in copies:
                        copy.cancel()

    async def _copy(self, source: StreamReader, sink: StreamWriter, patience: Timeout) -> None:
        while piece := await source.read(PIECE):
            if not patience.expired():
                patience.reschedule(asyncio.get_running_loop().time() + self._idle_within)
            sink.write(piece)
            await sink.drain()
        sink.write_eof()


async def _asked(reader: StreamReader) -> tuple[str, int]:
    """Host and port that the client wants to be connected with."""
    try:
        async with asyncio.timeout(HEAD_WITHIN):
            head = await reader.readuntil(b"\r\n\r\n")
    except TimeoutError:
        raise Unconnected(408, "The request did not come.") from None
    except asyncio.LimitOverrunError:
        raise Unconnected(431, "The head of the request is too long.") from None
    except asyncio.IncompleteReadError:
        raise Unconnected(400, "The request is not whole.") from None
    line = head.partition(b"\r\n")[0]
    found = _CONNECT.fullmatch(line)
    if found is None:
        if line.startswith(b"CONNECT "):
            raise Unconnected(400, "CONNECT wants a host and a port.")
        raise Unconnected(405, "This proxy knows CONNECT alone: use it for https.")
    return (found[1] or found[2]).decode().lower(), int(found[3])


async def _connected(place: Place) -> tuple[StreamReader, StreamWriter]:
    try:
        async with asyncio.timeout(CONNECTED_WITHIN):
            return await asyncio.open_connection(place.host, place.port)
    except TimeoutError:
        raise Unconnected(504, f"{place.host}:{place.port} does not answer.") from None
    except (OSError, OverflowError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise Unconnected(502, f"{place.host}:{place.port} cannot be reached: {why}.") from None


def _refusal(error: Unconnected) -> bytes:
    body = f"{error}\n".encode()
    allow = "Allow: CONNECT\r\n" if error.status == HTTPStatus.METHOD_NOT_ALLOWED else ""
    head = (
        f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n{allow}Connection: close\r\n\r\n"
    )
    return head.encode() + body


async def _refuse(reader: StreamReader, writer: StreamWriter, error: Unconnected) -> None:
    """Say why, and hear the client out: who is hung up on while they speak may never read it."""
    writer.write(_refusal(error))
    writer.write_eof()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSED_WITHIN):
            while await reader.read(PIECE):
                pass


async def _closed(writer: StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(CLOSED_WITHIN):
            await writer.wait_closed()
