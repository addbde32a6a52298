"""A lost PostgreSQL: everybody who waits is told so, nothing acknowledged is lost, and it works again."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from linarite.errors import Unavailable
from tests.store.site import TEAM, account, found_group, names, recorded, together, turned_away

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.store.transaction import Transaction
    from linarite.store.view import View
    from tests.postgres import Cluster
    from tests.store.site import Site


@contextlib.contextmanager
def lost(postgres: Cluster) -> Iterator[None]:
    """The database is gone, as in a crash."""
    postgres.stop(crash=True)
    try:
        yield
    finally:
        postgres.start()


def test_a_database_lost_in_the_middle_loses_nothing_that_was_acknowledged(
    postgres_site: Site, postgres: Cluster
) -> None:
    site = postgres_site
    acknowledged: set[str] = set()
    turned: list[Unavailable] = []
    enough = asyncio.Event()

    async def write(worker: int) -> None:
        number = 0
        while not turned:
            name = f"st{worker}x{number}"
            try:
                await site.gate.commit(account(name), recorded)
            except Unavailable as refused:
                turned.append(refused)
                return
            acknowledged.add(name)
            number += 1
            if len(acknowledged) >= 40:
                enough.set()

    async def lose() -> None:
        writers = [asyncio.ensure_future(write(worker)) for worker in range(8)]
        await enough.wait()
        await asyncio.to_thread(postgres.stop, crash=True)
        await asyncio.gather(*writers)

    site.commit(found_group)
    try:
        site.run(lose())
    finally:
        postgres.start()
    assert turned
    assert site.ask(names) >= acknowledged
    assert len(site.entries()) == 1 + len(site.ask(names))
    assert site.first_broken() is None
    site.commit(account("afterwards"))
    assert "afterwards" in site.ask(names)


def test_everybody_who_waits_for_a_lost_database_is_turned_away(postgres_site: Site, postgres: Cluster) -> None:
    site = postgres_site
    site.commit(found_group)

    async def ask() -> list[Any]:
        gate = site.gate
        asked = (
            *(gate.commit(account(f"st{number}"), recorded) for number in range(3)),
            *(gate.record(recorded(None)) for _ in range(3)),
            *(gate.look(lambda view: view.resource(TEAM.key)) for _ in range(3)),
            gate.peek(lambda view: view.resource("/not/remembered")),
        )
        return list(await asyncio.gather(*asked, return_exceptions=True))

    with lost(postgres):
        assert [turned_away(outcome) for outcome in site.run(ask())] == [True] * 10
    assert [turned_away(outcome) for outcome in site.run(ask())] == [False] * 10
    assert site.ask(names) == {"st0", "st1", "st2"}
    assert len(site.entries()) == 7


def test_what_is_remembered_may_be_peeked_at_while_the_database_is_lost_but_not_recorded(
    postgres_site: Site, postgres: Cluster
) -> None:
    site = postgres_site
    site.commit(found_group)
    site.look(lambda view: view.resource(TEAM.key))
    with lost(postgres):
        found, version = site.run(site.gate.peek(lambda view: view.resource(TEAM.key)))
        assert found is not None
        with pytest.raises(Unavailable):
            site.run(site.gate.record(recorded(None), version))


def test_a_connection_that_was_cut_is_replaced_and_nobody_notices(postgres_site: Site) -> None:
    site = postgres_site
    site.commit(found_group)
    site.look(lambda view: view.resource(TEAM.key))
    with site.another().database.writing() as connection:
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = "
        connection.exec_driver_sql(f"{cut} current_database()")
    assert site.run(together(site.gate, account("st1"), account("st2")))
    assert site.look(names_seen) == {"st1", "st2"}
    assert len(site.entries()) == 3


def test_a_commit_whose_answer_was_lost_is_not_made_twice(postgres_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site = postgres_site
    site.commit(found_group)
    dialect = site.gate.database.writer.dialect
    commit = dialect.do_commit
    lost_answers: list[str] = []

    def lose_the_first_answer(connection: Any) -> None:
        commit(connection)
        if not lost_answers:
            lost_answers.append("lost")
            connection.dbapi_connection.close()
            message = "the connection is closed"
            raise psycopg.OperationalError(message)

    monkeypatch.setattr(dialect, "do_commit", lose_the_first_answer)
    outcomes = site.run(together(site.gate, account("st1"), account("st2")))
    assert lost_answers
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
    assert site.look(names_seen) == {"st1", "st2"}
    assert len(site.entries()) == 3
    assert site.version() == 3


def names_seen(view: View) -> set[str]:
    return names(view.connection())


@pytest.mark.parametrize("state", ["40001", "40P01"], ids=["serialization failure", "deadlock"])
def test_a_batch_that_the_database_asks_to_try_again_is_tried_again(postgres_site: Site, state: str) -> None:
    runs: list[str] = []

    def work(transaction: Transaction) -> None:
        runs.append("run")
        account("st1")(transaction)
        if len(runs) < 3:
            complain(transaction, state)

    postgres_site.commit(found_group)
    outcomes = postgres_site.run(together(postgres_site.gate, account("before"), work, account("after")))
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
    assert len(runs) == 3
    assert postgres_site.ask(names) == {"before", "st1", "after"}
    assert len(postgres_site.entries()) == 4


def test_trying_again_comes_to_an_end(postgres_site: Site) -> None:
    runs: list[str] = []

    def work(transaction: Transaction) -> None:
        runs.append("run")
        complain(transaction, "40001")

    with pytest.raises(Unavailable):
        postgres_site.commit(work)
    assert 1 < len(runs) < 20


def complain(transaction: Transaction, state: str) -> None:
    """Have the database end the transaction."""
    statement = f"DO $$ BEGIN RAISE EXCEPTION 'try again' USING ERRCODE = '{state}'; END $$"
    transaction.connection().exec_driver_sql(statement)
