"""What was acknowledged is on disk, what is too old or too much goes, and nothing else does."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from linarite.doors.telemetry import JournalUnusable, Retention, TelemetryDoor, file
from linarite.doors.telemetry.asked import Asked, microseconds
from linarite.doors.telemetry.file import Row
from linarite.doors.telemetry.journal import Journal
from tests.doors.blob.loop import eventually
from tests.doors.telemetry.conftest import APP, KEY, OTHER_APP, envelope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.doors.blob.loop import Run
    from tests.doors.telemetry.conftest import Served

EVERYTHING = Asked(top=10_000)
NOW = microseconds(datetime(2031, 5, 17, tzinfo=UTC))
DAY = 86_400_000_000


def row(text: str, received: int = NOW, app_id: str = APP, size: int = 0) -> Row:
    return Row(app_id, "trace", received, None, received, text.encode().ljust(size))


def names(journal: Journal, run: Run, app_id: str = APP) -> list[str]:
    bodies = run(journal.select(app_id, None, EVERYTHING))
    return sorted(body.decode().strip() for body in bodies)


@pytest.fixture
def journal(run: Run, tmp_path: Path, retention: Retention) -> Iterator[Journal]:
    journal = Journal(tmp_path / "telemetry.sqlite", retention)
    run(journal.open())
    yield journal
    run(journal.close())


def test_what_is_kept_is_there_after_opening_again(run: Run, tmp_path: Path) -> None:
    for text in ("first", "second"):
        journal = Journal(tmp_path / "kept" / "telemetry.sqlite", Retention())
        run(journal.open())
        run(journal.append([row(text)]))
        run(journal.close())
    journal = Journal(tmp_path / "kept" / "telemetry.sqlite", Retention())
    run(journal.open())
    assert names(journal, run) == ["first", "second"]
    run(journal.close())


def test_a_process_that_is_killed_loses_nothing_it_acknowledged(run: Run, tmp_path: Path) -> None:
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path), KEY, APP], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    origin = server.stdout.readline().strip()
    time = datetime.now(UTC)
    with ThreadPoolExecutor(8) as clients:

        def send(number: int) -> int:
            item = envelope(time, "MessageData", {"message": f"m{number}"})
            return httpx.post(f"{origin}/v2/track", json=item).status_code

        assert set(clients.map(send, range(40))) == {200}
    server.kill()
    server.wait()
    server.stdout.close()
    journal = Journal(tmp_path / "telemetry.sqlite", Retention())
    run(journal.open())
    assert len(run(journal.select(APP, None, EVERYTHING))) == 40
    run(journal.close())


SERVER = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4
from linarite.doors.telemetry import Component, TelemetryDoor
from linarite.listener import Listener

folder, key, app = sys.argv[1:]

class Desk:
    def component_of(self, asked):
        return Component(app, "insights") if asked == key else None

async def main():
    door = TelemetryDoor(Path(folder), Desk(), now=lambda: datetime.now(UTC), new_id=lambda: str(uuid4()))
    await door.start()
    listener = Listener(door, "127.0.0.1")
    await listener.start()
    print(listener.origin, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


def test_commits_reach_the_disk_before_they_return(journal: Journal, run: Run) -> None:
    """FULL is what makes SQLite sync its log at each commit; a power cut cannot be had in a test."""

    async def pragma(name: str) -> object:
        def read(writer: sqlite3.Connection) -> object:
            return writer.execute(f"PRAGMA {name}").fetchone()[0]

        return await asyncio.get_running_loop().run_in_executor(journal._writing, read, journal._writer)

    assert (run(pragma("journal_mode")), run(pragma("synchronous"))) == ("wal", 2)


def test_batches_that_arrive_together_share_a_commit(
    journal: Journal, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[int] = []
    insert = file.insert

    def counted(connection: sqlite3.Connection, rows: list[Row]) -> None:
        commits.append(len(rows))
        insert(connection, rows)

    monkeypatch.setattr(file, "insert", counted)

    async def at_once() -> None:
        await asyncio.gather(*(journal.append([row(f"{number:02}")]) for number in range(50)))

    run(at_once())
    assert len(names(journal, run)) == sum(commits) == 50
    assert len(commits) <= 2


def test_a_batch_is_kept_whole_or_not_at_all(journal: Journal, run: Run) -> None:
    broken = row("broken")._replace(app_id=None)  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError):
        run(journal.append([row("good"), broken]))
    assert names(journal, run) == []
    run(journal.append([row("next")]))
    assert names(journal, run) == ["next"]


def test_what_was_received_too_long_ago_goes(journal: Journal, run: Run) -> None:
    run(journal.append([row("old", NOW - 31 * DAY), row("young", NOW - 29 * DAY)]))
    run(journal.prune(NOW))
    assert names(journal, run) == ["young"]


@pytest.mark.parametrize("retention", [Retention(size=4 << 20)])
def test_of_too_much_the_oldest_goes_without_being_asked(journal: Journal, run: Run, tmp_path: Path) -> None:
    for number in range(8):
        run(journal.append([row(f"{number}-{part:03}", size=10_000) for part in range(100)]))
    kept = names(journal, run)
    assert kept[-1] == "7-099"
    assert 0 < len(kept) < 500
    run(journal.prune(NOW))
    assert (tmp_path / "telemetry.sqlite").stat().st_size <= 5 << 20


def test_a_file_gives_back_the_room_of_what_went(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "telemetry.sqlite"
    for retention in (Retention(), Retention(size=1 << 20)):
        journal = Journal(path, retention)
        run(journal.open())
        run(journal.append([row(str(number), size=10_000) for number in range(400)]))
        run(journal.prune(NOW))
        run(journal.close())
    assert path.stat().st_size <= 2 << 20


@pytest.mark.parametrize("retention", [Retention(size=1 << 20)])
def test_pruning_is_not_done_at_every_commit(journal: Journal, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    pruned: list[int] = []
    prune = file.prune

    def counted(connection: sqlite3.Connection, received_before: int, largest: int) -> None:
        pruned.append(received_before)
        prune(connection, received_before, largest)

    monkeypatch.setattr(file, "prune", counted)
    for number in range(20):
        run(journal.append([row(str(number), size=10_000)]))
    assert len(pruned) == 2  # at every sixteenth of the size


def test_what_had_arrived_when_it_was_closed_is_kept(run: Run, tmp_path: Path) -> None:
    async def close_amid() -> list[None]:
        journal = Journal(tmp_path / "telemetry.sqlite", Retention())
        await journal.open()
        first = asyncio.create_task(journal.append([row("first")]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the first is being committed, so that the second must wait
        second = asyncio.create_task(journal.append([row("second")]))
        await asyncio.sleep(0)
        await journal.close()
        return await asyncio.gather(first, second)

    run(close_amid())
    assert _count(tmp_path / "telemetry.sqlite") == 2


@pytest.mark.parametrize("retention", [Retention(size=1)])
def test_a_limit_below_an_empty_file_ends_all_the_same(journal: Journal, run: Run) -> None:
    run(journal.append([row("x")]))
    run(journal.prune(NOW))
    assert names(journal, run) == []


@pytest.mark.parametrize("retention", [Retention(age=timedelta(hours=1))])
def test_the_door_prunes_when_it_is_started(served: Served, run: Run, tmp_path: Path) -> None:
    served.track([served.message("old")])
    assert len(served.events()) == 1
    served.clock.now += timedelta(hours=2)
    second = TelemetryDoor(
        tmp_path, served.desk, now=served.clock, new_id=str, retention=Retention(age=timedelta(hours=1))
    )
    run(second.start())
    eventually(lambda: _count(tmp_path / "telemetry.sqlite") == 0)
    run(second.stop())


def test_a_component_that_is_forgotten_leaves_its_neighbour_alone(journal: Journal, run: Run) -> None:
    run(journal.append([row("mine"), row("theirs", app_id=OTHER_APP)]))
    run(journal.forget(APP))
    assert (names(journal, run), names(journal, run, OTHER_APP)) == ([], ["theirs"])


def test_the_door_forgets_a_component(served: Served) -> None:
    served.track([served.message("x")])
    served.run(served.door.forget(APP))
    assert served.events() == []


def test_a_sender_that_gave_up_keeps_nobody_else_waiting(journal: Journal, run: Run) -> None:
    async def give_up() -> None:
        lost = asyncio.create_task(journal.append([row("lost")]))
        await asyncio.sleep(0)
        lost.cancel()
        await journal.append([row("kept")])

    run(give_up())
    assert "kept" in names(journal, run)


def test_the_file_is_for_its_user_alone(journal: Journal, run: Run, tmp_path: Path) -> None:
    run(journal.append([row("x")]))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("telemetry.sqlite*")}
    assert modes == {0o600}
    folder = tmp_path / "made"
    other = Journal(folder / "telemetry.sqlite", Retention())
    run(other.open())
    run(other.close())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_that_is_no_database_is_said_in_a_sentence(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "telemetry.sqlite"
    path.write_text("this is no database, and long enough to be told from an empty one" * 20)
    journal = Journal(path, Retention())
    with pytest.raises(JournalUnusable, match=f"^The telemetry door cannot use {path}: file is not a database\\.$"):
        run(journal.open())
    run(journal.close())


def test_a_journal_that_is_closed_refuses_and_does_not_hang(run: Run, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "telemetry.sqlite", Retention())
    run(journal.open())
    run(journal.close())
    with pytest.raises(sqlite3.ProgrammingError, match="The telemetry journal is closed"):
        run(journal.append([row("late")]))
    with pytest.raises(sqlite3.ProgrammingError):
        run(journal.select(APP, None, EVERYTHING))


def _count(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM event").fetchone()[0])
    finally:
        connection.close()
