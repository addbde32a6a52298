"""Collection: giving back the space of blobs that nothing needs any more.

Mark and sweep, beside running requests. A blob that no manifest of a repository refers to leaves that repository, and a
file that no repository has leaves the disk, in both cases only after a period of grace. Whoever pushes blobs first and
their manifest later, or finds a blob already there and does not push it, has that long. This module knows no HTTP.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from linarite.doors.registry.content import ALGORITHMS

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from linarite.doors.registry.content import Content

BATCH = 200
"""Files that are looked at in one transaction: requests that write wait for it."""

_RELEASE = """
DELETE FROM blob WHERE seen < ? AND NOT EXISTS (
    SELECT 1 FROM reference WHERE reference.repository = blob.repository AND reference.blob = blob.digest)
"""
_EMPTY = """
DELETE FROM repository WHERE updated < ?
AND NOT EXISTS (SELECT 1 FROM manifest WHERE manifest.repository = repository.id)
AND NOT EXISTS (SELECT 1 FROM blob WHERE blob.repository = repository.id)
"""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collection found."""

    released: int
    """Times that a blob left a repository."""
    files: int
    bytes: int


async def collect(content: Content, grace: float) -> Collected:
    """Give back what has not been needed for `grace` seconds."""
    before = content.stamp(grace)
    released = await content.index.write(lambda connection: connection.execute(_RELEASE, (before,)).rowcount)
    files = size = 0
    found = await asyncio.to_thread(_blob_files, content)
    for start in range(0, len(found), BATCH):
        sweep = partial(_sweep, content=content, paths=found[start : start + BATCH], grace=grace)
        removed = await content.index.write(sweep)
        files += len(removed)
        size += sum(removed)
    await content.index.write(lambda connection: connection.execute(_EMPTY, (before,)))
    return Collected(released, files, size)


def _blob_files(content: Content) -> list[Path]:
    return [path for algorithm in ALGORITHMS for path in (content.folder / "blobs" / algorithm).iterdir()]


def _sweep(connection: sqlite3.Connection, content: Content, paths: list[Path], grace: float) -> list[int]:
    """Remove files that no repository has, and return their sizes.

    Inside a transaction: a blob is moved to its place inside one too, so none comes back between look and removal.
    """
    sizes = []
    for path in paths:
        digest = f"{path.parent.name}:{path.name}"
        try:
            status = path.stat()
        except FileNotFoundError:  # another process collects too
            continue
        if status.st_ctime > content.now() - grace:
            continue
        if connection.execute("SELECT 1 FROM blob WHERE digest = ?", (digest,)).fetchone() is None:
            path.unlink()
            sizes.append(status.st_size)
    return sizes
