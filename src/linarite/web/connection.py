"""Cutting a connection: what a broken network does to a client, done to it on purpose.

Neither RSGI nor Granian can hang up on a client, so the socket is found among those of this process, by both its ends.
"""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linarite import ends

if TYPE_CHECKING:
    from collections.abc import Iterator

_DESCRIPTORS = Path("/dev/fd")
"""Where Linux and macOS list the open files of a process."""


def cut(scope: Any) -> None:
    """Shut the connection of a request, and with it every other request on it."""
    client = ends.host(scope.client), ends.port(scope.client)
    server = ends.port(scope.server)
    for one in _connections():
        with contextlib.suppress(OSError):
            if (one.getpeername()[:2], one.getsockname()[1]) == (client, server):
                one.shutdown(socket.SHUT_RDWR)


def _connections() -> Iterator[socket.socket]:
    """The process's sockets, each let go of again and left open.

    They are borrowed, not duplicated: to close a duplicate of SQLite's file would let go of SQLite's locks on it.
    """
    for descriptor in _DESCRIPTORS.iterdir():
        try:
            found = socket.socket(fileno=int(descriptor.name))
        except OSError:
            continue  # no socket, or closed meanwhile
        try:
            if found.family in {socket.AF_INET, socket.AF_INET6}:
                yield found
        finally:
            found.detach()
