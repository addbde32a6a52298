"""A full disk under SQLite: everybody who waits is told so, nothing acknowledged is lost, and it works again."""

from __future__ import annotations

import contextlib
import resource as limits
from typing import TYPE_CHECKING, Any

import pytest

from linarite.errors import Unavailable
from tests.store.site import (
    STORAGE,
    TEAM,
    account,
    found_group,
    in_one_batch,
    names,
    recorded,
    resource,
    together,
    turned_away,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from linarite.store.transaction import Transaction
    from tests.store.site import Site

LARGE = 2**20
"""Bytes that do not fit on the full disk."""


def large(name: str) -> Callable[[Transaction], object]:
    """A unit that makes a storage account of a megabyte."""
    body = {"tags": {"much": "x" * LARGE}}
    return lambda transaction: transaction.add(resource(TEAM.child(STORAGE, name), body))


@contextlib.contextmanager
def full_database(site: Site) -> Iterator[None]:
    """SQLite may take only a few more pages."""
    database = site.gate.database
    with contextlib.closing(database.writer.raw_connection()) as connection:
        writing: Any = connection.driver_connection
    both = writing, database.here
    for one in both:
        [pages] = one.execute("PRAGMA page_count").fetchone()
        one.execute(f"PRAGMA max_page_count = {pages + 20}")
    yield
    for one in both:
        one.execute("PRAGMA max_page_count = 1073741823")


@contextlib.contextmanager
def full_disk(_: Site) -> Iterator[None]:
    """No file may grow beyond a size that the write-ahead log soon has: the commit itself fails."""
    soft, hard = limits.getrlimit(limits.RLIMIT_FSIZE)
    limits.setrlimit(limits.RLIMIT_FSIZE, (LARGE // 2, hard))
    try:
        yield
    finally:
        limits.setrlimit(limits.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(params=[full_database, full_disk], ids=lambda full: full.__name__)
def full(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_a_full_disk_turns_everybody_away_who_waits_and_keeps_what_was_acknowledged(
    sqlite_site: Site, full: Any
) -> None:
    site = sqlite_site
    site.commit(found_group)
    site.commit(account("kept"))
    with full(site):
        outcomes = site.run(together(site.gate, account("before"), large("st1"), account("after"), account("last")))
        assert [turned_away(outcome) for outcome in outcomes] == [True] * 4
        assert site.ask(names) == {"kept"}
        assert len(site.entries()) == 2
    assert site.run(together(site.gate, account("before"), large("st1"))) is not None
    assert site.ask(names) == {"kept", "before", "st1"}
    assert len(site.entries()) == 4
    assert site.first_broken() is None


def test_a_full_disk_does_not_keep_small_requests_from_going_on(sqlite_site: Site, full: Any) -> None:
    site = sqlite_site
    site.commit(found_group)
    with full(site):
        with pytest.raises(Unavailable):
            site.commit(large("st1"))
        site.commit(account("small"))
    assert site.ask(names) == {"small"}
    assert site.first_broken() is None


def test_an_entry_that_does_not_fit_takes_its_batch_with_it(sqlite_site: Site, full: Any) -> None:
    async def both() -> list[Any]:
        gate = sqlite_site.gate
        write = gate.commit(account("st1"), recorded)
        record = gate.record(recorded(None, "x" * LARGE))
        return await in_one_batch(gate, write, record)

    sqlite_site.commit(found_group)
    with full(sqlite_site):
        assert all(map(turned_away, sqlite_site.run(both())))
    assert sqlite_site.ask(names) == set()
    assert len(sqlite_site.entries()) == 1
    assert sqlite_site.first_broken() is None


def test_a_release_that_cannot_be_recorded_is_not_answered(sqlite_site: Site, full: Any) -> None:
    with full(sqlite_site), pytest.raises(Unavailable) as refused:
        sqlite_site.run(sqlite_site.gate.record(recorded(None, "x" * LARGE), version=0))
    assert refused.value.status == 503
    assert ("retry-after", "1") in refused.value.headers
    assert sqlite_site.entries() == []
