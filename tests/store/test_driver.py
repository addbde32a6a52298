"""The way past SQLAlchemy: its errors, a connection that ends on it, and statements that leave at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import DBAPIError, ProgrammingError

from linarite.store.driver import execute_of, passing, pipelined, savepoint
from linarite.store.statements import VERSION
from tests.store.site import RULE_BROKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from tests.store.site import Site

NOTE = "INSERT INTO changes (version, key) VALUES (?, ?)"


def plainly(connection: Connection, statement: str) -> None:
    execute_of(connection)(statement)


def in_a_pipeline(connection: Connection, statement: str) -> None:
    with pipelined(connection):
        execute_of(connection)(statement)


EITHER_WAY = pytest.mark.parametrize("run", [plainly, in_a_pipeline])


@EITHER_WAY
def test_an_error_of_postgresql_is_what_sqlalchemy_makes_of_it(
    postgres_site: Site, run: Callable[[Connection, str], None]
) -> None:
    with postgres_site.gate.database.reading() as connection:
        with pytest.raises(ProgrammingError) as caught:
            run(connection, "SELECT nothing_of_the_kind")
        assert not caught.value.connection_invalidated
        assert not connection.invalidated
        assert not passing(caught.value)


@EITHER_WAY
def test_a_connection_that_has_ended_is_given_up_and_what_it_was_for_may_be_tried_again(
    postgres_site: Site, run: Callable[[Connection, str], None]
) -> None:
    database = postgres_site.gate.database
    with database.reader.connect() as connection:
        process = execute_of(connection)("SELECT pg_backend_pid()").fetchone()[0]
        with database.reading() as other:
            execute_of(other)("SELECT pg_terminate_backend(?)", (process,))
        with pytest.raises(DBAPIError) as caught:
            run(connection, VERSION)
        assert caught.value.connection_invalidated
        assert connection.invalidated
        assert passing(caught.value)
        connection.rollback()
        run(connection, VERSION)


def test_statements_of_a_pipeline_do_not_wait_for_one_another(postgres_site: Site) -> None:
    reached = []

    def run(connection: Connection) -> None:
        with pipelined(connection):
            execute_of(connection)("SELECT nothing_of_the_kind")
            reached.append("the end")

    with postgres_site.gate.database.reading() as connection, pytest.raises(ProgrammingError):
        run(connection)
    assert reached == ["the end"]


def test_rows_that_are_asked_for_in_a_pipeline_come(site: Site) -> None:
    with site.gate.database.reading() as connection, pipelined(connection):
        assert execute_of(connection)(VERSION).fetchone() == (0,)


def test_what_a_pipeline_wrote_is_undone_with_its_savepoint(site: Site) -> None:
    def note(connection: Connection, *keys: str) -> None:
        with savepoint(connection), pipelined(connection):
            for key in keys:
                execute_of(connection)(NOTE, (1, key))

    with site.gate.database.appending() as connection:
        note(connection, "stays")
        with pytest.raises(RULE_BROKEN):
            note(connection, "goes", "stays")
    found = site.ask(lambda connection: connection.exec_driver_sql("SELECT key FROM changes").scalars().all())
    assert found == ["stays"]
