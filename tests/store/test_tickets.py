"""Tickets: found by their digest, spent alone, by family or by user, and swept when they ended long ago."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from sqlalchemy.exc import IntegrityError

from linarite.store import directory, tickets
from linarite.store.tickets import REMEMBERED, Ticket
from tests.store.site import ALICE, NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from tests.store.site import Site

T = TypeVar("T")


def ticket(digest: bytes, **more: Any) -> Ticket:
    return Ticket(
        **{
            "digest": digest,
            "kind": "refresh",
            "family": "f",
            "body": b"{}",
            "expires": NOW + timedelta(hours=1),
            "principal": ALICE.object_id,
            **more,
        }
    )


def do(site: Site, work: Callable[[Connection], T]) -> T:
    return site.commit(lambda transaction: work(transaction.connection()))


def given(site: Site, *new: Ticket) -> None:
    do(site, lambda connection: directory.add_principal(connection, ALICE, NOW))
    for one in new:
        do(site, lambda connection, one=one: tickets.add(connection, one, NOW))  # type: ignore[misc]


def spent(site: Site, *digests: bytes) -> list[bool]:
    found = [do(site, lambda connection, one=one: tickets.find(connection, one)) for one in digests]  # type: ignore[misc]
    return [one is not None and one.spent for one in found]


def test_a_ticket_is_found_as_it_was_given(site: Site) -> None:
    waiting = ticket(b"1", kind="device", principal=None)
    given(site, waiting, ticket(b"2"))
    assert do(site, lambda connection: tickets.find(connection, b"1")) == waiting
    assert do(site, lambda connection: tickets.of_family(connection, "f", "device")) == waiting
    assert do(site, lambda connection: tickets.find(connection, b"3")) is None


def test_one_is_spent_or_a_family_or_all_of_a_user(site: Site) -> None:
    given(site, ticket(b"1"), ticket(b"2"), ticket(b"3", family="g"), ticket(b"4", family="h", principal=None))
    do(site, lambda connection: tickets.spend(connection, b"1"))
    assert spent(site, b"1", b"2", b"3", b"4") == [True, False, False, False]
    do(site, lambda connection: tickets.spend_family(connection, "f"))
    assert spent(site, b"1", b"2", b"3", b"4") == [True, True, False, False]
    do(site, lambda connection: tickets.spend_all_of(connection, ALICE.object_id))
    assert spent(site, b"1", b"2", b"3", b"4") == [True, True, True, False]


def test_a_ticket_goes_with_its_user(site: Site) -> None:
    given(site, ticket(b"1"))
    do(site, lambda connection: directory.remove_principal(connection, ALICE.object_id))
    assert do(site, lambda connection: tickets.find(connection, b"1")) is None


def test_a_ticket_of_nobody_cannot_be_given(site: Site) -> None:
    with pytest.raises(IntegrityError):
        do(site, lambda connection: tickets.add(connection, ticket(b"1"), NOW))


def test_the_next_one_sweeps_those_that_ended_long_ago_and_takes_the_place_of_an_equal_one(site: Site) -> None:
    given(site, ticket(b"1"), ticket(b"2", expires=NOW + timedelta(days=9)))
    later = NOW + timedelta(hours=1) + REMEMBERED
    again = ticket(b"2", family="again", expires=NOW + timedelta(days=9))
    do(site, lambda connection: tickets.add(connection, again, later))
    assert do(site, lambda connection: tickets.find(connection, b"1")) is None
    assert do(site, lambda connection: tickets.find(connection, b"2")) == again


def test_where_answers_may_be_sent_goes_with_the_application(site: Site) -> None:
    given(site)
    uris = ["https://a.example.org/", "http://localhost"]
    do(site, lambda connection: tickets.add_redirects(connection, ALICE.object_id, uris))
    assert do(site, lambda connection: tickets.redirects_of(connection, ALICE.object_id)) == tuple(sorted(uris))
    do(site, lambda connection: directory.remove_principal(connection, ALICE.object_id))
    assert do(site, lambda connection: tickets.redirects_of(connection, ALICE.object_id)) == ()
