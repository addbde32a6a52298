"""The private PostgreSQL of tests/postgres.py keeps what it says: fresh databases, durable, and gone afterwards."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from tests.postgres import Cluster, find_programs

if TYPE_CHECKING:
    from collections.abc import Iterator

GOES_AWAY_WITHIN = 30.0

ASKS_FOR_A_CLUSTER = """
import sys
from tests.postgres import Cluster, find_programs
print(Cluster(find_programs()).folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def engine(postgres_url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(postgres_url, poolclass=sa.NullPool)
    yield engine
    engine.dispose()


def execute(engine: sa.Engine, statement: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(statement)


def value(engine: sa.Engine, query: str) -> object:
    with engine.connect() as connection:
        return connection.exec_driver_sql(query).scalar_one()


@pytest.mark.parametrize("time_around", ["first", "second"])
def test_every_test_has_a_database_of_its_own(engine: sa.Engine, time_around: str) -> None:
    assert value(engine, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    execute(engine, "CREATE TABLE left_behind ()")


def test_a_database_has_what_its_template_has(postgres: Cluster, engine: sa.Engine) -> None:
    execute(engine, "CREATE TABLE minerals AS SELECT 'azurite' AS name")
    clone = postgres.create_database(template=str(engine.url.database))
    copy = sa.create_engine(postgres.url(clone), poolclass=sa.NullPool)
    assert value(copy, "SELECT name FROM minerals") == "azurite"
    postgres.drop_database(clone)


def test_a_database_is_dropped_under_an_open_connection(postgres: Cluster) -> None:
    name = postgres.create_database()
    with sa.create_engine(postgres.url(name)).connect() as connection:
        postgres.drop_database(name)
        with pytest.raises(sa.exc.OperationalError):
            connection.exec_driver_sql("SELECT 1")
        connection.invalidate()


def test_what_was_committed_survives_a_crash(postgres: Cluster, engine: sa.Engine) -> None:
    assert value(engine, "SHOW fsync") == "on"
    execute(engine, "CREATE TABLE kept AS SELECT 1 AS one")
    postgres.stop(crash=True)
    with pytest.raises(sa.exc.OperationalError):
        execute(engine, "SELECT 1")
    postgres.start()
    assert "was not properly shut down" in (postgres.folder / "log").read_text()
    assert value(engine, "SELECT one FROM kept") == 1


def test_nobody_else_can_reach_the_server(postgres: Cluster, engine: sa.Engine) -> None:
    assert value(engine, "SHOW listen_addresses") == ""
    assert value(engine, "SHOW unix_socket_directories") == str(postgres.folder)
    assert stat.S_IMODE(postgres.folder.stat().st_mode) == 0o700


def test_a_test_on_the_cluster_is_marked_by_itself(request: pytest.FixtureRequest, postgres_url: str) -> None:
    assert request.node.get_closest_marker("postgres") is not None


def test_a_killed_test_process_leaves_neither_server_nor_files(postgres: Cluster) -> None:
    root = Path(__file__).parents[1]
    asker = subprocess.Popen(
        [sys.executable, "-c", ASKS_FOR_A_CLUSTER],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with asker:
        assert asker.stdout is not None
        folder = Path(asker.stdout.readline().strip())
        assert (folder / "data/postmaster.pid").exists()
        os.killpg(asker.pid, signal.SIGKILL)  # with all that a terminal's Ctrl-C would reach
    deadline = time.monotonic() + GOES_AWAY_WITHIN
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.exists()


def test_the_newest_server_programs_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("9", "15"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin/initdb").touch()
    (tmp_path / "99/bin").mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tests.postgres.ELSEWHERE", (f"{tmp_path}/*/bin",))
    assert find_programs() == tmp_path / "15/bin"


def test_no_server_programs_is_an_answer_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tests.postgres.ELSEWHERE", (f"{tmp_path}/*/bin",))
    assert find_programs() is None
