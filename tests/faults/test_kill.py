"""kill -9 of processes that commit, at any moment: all they acknowledged is there, with its entry, in one chain."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
from sqlalchemy import select

from linarite.ids import ROOT
from linarite.model import Secret
from linarite.store import keyring, tables, trail
from linarite.store.database import Database
from linarite.store.gate import Gate
from linarite.store.memory import Memory
from linarite.store.migrations import bring_up
from tests.faults.committer import ROOT_KEY, TYPE

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from linarite.store.view import View

ROUNDS = 3
PROCESSES = 2
"""Processes that commit to the same database, and are killed at the same moment."""

LEAST = 30
"""Commits that a process has acknowledged before it may be killed."""

MOST_DELAY = 0.05
"""Seconds: the moment of the killing is drawn from so many."""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with every table and nothing in them."""
    sqlite = request.param == "sqlite"
    fresh: str = f"sqlite:///{tmp_path / 'linarite.db'}" if sqlite else request.getfixturevalue("postgres_url")
    bring_up(fresh)
    return fresh


def commit_until_killed(url: str, number: int, chance: random.Random) -> set[str]:
    """Run processes that commit, and kill them in the middle of it; the names that they acknowledged."""
    program = Path(__file__).with_name("committer.py")
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen([sys.executable, program, url, f"r{number}p{which}"], stdout=subprocess.PIPE)
            )
            for which in range(PROCESSES)
        ]
        said = [_output(process) for process in processes]
        acknowledged = {line for output in said for line in (output.readline() for _ in range(LEAST))}
        time.sleep(chance.uniform(0, MOST_DELAY))  # waits for nothing: any moment will do
        for process in processes:
            process.kill()
        acknowledged |= {line for output in said for line in output}
        assert [process.wait() for process in processes] == [-signal.SIGKILL] * PROCESSES
    # A line is written whole or not at all, since it is shorter than a pipe's atomic write.
    return {line.decode().removesuffix("\n") for line in acknowledged}


def _output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None
    return process.stdout


async def found(url: str) -> tuple[dict[str, Secret | None], set[str], int | None]:
    """What there is afterwards: names with their secrets, names that are on the trail, and where the trail breaks."""
    database = Database(url)
    gate = Gate(database, Memory(100), keyring.unwrapped(database, ROOT_KEY))

    def recorded(connection: Connection) -> tuple[set[str], int | None]:
        names = {entry.request for _, entry in trail.entries(connection, 0, 1_000_000)}
        return names, trail.first_broken(connection)

    def kept(view: View) -> dict[str, Secret | None]:
        names = view.connection().execute(select(tables.resources.c.name)).scalars()
        return {name: view.secrets(ROOT.child(TYPE, name).key).get("key") for name in names}

    things, _ = await gate.look(kept)
    names, broken = await database.read(recorded)
    await gate.close()
    return things, names, broken


def test_nothing_that_was_acknowledged_is_lost_when_processes_are_killed(url: str) -> None:
    seed = random.SystemRandom().getrandbits(32)
    chance = random.Random(seed)  # noqa: S311 - draws moments, no keys
    acknowledged: set[str] = set()
    for number in range(ROUNDS):
        acknowledged |= commit_until_killed(url, number, chance)
        things, names, broken = asyncio.run(found(url))
        assert acknowledged <= things.keys(), seed
        assert all(things[name] == Secret(name) for name in things), "a thing and its secret are one commit"
        assert names == things.keys(), "a thing and its entry are one commit"
        assert broken is None, seed
    assert len(acknowledged) >= ROUNDS * PROCESSES * LEAST
