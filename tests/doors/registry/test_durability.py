"""What makes an acknowledged change outlive a power failure, as far as a test can see it: what is synced, and when."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from linarite.doors.registry import blobs, content
from linarite.doors.registry.names import Repository, digest_of
from linarite.doors.registry.refused import Refused, refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from linarite.doors.registry.content import Content

APP = Repository("app")
CONTENT = b"the content of a blob"
DIGEST = digest_of(CONTENT)


@contextlib.asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Content]:
    with ThreadPoolExecutor(1) as writer:
        registry = await content.open_content(folder, writer, lambda: 0.0)
        yield registry
        await registry.index.close()


def blobs_that_are_committed(registry: Content) -> int:
    with contextlib.closing(sqlite3.connect(registry.folder / "index.sqlite")) as other:
        (count,) = other.execute("SELECT count(*) FROM blob").fetchone()
        return int(count)


def test_the_folder_of_a_blob_is_synced_after_the_move_and_before_the_blob_is_visible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[bool, int]] = []

    async def main() -> None:
        async with opened(tmp_path / "registry") as registry:
            path = registry.blob_path(DIGEST)
            folder = path.parent.stat().st_ino

            def fsync(handle: int) -> None:
                if os.fstat(handle).st_ino == folder:
                    seen.append((path.exists(), blobs_that_are_committed(registry)))

            monkeypatch.setattr("linarite.whole.os.fsync", fsync)
            file = tmp_path / "upload"
            file.write_bytes(CONTENT)
            await blobs.place(registry, APP, DIGEST, file, len(CONTENT))
            assert blobs_that_are_committed(registry) == 1

    asyncio.run(main())
    assert seen == [(True, 0)]


def test_every_transaction_is_synced_and_reading_goes_on_beside_writing(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path / "registry") as registry:

            def modes(connection: sqlite3.Connection) -> list[object]:
                names = ("synchronous", "journal_mode", "foreign_keys")
                return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

            assert await registry.index.write(modes) == [2, "wal", 1]

    asyncio.run(main())


def test_a_unit_that_fails_changes_nothing_and_the_next_one_runs(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path / "registry") as registry:

            def fails(connection: sqlite3.Connection) -> None:
                blobs.writable(connection, APP, registry.stamp())
                raise refused("NAME_UNKNOWN")

            with pytest.raises(Refused):
                await registry.index.write(fails)
            assert registry.index.rows("SELECT * FROM repository") == []
            assert await registry.index.write(lambda _: "done") == "done"

    asyncio.run(main())


def test_two_processes_that_open_a_new_registry_at_once_both_can(tmp_path: Path) -> None:
    async def main() -> None:
        folder, file = tmp_path / "registry", tmp_path / "upload"
        file.write_bytes(CONTENT)
        with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
            one, two = await asyncio.gather(
                *(content.open_content(folder, writer, lambda: 0.0) for writer in (first, second))
            )
            await blobs.place(one, APP, DIGEST, file, len(CONTENT))
            assert blobs.find(two, APP, DIGEST).size == len(CONTENT)
            await one.index.close()
            await two.index.close()

    asyncio.run(main())
