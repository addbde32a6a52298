"""The embedded back end: the content of every registry in a folder of its own, on this machine.

It opens a registry when somebody first asks for it, tidies all of them, and says plainly when the disk has no room.
What an operation does to the content is for the modules in `tables`.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import shutil
import sqlite3
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import structlog

from linarite.doors.registry.collection import collect
from linarite.doors.registry.content import INDEX, open_content
from linarite.doors.registry.index import IndexUnusable, look_at
from linarite.doors.registry.refused import refused
from linarite.doors.registry.routes import Limits, Visit
from linarite.doors.registry.tables import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from linarite.doors.registry.content import Content
    from linarite.doors.registry.front import Proof
    from linarite.doors.registry.messages import Answer, Request
    from linarite.doors.registry.routes import Found

log = structlog.get_logger(__name__)

DISCARDED = ".discarded-"
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
NO_TURN = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY}


class Embedded:
    """Keeps registries in the folders under `root`; processes may serve one root together."""

    routes = ROUTES

    def __init__(
        self,
        root: Path,
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        now: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self._root = root
        self._limits = limits
        self._now = now
        self._new_id = new_id
        self._contents: dict[str, asyncio.Task[Content]] = {}
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="registry-index")

    async def open(self) -> None:
        """Look at every registry that is there; it is opened when somebody asks for it.

        Raises:
            IndexUnusable: one of them cannot be used.
        """
        await asyncio.to_thread(_look_at_all, self._root)

    async def answer(self, found: Found, request: Request, proof: Proof) -> Answer:
        """Do what was asked.

        Raises:
            Refused: it is not done; 503 where the disk is full, another process keeps the index to itself, or it is
                none, or a later release's.
        """
        try:
            content = await self._content(proof.grant.place)
            return await found.operation(Visit(request, proof, content, self._limits, found.parts))
        except IndexUnusable as unusable:
            log.error("registry.unusable", error=str(unusable))  # noqa: TRY400 - its file is at fault, not a line of ours
            raise refused("UNAVAILABLE") from unusable
        except (OSError, sqlite3.OperationalError) as error:
            full = isinstance(error, OSError) and error.errno in NO_ROOM
            busy = isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode in NO_TURN
            if not (full or busy):
                raise
            log.error("registry.no_room", error=str(error))  # noqa: TRY400 - the disk is at fault, not a line of ours
            raise refused("UNAVAILABLE", headers=[("Retry-After", "10")]) from error

    async def places(self) -> list[str]:
        """Those that have content."""
        return await asyncio.to_thread(_names, self._root)

    async def tend(self) -> None:
        """Give up abandoned uploads and collect what nothing needs."""
        for aside in self._root.glob(f"{DISCARDED}*"):  # a process was stopped in the middle of `discard`
            await asyncio.to_thread(shutil.rmtree, aside, ignore_errors=True)
        for name in await self.places():
            content = await self._content(name)
            await asyncio.to_thread(content.uploads.expire, self._now() - self._limits.upload_life)
            collected = await collect(content, self._limits.grace)
            if collected.files:
                log.info("registry.collected", registry=name, files=collected.files, bytes=collected.bytes)

    async def discard(self, place: str) -> None:
        """Remove the content of a place, after nobody is let in any more."""
        task = self._contents.pop(place, None)
        if task is not None:
            await (await task).index.close()
        aside = self._root / f"{DISCARDED}{self._new_id()}"
        with contextlib.suppress(FileNotFoundError):
            (self._root / place).rename(aside)
            await asyncio.to_thread(shutil.rmtree, aside)

    async def close(self) -> None:
        """Close every file."""
        for task in self._contents.values():
            await (await task).index.close()
        self._contents.clear()
        self._writer.shutdown()

    async def _content(self, place: str) -> Content:
        """The open content of a place."""
        task = self._contents.get(place)
        if task is None:
            task = asyncio.create_task(open_content(self._root / place, self._writer, self._now))
            self._contents[place] = task
        try:
            return await asyncio.shield(task)
        except Exception:
            if self._contents.get(place) is task:
                del self._contents[place]  # so that the next request tries again
            raise


def _look_at_all(root: Path) -> None:
    for name in _names(root):
        look_at(root / name / INDEX)


def _names(root: Path) -> list[str]:
    try:
        return [path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except FileNotFoundError:
        return []
