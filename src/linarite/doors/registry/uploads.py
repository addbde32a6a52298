"""Uploads: blobs of one registry that are on their way, resumable until they are finished, cancelled or too old.

An upload is a file; its size is how far the client has come, so nothing of its state is lost with the process. The
digest is computed while the bytes come in. Where another process, or another algorithm, takes over, the file is read
once more at the end. This module knows no index: what becomes of a finished file is not its affair.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from linarite.doors.registry.names import algorithm, finished
from linarite.doors.registry.refused import refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from hashlib import _Hash as Hash
    from pathlib import Path

    from linarite.doors.registry.names import Digest, Repository

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

BATCH = 1024 * 1024
"""Bytes that are gathered before they are written and hashed, in a thread: fewer are not worth the way there."""

REMEMBERED = 1000
"""Unfinished digests that are kept in memory."""

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(slots=True)
class Held:
    """An upload that this request alone may change, while it holds it."""

    id: str
    path: Path
    handle: int
    size: int


@dataclass(frozen=True, slots=True)
class _Running:
    hash: Hash
    size: int


class Uploads:
    """The folder of unfinished uploads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: OrderedDict[str, _Running] = OrderedDict()

    def begin(self, repository: Repository) -> str:
        """Start an upload and return its id. It is for this repository only."""
        id_ = str(uuid.uuid4())
        path = self._path(repository, id_)
        path.parent.mkdir(exist_ok=True)
        path.touch(exist_ok=False)
        return id_

    def size(self, repository: Repository, id_: str) -> int:
        """Bytes received so far.

        Raises:
            Refused: there is no such upload.
        """
        try:
            return self._path(repository, id_).stat().st_size
        except FileNotFoundError:
            raise refused("BLOB_UPLOAD_UNKNOWN") from None

    @contextlib.contextmanager
    def hold(self, repository: Repository, id_: str) -> Iterator[Held]:
        """Keep others, in this process and in any other, from changing the upload.

        Raises:
            Refused: there is no such upload, or another request is busy with it.
        """
        path = self._path(repository, id_)
        try:
            handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError:
            raise refused("BLOB_UPLOAD_UNKNOWN") from None
        try:
            _lock(handle)
            if not path.exists():  # finished after it was opened here
                raise refused("BLOB_UPLOAD_UNKNOWN")
            yield Held(id_, path, handle, os.fstat(handle).st_size)
        finally:
            os.close(handle)

    async def append(self, held: Held, pieces: AsyncIterator[bytes], algorithm_name: str = "sha256") -> int:
        """Add what comes in to the upload, and return how many bytes that were.

        What has come in stays, also when the stream breaks: the client may go on from there.
        """
        running = self._take_running(held, algorithm_name)
        before = held.size
        batch: list[bytes] = []
        waiting = 0
        try:
            async for piece in pieces:
                batch.append(piece)
                waiting += len(piece)
                if waiting >= BATCH:
                    full, batch, waiting = batch, [], 0
                    await to_the_end(_keep, held, full, running)
        finally:
            await to_the_end(_keep, held, batch, running)
            if running is not None:
                self._remember(held, running)
        return held.size - before

    async def finish(self, held: Held, digest: Digest) -> None:
        """Verify the upload and make it durable. The file is then the caller's, to be moved away while held.

        Raises:
            Refused: it is not what the digest says; then it is gone.
        """
        running = self._running.pop(held.id, None)
        if running is not None and running.size == held.size and running.hash.name == algorithm(digest):
            actual = finished(running.hash)
        else:
            actual = await asyncio.to_thread(_read_digest, held.path, algorithm(digest))
        if actual != digest:
            await self.cancel(held)
            raise refused("DIGEST_INVALID", {"digest": digest})
        await to_the_end(os.fsync, held.handle)

    def shorten(self, held: Held, size: int) -> None:
        """Take back what was appended after `size`."""
        os.ftruncate(held.handle, size)
        held.size = size
        self._running.pop(held.id, None)

    async def cancel(self, held: Held) -> None:
        """Forget the upload and what came in of it."""
        self._running.pop(held.id, None)
        await asyncio.to_thread(held.path.unlink)

    def expire(self, before: float) -> int:
        """Remove uploads to which nothing was added since `before` (seconds since 1970); return how many.

        Those that a request holds are left alone; and only old ones are held here, or a request would find its upload
        busy.
        """
        old = [path for path in self._folder.glob("*/*") if _is_old(path, before)]
        return sum(_remove_if_old(path, before) for path in old)

    def _path(self, repository: Repository, id_: str) -> Path:
        """A repository's uploads have a folder of their own, so an id is not found under another repository."""
        if not _ID.fullmatch(id_):
            raise refused("BLOB_UPLOAD_UNKNOWN")
        return self._folder / hashlib.sha256(repository.encode()).hexdigest()[:32] / id_

    def _take_running(self, held: Held, algorithm_name: str) -> Hash | None:
        """The digest so far, or None where it is not known and the file has to be read at the end."""
        if held.size == 0:
            return hashlib.new(algorithm_name)
        running = self._running.pop(held.id, None)
        return running.hash if running is not None and running.size == held.size else None

    def _remember(self, held: Held, running: Hash) -> None:
        self._running[held.id] = _Running(running, held.size)
        while len(self._running) > REMEMBERED:
            self._running.popitem(last=False)


async def to_the_end(
    work: Callable[Parameters, Result], /, *arguments: Parameters.args, **named: Parameters.kwargs
) -> Result:
    """Like `asyncio.to_thread`, but cancelling waits for the thread: its file must not be closed under it."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments, **named))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _lock(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        message = "another request is writing to this upload"
        raise refused("BLOB_UPLOAD_INVALID", status=409, message=message) from None


def _is_old(path: Path, before: float) -> bool:
    try:
        return path.stat().st_mtime < before
    except FileNotFoundError:
        return False


def _remove_if_old(path: Path, before: float) -> bool:
    with contextlib.suppress(FileNotFoundError, BlockingIOError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_old(path, before):
            path.unlink()
            return True
    return False


def _keep(held: Held, batch: list[bytes], running: Hash | None) -> None:
    for piece in batch:
        rest = memoryview(piece)
        while rest:
            written = os.write(held.handle, rest)
            if running is not None:
                running.update(rest[:written])
            held.size += written
            rest = rest[written:]


def _read_digest(path: Path, algorithm_name: str) -> Digest:
    with path.open("rb") as file:
        return finished(hashlib.file_digest(file, algorithm_name))
