"""One listening port: a bound address, an RSGI application behind it, TLS where a certificate is given.

Granian runs embedded, so that everything of an instance lives in one process and one event loop. This module
knows sockets and nothing of what is served on them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings, HTTP2Settings
from granian.server.embed import Server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    Application = Callable[[Any, Any], Awaitable[None]]

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not bound
"""Addresses that stand for all, and the loopback address that reaches each."""

ANSWERS_WITHIN = 10.0
"""Seconds a fresh listener may take to accept its first connection."""


class PortTaken(Exception):
    """The address is in use, or may not be bound by this user; the message is a sentence for the command line."""


class Listener:
    """Serves one application on one address from `start` until `stop`.

    >>> listener = Listener(application, "127.0.0.1", 0)  # the port is fixed from here on
    """

    def __init__(
        self,
        application: Application,
        host: str,
        port: int = 0,
        *,
        certificate: Path | None = None,
        key: Path | None = None,
        shared: bool = False,
    ) -> None:
        """Reserve the port; with `shared`, several processes may serve it together.

        Raises:
            PortTaken: another program holds the port, or the user may not bind it.
        """
        self._reservation = _reserve(host, port, shared=shared)
        self.host = host
        self.port: int = self._reservation.getsockname()[1]
        self.scheme = "https" if certificate else "http"
        self._server = Server(
            application,
            address=host,
            port=self.port,
            interface=Interfaces.RSGI,
            http=HTTPModes.auto,
            http1_settings=HTTP1Settings(header_read_timeout=30_000, max_buffer_size=128 * 1024),
            http2_settings=HTTP2Settings(max_headers_size=64 * 1024),
            log_enabled=False,
            backlog=1024,
            websockets=False,
            ssl_cert=certificate,
            ssl_key=key,
            ssl_protocol_min=SSLProtocols.tls12,
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def origin(self) -> str:
        """The address as clients write it: loopback is `localhost`, so that one certificate name serves."""
        name = "localhost" if self.host in {"127.0.0.1", "::1", *_EVERYWHERE} else self.host
        return f"{self.scheme}://{name}:{self.port}"

    async def start(self) -> None:
        """Listen; returns when the port accepts connections."""
        self._task = asyncio.create_task(self._server.serve())
        target = _EVERYWHERE.get(self.host, self.host)
        async with asyncio.timeout(ANSWERS_WITHIN):
            while True:
                if self._task.done():
                    await self._task
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection(target, self.port)
                    writer.close()
                    return
                await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Let running answers end, then close."""
        if self._task is not None:
            self._server.stop()  # type: ignore[no-untyped-call]
            await asyncio.wait([self._task], timeout=ANSWERS_WITHIN)
            self._task = None
        self._reservation.close()


def port_after(port: int, place: int) -> int:
    """The port so many places after another, or any free one where that takes any."""
    return port + place if port else 0


def _reserve(host: str, port: int, *, shared: bool) -> socket.socket:
    """Bind without listening: holds the number for Granian, which binds it again with SO_REUSEPORT.

    Two instances would otherwise share a port in silence, for Granian always sets that option. The first bind is
    therefore tried without it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    if not shared and port:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _bind(probe, host, port)
    held = socket.socket(family)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    _bind(held, host, port)
    return held


def _bind(held: socket.socket, host: str, port: int) -> None:
    try:
        held.bind((host, port))
    except OSError as error:
        held.close()
        message = (
            f"Port {port} on {host} cannot be used: {error.strerror or error}. "
            "Choose another with --port, or --port 0 for any free one."
        )
        raise PortTaken(message) from error
