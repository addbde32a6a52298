"""Entries that the event loop itself commits on SQLite, and when the thread does so; and the log that comes home."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from linarite.store import database as databases
from linarite.store import gate as gates
from linarite.store import sqlite
from tests.store.site import commits, found_group, recorded

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.store.site import Site


@pytest.fixture
def threaded(sqlite_site: Site, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Collects one item for every batch that goes to the thread that writes."""
    seen: list[object] = []
    database = sqlite_site.gate.database
    write = database.write

    async def noted(work: Callable[[], Any]) -> Any:
        seen.append(work)
        return await write(work)

    monkeypatch.setattr(database, "write", noted)
    return seen


def record(site: Site, times: int = 1) -> None:
    for _ in range(times):
        site.run(site.gate.record(recorded(None)))


def path_of(site: Site) -> Path:
    return Path(site.url.removeprefix("sqlite:///"))


def test_entries_alone_are_committed_without_a_change_of_thread(
    sqlite_site: Site, threaded: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_QUICK", 60)
    record(sqlite_site, 3)
    assert threaded == []
    sqlite_site.commit(found_group)
    assert len(threaded) == 1
    assert len(sqlite_site.entries()) == 4
    assert sqlite_site.first_broken() is None


def test_after_a_slow_commit_the_thread_writes_for_a_while(
    sqlite_site: Site, threaded: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "_QUICK", -1)
    record(sqlite_site, 12)
    assert len(threaded) == 8, "the first was tried here, and the 3rd, the 6th and the 11th"
    monkeypatch.setattr(databases, "_QUICK", 60)
    record(sqlite_site, 10)
    threaded.clear()
    record(sqlite_site, 10)
    assert threaded == []


def test_where_few_come_together_those_on_their_way_are_waited_for(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = sqlite_site.gate
    late: list[asyncio.Future[None]] = []

    def come_late(_: float) -> None:
        late.append(asyncio.ensure_future(gate.record(recorded(None))))

    async def together() -> None:
        for _ in range(50):
            await asyncio.gather(*(gate.record(recorded(None)) for _ in range(4)))
        monkeypatch.setattr(gates, "sleep", come_late)
        with commits(gate) as made:
            await gate.record(recorded(None))
        await asyncio.gather(*late)
        assert (len(late), len(made)) == (3, 1)

    sqlite_site.run(together())
    assert len(sqlite_site.entries()) == 204


@pytest.mark.parametrize("held_long", [False, True])
def test_the_event_loop_goes_on_while_somebody_else_writes(
    sqlite_site: Site, threaded: list[object], *, held_long: bool
) -> None:
    async def while_it_is_held() -> None:
        with contextlib.closing(sqlite.Turn(str(path_of(sqlite_site)))) as turn:
            with turn.taken():
                waiting = asyncio.ensure_future(sqlite_site.gate.record(recorded(None)))
                for _ in range(100):
                    await asyncio.sleep(0)
                await sqlite_site.gate.look(lambda _: None)
                assert not waiting.done()
                while held_long and not threaded:  # noqa: ASYNC110 - each turn lets the gate try again
                    await asyncio.sleep(0)
            await waiting

    sqlite_site.run(while_it_is_held())
    assert len(sqlite_site.entries()) == 1


class Deaf:
    """A connection that commits, and then cannot say so."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, *parameters: Any) -> Any:
        cursor = self._connection.execute(statement, *parameters)
        if statement == "COMMIT":
            raise sqlite3.OperationalError("disk I/O error")
        return cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def test_a_commit_whose_answer_was_lost_is_not_made_again_by_the_thread(
    sqlite_site: Site, threaded: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = sqlite_site.gate.database
    monkeypatch.setattr(database, "here", Deaf(database.here))
    record(sqlite_site)
    assert len(threaded) == 1
    assert len(sqlite_site.entries()) == 1
    assert sqlite_site.first_broken() is None


def test_a_commit_that_failed_here_is_made_by_the_thread(
    sqlite_site: Site, threaded: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise sqlite3.OperationalError("disk I/O error")

    real = sqlite_site.gate.database.here
    deaf = Deaf(real)
    monkeypatch.setattr(sqlite_site.gate.database, "here", deaf)
    monkeypatch.setattr(deaf, "execute", broken, raising=False)
    record(sqlite_site, 2)
    assert len(threaded) == 2
    assert len(sqlite_site.entries()) == 2


# ── the write-ahead log ─────────────────────────────────────────────────────────────────────────────────────────────


def generation(site: Site) -> bytes:
    """The salt of the log, which is another one each time that the log begins again ("WAL File Format", 4.1)."""
    with Path(f"{path_of(site)}-wal").open("rb") as log:
        return log.read(32)[16:24]


def test_the_log_comes_home_and_begins_again(sqlite_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_CHECKPOINT_AFTER", 5)
    record(sqlite_site)
    first = generation(sqlite_site)
    for _ in range(2000):
        record(sqlite_site)
        if generation(sqlite_site) != first:
            return
    pytest.fail("it only grows")
