"""Tries in vain: counted by every process of a database, for a while, and no more of them than there is room for."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from linarite.store import tables, tries
from tests.store.site import NOW, recorded

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import pytest

    from linarite.store.gate import Gate
    from linarite.store.transaction import Transaction
    from tests.store.site import Site

A_MINUTE = timedelta(minutes=1)


def trying(*digests: bytes, now: datetime = NOW) -> Callable[[Transaction], None]:
    """A unit that counts a try at each."""

    def work(transaction: Transaction) -> None:
        for digest in digests:
            tries.add(transaction.connection(), digest, now, now + A_MINUTE)

    return work


def counts(site: Site, *digests: bytes, now: datetime = NOW) -> list[int]:
    return site.ask(lambda connection: [tries.times(connection, one, now) for one in digests])


def rows(site: Site) -> int:
    found: int = site.ask(
        lambda connection: connection.execute(select(func.count()).select_from(tables.tries))
    ).scalar_one()
    return found


def test_each_is_counted_for_itself_until_it_is_forgotten(site: Site) -> None:
    site.commit(trying(b"a", b"b", b"a"))
    assert counts(site, b"a", b"b", b"c") == [2, 1, 0]
    site.commit(lambda transaction: tries.forget(transaction.connection(), b"a"))
    assert counts(site, b"a", b"b") == [0, 1]


def test_no_more_is_taken_back_than_was_counted(site: Site) -> None:
    site.commit(trying(b"a"))
    for _ in range(2):
        site.commit(lambda transaction: tries.take_back(transaction.connection(), b"a"))
    assert counts(site, b"a") == [0]
    site.commit(lambda transaction: tries.take_back(transaction.connection(), b"b"))
    assert counts(site, b"b") == [0]


def test_a_count_ends_a_while_after_the_last_try_and_begins_anew(site: Site) -> None:
    soon = NOW + A_MINUTE / 2
    site.commit(trying(b"a"))
    site.commit(trying(b"a", now=soon))
    assert counts(site, b"a", now=NOW + A_MINUTE) == [2]
    assert counts(site, b"a", now=soon + A_MINUTE) == [0]
    site.commit(trying(b"a", now=soon + A_MINUTE))
    assert counts(site, b"a", now=soon + A_MINUTE) == [1]


def test_what_has_ended_goes_with_the_next_try_at_anything(site: Site) -> None:
    site.commit(trying(b"a", b"b"))
    site.commit(trying(b"c", now=NOW + A_MINUTE))
    assert rows(site) == 1


def test_every_process_counts_the_tries_of_all(site: Site) -> None:
    async def at_once(*gates: Gate) -> None:
        await asyncio.gather(*(gate.commit(trying(b"a"), recorded) for gate in gates))

    site.run(at_once(*[site.gate, site.another()] * 20))
    assert counts(site, b"a") == [40]


def test_a_try_changes_no_state_that_anybody_remembers(site: Site) -> None:
    before = site.version()
    site.commit(trying(b"a"))
    assert site.version() == before


def test_where_there_is_no_room_what_was_tried_least_gives_way(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tries, "MOST", 3)
    site.commit(trying(b"often", b"often"))
    for number in range(5):
        site.commit(trying(b"%d" % number, now=NOW + timedelta(seconds=number)))
    assert counts(site, b"often", b"0", b"1", b"2", b"3", b"4") == [2, 0, 0, 0, 1, 1]
    assert rows(site) == 3
