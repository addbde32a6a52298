"""The trail: one chain over all processes, without a gap, in which nothing is changed unseen."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from linarite.model import Deed, Entry
from linarite.store import directory, tables, trail
from tests.store.site import STORAGE, TEAM, found_group, names, recorded, resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from linarite.store.gate import Gate
    from linarite.store.transaction import Transaction
    from tests.store.site import Site

LENGTH = 10
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)


def write_trail(site: Site) -> None:
    for number in range(LENGTH):
        site.run(site.gate.record(recorded(None, f"Linarite/{number}")))
    assert site.first_broken() is None


def tamper(site: Site, change: Callable[[Connection], object]) -> None:
    """Change the tables behind the gate's back."""
    with site.gate.database.writing() as connection:
        change(connection)


# ── entries ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(
    st.builds(
        Entry,
        at=st.datetimes(datetime(1970, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        deed=st.sampled_from(Deed),
        action=TEXT,
        target=TEXT,
        caller=TEXT,
        client=TEXT,
        status=st.integers(100, 599),
        code=TEXT,
        request=TEXT,
        correlation=TEXT,
        address=TEXT,
        version=st.none() | st.integers(0, 2**63 - 1),
    )
)
def test_an_entry_is_read_as_it_was_written(entry: Entry) -> None:
    assert trail.decode(trail.encode(entry)) == entry


def test_entries_are_read_in_order_with_their_places(site: Site) -> None:
    write_trail(site)
    found = site.ask(lambda connection: trail.entries(connection, 3, 4))
    assert [(place, entry.action) for place, entry in found] == [
        (4, "Linarite/3"),
        (5, "Linarite/4"),
        (6, "Linarite/5"),
        (7, "Linarite/6"),
    ]


# ── several processes ───────────────────────────────────────────────────────────────────────────────────────────────


def writes(gates: list[Gate], count: int) -> Callable[[], object]:
    """Units that make accounts, and entries, for every gate in turn, all at once."""

    def unit(name: str) -> Callable[[Transaction], object]:
        return lambda transaction: transaction.add(resource(TEAM.child(STORAGE, name)))

    async def write() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                for which, gate in enumerate(gates):
                    group.create_task(gate.commit(unit(f"st{which}x{number}"), recorded))
                    group.create_task(gate.record(recorded(None, f"Linarite/{which}")))
                if number % 10 == 0:
                    await asyncio.sleep(0.001)  # so that there are many batches, of many sizes

    return write


def test_processes_that_write_at_once_lose_nothing_and_make_one_chain(site: Site) -> None:
    gates = [site.gate, site.another(), site.another()]
    site.commit(found_group)
    site.run(writes(gates, 50)())  # type: ignore[arg-type]
    assert site.ask(names) == {f"st{which}x{number}" for which in range(3) for number in range(50)}
    assert site.version() == 151
    places = [place for place, _ in site.ask(lambda connection: trail.entries(connection, 0, 10_000))]
    assert places == list(range(1, 302))
    assert site.first_broken() is None


def test_what_two_processes_count_together_misses_nothing(site: Site) -> None:
    def count(transaction: Transaction) -> None:
        connection = transaction.connection()
        seen = int(directory.fact(connection, "count") or b"0")
        directory.put_fact(connection, "count", str(seen + 1).encode())

    async def both(other: Gate) -> None:
        await asyncio.gather(*(gate.commit(count, recorded) for _ in range(40) for gate in (site.gate, other)))

    site.run(both(site.another()))
    assert site.ask(lambda connection: directory.fact(connection, "count")) == b"80"


# ── tampering ───────────────────────────────────────────────────────────────────────────────────────────────────────


def change(place: int, **values: object) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(update(tables.trail).where(tables.trail.c.seq == place).values(values))


def remove(first: int, last: int) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(delete(tables.trail).where(tables.trail.c.seq.between(first, last)))


def swap(one: int, other: int) -> Callable[[Connection], object]:
    """Exchange two entries, whole."""

    def work(connection: Connection) -> None:
        for old, new in ((one, -1), (other, one), (-1, other)):
            change(old, seq=new)(connection)

    return work


def shift_from(place: int) -> Callable[[Connection], object]:
    """Leave a gap: the entry at a place, and all behind it, move on by one."""

    def work(connection: Connection) -> None:
        for old in range(LENGTH, place - 1, -1):
            change(old, seq=old + 1)(connection)

    return work


def insert_at(place: int) -> Callable[[Connection], object]:
    """Put an entry in between, chained to the one before it; what was there moves on."""

    def work(connection: Connection) -> None:
        shift_from(place)(connection)
        before = connection.execute(select(tables.trail.c.hash).where(tables.trail.c.seq == place - 1)).scalar()
        [row] = trail.chain([recorded(None, "Linarite/forged")], place - 1, before or trail.GENESIS)
        connection.execute(insert(tables.trail).values(row))

    return work


def forge_from(place: int) -> Callable[[Connection], object]:
    """Change an entry, and chain all that follow anew; only the row of `state` still knows better."""

    def work(connection: Connection) -> None:
        kept = trail.entries(connection, 0, LENGTH)
        forged = [recorded(None, "Linarite/forged") if number == place else entry for number, entry in kept]
        connection.execute(delete(tables.trail))
        for row in trail.chain(forged, 0, trail.GENESIS):
            connection.execute(insert(tables.trail).values(row))

    return work


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        pytest.param(change(4, body=trail.encode(recorded(None, "Linarite/other"))), 4, id="an entry is changed"),
        pytest.param(change(1, body=trail.encode(recorded(None, "Linarite/other"))), 1, id="the first is changed"),
        pytest.param(change(10, body=trail.encode(recorded(None, "Linarite/other"))), 10, id="the last is changed"),
        pytest.param(change(4, hash=bytes(32)), 4, id="a hash is changed"),
        pytest.param(change(4, at=1), 4, id="a time is changed"),
        pytest.param(change(4, seq=40), 4, id="an entry is moved"),
        pytest.param(remove(4, 4), 4, id="an entry is removed"),
        pytest.param(remove(1, 1), 1, id="the first is removed"),
        pytest.param(remove(10, 10), 10, id="the last is removed"),
        pytest.param(remove(4, 10), 4, id="the end is removed"),
        pytest.param(remove(1, 10), 1, id="all are removed"),
        pytest.param(shift_from(4), 4, id="a place is left free"),
        pytest.param(shift_from(10), 10, id="the last place is left free"),
        pytest.param(swap(4, 5), 4, id="neighbours are swapped"),
        pytest.param(swap(3, 9), 3, id="entries are swapped"),
        pytest.param(insert_at(1), 2, id="an entry is inserted before the first"),
        pytest.param(insert_at(4), 5, id="an entry is inserted"),
        pytest.param(insert_at(11), 11, id="an entry is appended"),
        pytest.param(forge_from(4), 10, id="an entry is changed and the rest chained anew"),
    ],
)
def test_tampering_is_found_where_the_chain_first_breaks(
    site: Site, tampering: Callable[[Connection], object], broken: int
) -> None:
    write_trail(site)
    tamper(site, tampering)
    assert site.first_broken() == broken
    assert site.ask(lambda connection: trail.first_broken(connection, step=3)) == broken


def test_an_empty_trail_holds(site: Site) -> None:
    assert site.first_broken() is None


def test_a_trail_that_grew_after_tampering_is_still_broken_there(site: Site) -> None:
    write_trail(site)
    tamper(site, change(4, body=b"{}"))
    site.run(site.gate.record(recorded(None)))
    assert site.first_broken() == 4
