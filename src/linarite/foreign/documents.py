"""Documents of an issuer, fetched within bounds of time and size: JSON objects over HTTPS, and from nowhere else.

Plain HTTP is for loopback alone. A redirect is not followed, for whoever may redirect would choose the keys.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Fetch = Callable[[str], Awaitable[dict[str, Any]]]

WITHIN = 5.0
"""Seconds that a document may take from the first packet to the last."""

LARGEST = 256 * 1024
"""Bytes of a document; Entra's key set has about 20,000."""


class IssuerDown(Exception):
    """An issuer's documents cannot be had or cannot be used now; the message says why."""


async def fetch(url: str) -> dict[str, Any]:
    """The JSON object at a fit address.

    Raises:
        IssuerDown: it cannot be had in time, is too large, or is none.
    """
    target = urlsplit(url)
    host, port = target.hostname or "", target.port
    connection = (
        http.client.HTTPSConnection(host, port, timeout=WITHIN, context=ssl.create_default_context())
        if target.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=WITHIN)
    )
    held: list[socket.socket] = []
    task = asyncio.create_task(asyncio.to_thread(_body, connection, target.path or "/", held))
    try:
        found = orjson.loads(await asyncio.wait_for(asyncio.shield(task), WITHIN))
    except TimeoutError as error:
        task.add_done_callback(_forgotten)
        _cut(held)
        raise IssuerDown(f"{url} did not answer within {WITHIN:g} seconds.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise IssuerDown(f"{url} cannot be read: {error}.") from error
    if not isinstance(found, dict):
        raise IssuerDown(f"{url} is no JSON object.")
    return found


def _body(connection: http.client.HTTPConnection, path: str, held: list[socket.socket]) -> bytes:
    """The body of the answer; runs in a thread, which ends with the socket that it puts into `held`."""
    with contextlib.closing(connection):
        connection.connect()
        held.append(connection.sock)
        connection.request("GET", path, headers={"Accept": "application/json"})
        with connection.getresponse() as answer:
            if answer.status != http.client.OK:
                message = f"it answers {answer.status}"
                raise OSError(message)
            body = answer.read(LARGEST + 1)
    if len(body) > LARGEST:
        message = f"it is larger than {LARGEST} bytes"
        raise OSError(message)
    return body


def _cut(held: list[socket.socket]) -> None:
    """End a connection on which a thread still waits."""
    for one in held:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def _forgotten(task: asyncio.Task[bytes]) -> None:
    """Nobody waits for it any more."""
    if not task.cancelled():
        task.exception()
