"""Layouts: a fresh database gets every table, whole or not at all, and an unknown one is left alone."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, make_url, text

from linarite.ids import GROUP
from linarite.seal import Keyring
from linarite.store import migrations, resources, trail
from linarite.store.database import Database, DatabaseTrouble
from linarite.store.migrations import NEWEST, bring_up, revision
from linarite.store.tables import metadata
from tests.store.site import ACCOUNT, BOTH, HOME, TEAM, found_group, opened, resource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from tests.postgres import Cluster

BRINGS_UP_WHEN_TOLD = """
import sys
from linarite.store.migrations import bring_up
print("ready", flush=True)
sys.stdin.readline()
bring_up(sys.argv[1])
"""


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'linarite.db'}"
        return
    postgres: Cluster = request.getfixturevalue("postgres")
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)


def execute(url: str, *statements: str) -> None:
    with contextlib.closing(Database(url)) as database, database.writing() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def tables_of(url: str) -> set[str]:
    with contextlib.closing(Database(url)) as database, database.reading() as connection:
        return set(inspect(connection).get_table_names())


def differences(url: str) -> list[Any]:
    """What Alembic would change in a database to make it what the tables say."""
    with contextlib.closing(Database(url)) as database, database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found = compare_metadata(context, metadata)
        return [one for one in found if not (_is_comment(one) or _is_added_key(one, context.dialect.name))]


def _is_added_key(difference: Any, dialect: str) -> bool:
    """What SQLAlchemy does not read in SQLite: name and `ON DELETE CASCADE` of a key that was added with its column."""
    is_key = isinstance(difference, tuple) and difference[0] in {"add_fk", "remove_fk"}
    return dialect == "sqlite" and is_key and difference[1].column_keys == ["resource"]


def _is_comment(difference: Any) -> bool:
    """Comments are for readers of the code: SQLite cannot keep them."""
    return isinstance(difference, tuple) and str(difference[0]).endswith("_table_comment")


# ── fresh ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fresh_database_has_exactly_the_tables_that_are_declared(empty_url: str) -> None:
    bring_up(empty_url)
    assert differences(empty_url) == []
    assert tables_of(empty_url) == {*metadata.tables, "alembic_version"}


def test_a_difference_would_be_found(empty_url: str) -> None:
    bring_up(empty_url)
    execute(empty_url, "DROP INDEX ix_resources_type_name", "ALTER TABLE trail ADD COLUMN more INTEGER")
    assert {one[0] for one in differences(empty_url)} == {"add_index", "remove_column"}


def test_a_fresh_database_can_be_written_to_and_its_trail_begins_at_its_beginning(empty_url: str) -> None:
    bring_up(empty_url)
    with opened(empty_url, Keyring.fresh()) as site:
        assert site.version() == 0
        assert site.ask(lambda connection: connection.exec_driver_sql("SELECT seq, hash FROM state").one()) == (
            0,
            trail.GENESIS,
        )
        site.commit(found_group)
        assert site.first_broken() is None


def test_nobody_but_its_owner_may_open_a_new_file(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        url = f"sqlite:///{tmp_path / 'linarite.db'}"
        bring_up(url)
        with opened(url, Keyring.fresh()) as site:
            site.commit(found_group)
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    finally:
        os.umask(mask)
    assert modes.keys() >= {"linarite.db", "linarite.db-wal", "linarite.db-shm"}
    assert set(modes.values()) == {0o600}


# ── again ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_bringing_up_a_second_time_does_nothing(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bring_up(empty_url)
    with opened(empty_url, Keyring.fresh()) as site:
        site.commit(found_group)
        monkeypatch.setattr(migrations, "upgrade", None)  # whoever called it would break
        bring_up(empty_url)
        assert site.version() == 1
        assert len(site.entries()) == 1


def test_processes_that_bring_up_the_same_database_together_all_succeed(empty_url: str) -> None:
    command = [sys.executable, "-c", BRINGS_UP_WHEN_TOLD, empty_url]
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
                )
            )
            for _ in range(3)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.communicate(timeout=30)[0] for process in processes] == [""] * 3
    assert [process.returncode for process in processes] == [0] * 3
    assert differences(empty_url) == []


def test_a_file_that_another_process_holds_as_a_whole_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "linarite.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other, ThreadPoolExecutor(1) as threads:
        other.execute("BEGIN EXCLUSIVE")  # as in the moment in which a file gets its write-ahead log, or is left by all
        brought_up = threads.submit(bring_up, f"sqlite:///{path}")
        with pytest.raises(TimeoutError):
            brought_up.result(timeout=0.5)
        other.execute("ROLLBACK")
        brought_up.result(timeout=30)
    assert differences(f"sqlite:///{path}") == []


def test_a_process_that_finds_the_steps_taken_in_the_meantime_has_nothing_to_complain_of(
    postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.url(postgres.create_database())
    upgrade = migrations.upgrade

    def come_second(connection: Connection) -> None:
        monkeypatch.setattr(migrations, "upgrade", upgrade)
        bring_up(url)
        connection.exec_driver_sql("CREATE TABLE state ()")

    monkeypatch.setattr(migrations, "upgrade", come_second)
    bring_up(url)
    assert differences(url) == []
    postgres.drop_database(str(make_url(url).database))


def test_steps_that_fail_in_the_middle_leave_nothing_behind(empty_url: str) -> None:
    execute(empty_url, "CREATE TABLE state (somebody_elses INTEGER)")
    with pytest.raises(DatabaseTrouble, match="state") as refused:
        bring_up(empty_url)
    assert is_sentence(str(refused.value))
    assert tables_of(empty_url) == {"state"}
    execute(empty_url, "DROP TABLE state")
    bring_up(empty_url)
    assert differences(empty_url) == []


MANY = [HOME.child(GROUP, f"g{number}") for number in range(150)]
BOXES = {
    (ACCOUNT.key, "key1"): b"one",
    (ACCOUNT.key, "key2"): b"two",
    (TEAM.key, "a"): b"three",
    **{(id_.key, name): f"{id_.key} {name}".encode() for id_ in MANY for name in "bc"},
}
"""Secrets of more resources than are moved at once."""


def make_older(url: str, layout: str) -> None:
    """A database of a layout that had a table of secrets, with `BOXES` in it."""
    with contextlib.closing(Database(url)) as database, database.writing() as connection:
        migrations.upgrade(connection, layout)
        for id_ in (HOME, TEAM, ACCOUNT, *MANY):
            resources.add(connection, resource(id_))
        for (owner, name), box in BOXES.items():
            insert = text("INSERT INTO secrets (owner, name, box) VALUES (:owner, :name, :box)")
            connection.execute(insert, {"owner": owner, "name": name, "box": box})


def boxes_in(url: str) -> dict[tuple[str, str], bytes]:
    """Every secret in its resource's row."""
    with contextlib.closing(Database(url)) as database, database.reading() as connection:
        rows = {id_.key: resources.row_of(connection, id_.key) for id_ in (HOME, TEAM, ACCOUNT, *MANY)}
    return {(key, name): box for key, row in rows.items() for name, box in resources.boxes_of(row).items()}


@pytest.mark.parametrize("layout", ["0003", "0004"])
def test_an_older_layout_is_brought_up_with_all_that_is_in_it(empty_url: str, layout: str) -> None:
    make_older(empty_url, layout)
    bring_up(empty_url)
    assert differences(empty_url) == []
    assert boxes_in(empty_url) == BOXES


def test_secrets_whose_move_is_cut_short_are_where_they_were(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: str) -> None:
        raise OSError("cut short")

    make_older(empty_url, "0004")
    with monkeypatch.context() as patched:
        patched.setattr("alembic.op.drop_table", fail)  # when all of them were moved
        with pytest.raises(DatabaseTrouble, match="cut short"):
            bring_up(empty_url)
    with contextlib.closing(Database(empty_url)) as database, database.reading() as connection:
        assert revision(connection) == "0004"
        assert connection.execute(text("SELECT count(*) FROM secrets")).scalar() == len(BOXES)
    bring_up(empty_url)
    assert differences(empty_url) == []
    assert boxes_in(empty_url) == BOXES


# ── refused ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def is_sentence(text: str) -> bool:
    return text[0].isupper() and text.endswith(".") and "\n" not in text


def test_a_database_of_an_unknown_layout_is_refused_and_left_as_it_is(empty_url: str) -> None:
    bring_up(empty_url)
    execute(empty_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseTrouble, match="layout 9999; this version knows " + NEWEST) as refused:
        bring_up(empty_url)
    assert is_sentence(str(refused.value))
    with contextlib.closing(Database(empty_url)) as database, database.reading() as connection:
        assert revision(connection) == "9999"


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "linarite.db"
    path.write_text("Dear diary, " * 1000)
    with pytest.raises(DatabaseTrouble, match="not a database") as refused:
        bring_up(f"sqlite:///{path}")
    assert is_sentence(str(refused.value))
    assert path.read_text() == "Dear diary, " * 1000


def test_a_file_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatabaseTrouble, match="No such file") as refused:
        bring_up(f"sqlite:///{tmp_path}/nowhere/linarite.db")
    assert is_sentence(str(refused.value))


def test_a_server_that_does_not_answer_is_named_and_its_password_is_not(tmp_path: Path) -> None:
    with pytest.raises(DatabaseTrouble) as refused:
        bring_up(f"postgresql://linarite:hunter2@/linarite?host={tmp_path}")
    assert is_sentence(str(refused.value))
    assert str(tmp_path) in str(refused.value)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["nonsense", "", "mysql://root:hunter2@localhost/linarite", "sqlite://", "oracle+unheard://x", "://", "sqlite:"],
)
def test_a_url_that_names_no_database_of_ours_is_refused(url: str) -> None:
    with pytest.raises(DatabaseTrouble) as refused:
        bring_up(url)
    assert is_sentence(str(refused.value))
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_whatever_driver_a_url_names_ours_is_used(postgres_url: str, scheme: str) -> None:
    url = make_url(postgres_url).set(drivername=scheme).render_as_string(hide_password=False)
    bring_up(url)
    assert tables_of(url) == {*metadata.tables, "alembic_version"}
