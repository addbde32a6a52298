"""The registry door: one RSGI application in front of every container registry of an instance.

Which registry a request is for follows from who makes it: the admin user's name is the registry's, and tokens carry it.
Here the parts come together: the front lets in, the tables find the operation, and whatever goes wrong becomes an
answer in the registry's envelope.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import re
import shutil
import sqlite3
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from linarite.doors.registry import oauth
from linarite.doors.registry.collection import collect
from linarite.doors.registry.content import open_content
from linarite.doors.registry.front import Front
from linarite.doors.registry.messages import JSON, SILENT, Answer, Request, send
from linarite.doors.registry.refused import Refused, refused
from linarite.doors.registry.routes import Limits, Visit, find
from linarite.doors.registry.tables import ROUTES
from linarite.doors.registry.tokens import Mint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from linarite.doors.registry.content import Content
    from linarite.doors.registry.desk import Desk

log = structlog.get_logger(__name__)

EXPOSED = ("Docker-Content-Digest", "WWW-Authenticate", "Link", "X-Ms-Correlation-Request-Id")
DISCARDED = ".discarded-"
NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
NO_TURN = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY}

_CLIENT_ID = re.compile(r"[!-~]{1,100}")


class RegistryDoor:
    """Serves the registries whose content is in the folders under `root`.

    >>> door = RegistryDoor(desk, root, key=os.urandom(32))
    >>> listener = Listener(door, "127.0.0.1", 0)
    """

    def __init__(
        self,
        desk: Desk,
        root: Path,
        *,
        key: bytes,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        now: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        """`key`: 32 random bytes that sign the tokens; a new one at every start costs clients a new sign-in.

        Processes that serve one root together must share it.
        """
        self._desk = desk
        self._root = root
        self._limits = limits
        self._now = now
        self._new_id = new_id
        self._front = Front(desk, Mint(key, now=now, new_id=new_id))
        self._contents: dict[str, asyncio.Task[Content]] = {}
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="registry-index")

    async def __call__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        request: Request | None = None
        correlation = self._new_id()
        try:
            request = Request(scope, protocol, self._limits.patience)
            answer = await self._answer(request)
        except Refused as refusal:
            answer = await _refuse(request, refusal)
        except Exception as error:  # noqa: BLE001 - a client is told nothing of a defect, the log everything
            answer = await _refuse(request, _failed(error, correlation))
        send(protocol, scope.method, self._with_common_headers(answer, scope, correlation))

    async def tend(self) -> None:
        """Give up abandoned uploads and collect what nothing needs; to be called now and then, by one at a time."""
        for aside in self._root.glob(f"{DISCARDED}*"):  # a process was stopped in the middle of `discard`
            await asyncio.to_thread(shutil.rmtree, aside, ignore_errors=True)
        for name in await asyncio.to_thread(_names, self._root):
            content = await self._content(name)
            await asyncio.to_thread(content.uploads.expire, self._now() - self._limits.upload_life)
            collected = await collect(content, self._limits.grace)
            if collected.files:
                log.info("registry.collected", registry=name, files=collected.files, bytes=collected.bytes)

    async def discard(self, registry: str) -> None:
        """Remove a registry's content for good, after the desk has stopped letting anyone in."""
        name = registry.lower()
        task = self._contents.pop(name, None)
        if task is not None:
            await (await task).index.close()
        aside = self._root / f"{DISCARDED}{self._new_id()}"
        with contextlib.suppress(FileNotFoundError):
            (self._root / name).rename(aside)
            await asyncio.to_thread(shutil.rmtree, aside)

    async def close(self) -> None:
        """Close every file, after the listener has stopped."""
        for task in self._contents.values():
            await (await task).index.close()
        self._contents.clear()
        self._writer.shutdown()

    async def _answer(self, request: Request) -> Answer:
        if request.path in {oauth.TOKEN, oauth.EXCHANGE}:
            return await oauth.answer(self._front, request)
        found = find(ROUTES, request)
        proof = await self._front.admit(request, found.needed)
        visit = Visit(request, proof, await self._content(proof.credential.registry), self._limits, found.parts)
        try:
            return await found.operation(visit)
        except Refused as refusal:
            if refusal.locked:
                await self._front.turn_away("locked", request, found.needed, credential=proof.credential)
            raise

    async def _content(self, registry: str) -> Content:
        """The open content of a registry; its name is the same in any case, as all of Azure's names are."""
        name = registry.lower()
        task = self._contents.get(name)
        if task is None:
            task = asyncio.create_task(open_content(self._root / name, self._writer, self._now))
            self._contents[name] = task
        try:
            return await asyncio.shield(task)
        except Exception:
            if self._contents.get(name) is task:
                del self._contents[name]  # so that the next request tries again
            raise

    def _with_common_headers(self, answer: Answer, scope: Any, correlation: str) -> Answer:
        """Azure's registry also sends Strict-Transport-Security; for `localhost` it would reach every other port."""
        common = [
            ("Docker-Distribution-Api-Version", "registry/2.0"),
            ("X-Content-Type-Options", "nosniff"),
            ("X-Ms-Correlation-Request-Id", correlation),
            *(("Access-Control-Expose-Headers", name) for name in EXPOSED),
        ]
        client_id = scope.headers.get("x-ms-client-request-id")
        if client_id and _CLIENT_ID.fullmatch(client_id):
            common.append(("X-Ms-Client-Request-Id", client_id))
        return replace(answer, headers=[*answer.headers, *common])


async def _refuse(request: Request | None, refusal: Refused) -> Answer:
    if request is not None and refusal.status != SILENT:
        await request.drain()
    return Answer(refusal.status, [("Content-Type", JSON), *refusal.headers], refusal.body())


def _failed(error: Exception, correlation: str) -> Refused:
    """What the client hears of something that is not its fault."""
    full = isinstance(error, OSError) and error.errno in NO_ROOM
    busy = isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode in NO_TURN
    if full or busy:
        log.error("registry.no_room", error=str(error), correlation=correlation)
        return refused("UNAVAILABLE", headers=[("Retry-After", "10")])
    log.error("registry.failed", correlation=correlation, exc_info=error)
    return refused("UNKNOWN", {"correlationId": correlation})


def _names(root: Path) -> list[str]:
    """Registries that have content."""
    try:
        return [path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except FileNotFoundError:
        return []
