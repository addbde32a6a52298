"""The two databases behind one door: transactions that see one state, and commits that are on the disk."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from linarite.store import tables
from linarite.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with contextlib.closing(Database(url)) as database:
        yield database


@pytest.fixture
def other(url: str) -> Iterator[Database]:
    """The same database, opened by another process."""
    with contextlib.closing(Database(url)) as database:
        yield database


def add(connection: Connection, name: str) -> None:
    connection.execute(insert(tables.facts).values(name=name, value=b""))


def facts(connection: Connection) -> set[str]:
    return set(connection.execute(select(tables.facts.c.name)).scalars())


def value(connection: Connection, query: str) -> object:
    return connection.exec_driver_sql(query).scalar_one()


def test_a_reading_transaction_sees_one_state_whatever_is_committed_meanwhile(
    database: Database, other: Database
) -> None:
    with database.reading() as reader:
        assert facts(reader) == set()
        with other.writing() as writer:
            add(writer, "new")
        assert facts(reader) == set()
    with database.reading() as reader:
        assert facts(reader) == {"new"}


def test_nothing_is_seen_of_what_is_not_committed(database: Database) -> None:
    with database.writing() as writer:
        add(writer, "new")
        with database.reading() as reader:
            assert facts(reader) == set()


def test_a_writing_transaction_that_breaks_leaves_nothing_and_the_next_one_works(database: Database) -> None:
    def write_and_break() -> None:
        with database.writing() as writer:
            add(writer, "broken")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_break()
    with database.writing() as writer:
        add(writer, "whole")
    with database.reading() as reader:
        assert facts(reader) == {"whole"}


def test_processes_write_one_after_the_other(database: Database, other: Database) -> None:
    """The second one waits until the first has committed, and then sees what it wrote."""

    def write_and_count(one: Database) -> int:
        with one.writing() as writer:
            connection_takes_its_turn(writer)
            before = len(facts(writer))
            add(writer, str(before))
        return before

    async def both() -> list[int]:
        work = (one.write(lambda one=one: write_and_count(one)) for _ in range(20) for one in (database, other))  # type: ignore[misc]
        return list(await asyncio.gather(*work))

    with asyncio.Runner() as runner:
        assert sorted(runner.run(both())) == list(range(40))


def connection_takes_its_turn(connection: Connection) -> None:
    """Take the row that orders all processes' commits."""
    connection.execute(select(tables.state).with_for_update())


def test_what_sqlite_has_committed_is_on_the_disk(sqlite_url: str) -> None:
    with contextlib.closing(Database(sqlite_url)) as database, database.writing() as writer:
        assert value(writer, "PRAGMA journal_mode") == "wal"
        assert value(writer, "PRAGMA synchronous") == 2, "FULL: every commit is flushed"
        assert value(writer, "PRAGMA foreign_keys") == 1
    with contextlib.closing(Database(sqlite_url)) as database:
        assert database.here.execute("PRAGMA synchronous").fetchone() == (2,)


def test_what_postgresql_has_committed_is_on_the_disk(postgres_url: str) -> None:
    with contextlib.closing(Database(postgres_url)) as database, database.writing() as writer:
        assert value(writer, "SHOW synchronous_commit") == "on"
        assert value(writer, "SHOW application_name") == "linarite"


def test_a_database_may_be_closed_twice(url: str) -> None:
    database = Database(url)
    with database.writing() as writer:
        add(writer, "new")
    database.close()
    database.close()
