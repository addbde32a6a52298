"""Uploads on their own: digests that have to be found out again, and threads that are not left behind."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING

import pytest

from linarite.doors.registry import uploads
from linarite.doors.registry.names import Repository, digest_of
from linarite.doors.registry.refused import Refused
from linarite.doors.registry.uploads import Uploads
from tests.doors.registry.house import noise

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

APP = Repository("app")
CONTENT = noise(300_000)


async def pieces(*contents: bytes) -> AsyncIterator[bytes]:
    for content in contents:
        yield content


def test_uploads_that_take_turns_are_all_verified_though_few_digests_are_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "REMEMBERED", 1)

    async def main() -> None:
        folder = Uploads(tmp_path)
        ids = [folder.begin(APP) for _ in range(3)]
        for start in range(0, len(CONTENT), 100_000):
            for id_ in ids:
                with folder.hold(APP, id_) as held:
                    assert await folder.append(held, pieces(CONTENT[start : start + 100_000])) == 100_000
        for id_ in ids:
            with folder.hold(APP, id_) as held:
                await folder.finish(held, digest_of(CONTENT))
            assert folder.size(APP, id_) == len(CONTENT)

    asyncio.run(main())


def test_another_process_finishes_what_this_one_began_and_notices_what_does_not_fit(tmp_path: Path) -> None:
    async def main() -> None:
        first, second = Uploads(tmp_path), Uploads(tmp_path)
        id_ = first.begin(APP)
        with first.hold(APP, id_) as held:
            await first.append(held, pieces(CONTENT[:100_000]))
        with second.hold(APP, id_) as held:
            await second.append(held, pieces(CONTENT[100_000:200_000]))
        with first.hold(APP, id_) as held:  # what it remembers is not the digest of what is there
            await first.append(held, pieces(CONTENT[200_000:]))
            await first.finish(held, digest_of(CONTENT))

    asyncio.run(main())


def test_an_upload_that_is_finished_while_one_opens_it_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Uploads(tmp_path)
    id_ = folder.begin(APP)
    (path,) = tmp_path.glob("*/*")
    monkeypatch.setattr(uploads, "_lock", lambda _: path.unlink())
    with pytest.raises(Refused) as refusal, folder.hold(APP, id_):
        pass
    assert refusal.value.faults[0].code == "BLOB_UPLOAD_UNKNOWN"


def test_a_request_that_is_cancelled_waits_for_its_thread() -> None:
    may_end, ended = threading.Event(), threading.Event()

    def work() -> None:
        may_end.wait(20)
        ended.set()

    async def main() -> None:
        task = asyncio.create_task(uploads.to_the_end(work))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()

    asyncio.run(main())


def test_what_another_process_added_is_not_passed_over_at_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        first, second = Uploads(tmp_path), Uploads(tmp_path)
        id_ = first.begin(APP)
        with first.hold(APP, id_) as held:
            await first.append(held, pieces(CONTENT[:100_000]))
        with second.hold(APP, id_) as held:
            await second.append(held, pieces(CONTENT[100_000:]))
        with first.hold(APP, id_) as held, pytest.raises(Refused):
            await first.finish(held, digest_of(CONTENT[:100_000]))

    asyncio.run(main())


def test_a_blob_is_on_disk_before_it_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(
        "linarite.doors.registry.uploads.os.fsync", lambda handle: synced.append(os.fstat(handle).st_ino)
    )

    async def main() -> None:
        folder = Uploads(tmp_path)
        id_ = folder.begin(APP)
        with folder.hold(APP, id_) as held:
            await folder.append(held, pieces(CONTENT))
            assert synced == []
            await folder.finish(held, digest_of(CONTENT))
            assert synced == [held.path.stat().st_ino]

    asyncio.run(main())


def test_an_upload_that_goes_on_just_before_it_is_given_up_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Uploads(tmp_path)
    id_ = folder.begin(APP)
    (path,) = tmp_path.glob("*/*")
    os.utime(path, (0, 0))
    monkeypatch.setattr("linarite.doors.registry.uploads.fcntl.flock", lambda *_: os.utime(path))
    assert folder.expire(before=1000) == 0
    assert folder.size(APP, id_) == 0
    os.utime(path, (0, 0))
    monkeypatch.undo()
    assert folder.expire(before=1000) == 1
