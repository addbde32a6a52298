"""Bytes to the server as they are, past every client that would put them right first."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from tests.server import Server

WAITS = 10.0


def heard(server: Server, said: bytes) -> bytes:
    """What comes back on a connection of its own; nothing, where the server only hangs up.

    The request says `Connection: close`, or is so wrong that the server closes by itself.
    """
    port = urlsplit(server.origin).port
    context = ssl.create_default_context(cafile=server.known["caBundle"])
    back = b""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=WAITS) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as line,
        contextlib.suppress(OSError),  # it may hang up before it has heard everything
    ):
        line.sendall(said)
        while more := line.recv(2**16):
            back += more
    return back


def request(server: Server, method: bytes, target: bytes, headers: dict[str, str | bytes]) -> bytes:
    """A request without a body."""
    lines = {"Host": urlsplit(server.origin).netloc, "Connection": "close", **headers}
    written = [
        name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()) for name, value in lines.items()
    ]
    return b"\r\n".join([method + b" " + target + b" HTTP/1.1", *written, b"", b""])


def answered(back: bytes) -> tuple[int, Any]:
    """Status and JSON of an answer; 0 and nothing where there was none."""
    if not back:
        return 0, None
    head, _, body = back.partition(b"\r\n\r\n")
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", head)
    assert found, back[:200]
    return int(found[1]), json.loads(body) if body.startswith(b"{") else None
