"""A stream as a file that a server reads from: a pipe with a name, filled no faster than it is emptied.

Granian takes whatever a stream of its own is given and keeps it in memory until the client has taken it, a whole layer
if need be. A file it reads piece by piece. This module knows neither requests nor registries.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

OPENED_WITHIN = 10.0
"""Seconds that the reader may take to open the pipe; one that does not has gone."""
EMPTIED_WITHIN = 60.0
"""Seconds that a full pipe may stay full; a client that takes nothing for so long is hung up on."""
PAUSE = 0.002


async def pour(stream: AsyncIterator[bytes], read: Callable[[str], None]) -> None:
    """Have `read` read the stream from the path that it is given; returns at the end of either.

    Raises:
        TimeoutError: the reader does not read.
    """
    with tempfile.TemporaryDirectory(prefix="linarite-") as folder:
        path = Path(folder) / "pipe"
        os.mkfifo(path, 0o600)
        read(str(path))
        handle = await _opened(path)
    try:
        with contextlib.suppress(BrokenPipeError):  # the client has gone
            async for piece in stream:
                await _write(handle, memoryview(piece))
    finally:
        os.close(handle)


async def _opened(path: Path) -> int:
    """The end to write to, once there is somebody at the other one."""
    async with asyncio.timeout(OPENED_WITHIN):
        while True:
            try:
                return os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
            await asyncio.sleep(PAUSE)


async def _write(handle: int, rest: memoryview) -> None:
    while rest:
        with contextlib.suppress(BlockingIOError):
            rest = rest[os.write(handle, rest) :]
            continue
        await _emptier(handle)


async def _emptier(handle: int) -> None:
    loop = asyncio.get_running_loop()
    emptier = loop.create_future()
    loop.add_writer(handle, _settle, emptier)
    try:
        async with asyncio.timeout(EMPTIED_WITHIN):
            await emptier
    finally:
        loop.remove_writer(handle)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
