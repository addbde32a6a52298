"""One registry's content: a folder with an index, the blobs by digest, and the uploads that are on their way.

    <folder>/index.sqlite            repositories, manifests, tags, and which repository has which blob
    <folder>/blobs/sha256/<digits>   whole and verified, shared by all repositories of the registry
    <folder>/uploads/…               not yet either

This module lays out the folder; the modules beside it say what changes.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from linarite.doors.registry.index import Index, unusable
from linarite.doors.registry.names import algorithm, hexadecimal
from linarite.doors.registry.uploads import Uploads
from linarite.whole import sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from pathlib import Path

    from linarite.doors.registry.names import Digest

ALGORITHMS = ("sha256", "sha512")
INDEX = "index.sqlite"


@dataclass(frozen=True, slots=True)
class Content:
    """An open registry."""

    folder: Path
    index: Index
    uploads: Uploads
    now: Callable[[], float]

    def blob_path(self, digest: Digest) -> Path:
        """Where the blob is, or would be."""
        return self.folder / "blobs" / algorithm(digest) / hexadecimal(digest)

    def stamp(self, age: float = 0.0) -> str:
        """The time `age` seconds ago."""
        return stamp(self.now() - age)


def stamp(seconds: float) -> str:
    """A time as Azure's registry writes it, to a tenth of a microsecond: such texts sort as the times do."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


async def open_content(folder: Path, writer: Executor, now: Callable[[], float]) -> Content:
    """Open the registry in `folder`, making it where there is none. `writer` has one thread.

    Raises:
        IndexUnusable: something else lies there.
    """
    await asyncio.to_thread(_lay_out, folder)
    index = Index(folder / INDEX, writer)
    await index.open()
    return Content(folder, index, Uploads(folder / "uploads"), now)


def _lay_out(folder: Path) -> None:
    for name in ("uploads", *(f"blobs/{known}" for known in ALGORITHMS)):
        try:
            (folder / name).mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise unusable(folder / name, "a file is in the way") from error
    for made in (folder.parent, folder, folder / "blobs"):
        sync_folder(made)
