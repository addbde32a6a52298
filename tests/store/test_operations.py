"""Long-running operations: each is done by one worker, and goes on with another when that one dies."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from linarite.model import Operation, OperationState
from linarite.store import operations
from tests.store.site import ACCOUNT, ALICE, NOW, TEAM, recorded

if TYPE_CHECKING:
    from linarite.store.gate import Gate
    from linarite.store.transaction import Transaction
    from tests.store.site import Site

LEASE = timedelta(seconds=30)
SECOND = timedelta(seconds=1)


def operation(number: int, due: datetime = NOW) -> Operation:
    return Operation(
        id=f"op{number}",
        target=ACCOUNT,
        step="create",
        state=OperationState.RUNNING,
        started=NOW,
        due=due,
        caller=ALICE.object_id,
        correlation="c",
        api_version="2023-10-01",
        input={"a": [1, None]},
    )


def begin(site: Site, *new: Operation) -> None:
    def work(transaction: Transaction) -> None:
        for one in new:
            operations.add(transaction.connection(), one)

    site.commit(work)


async def claimed(gate: Gate, now: datetime, most: int = 16, worker: str = "w") -> list[Operation]:
    return await gate.commit(
        lambda transaction: operations.claim(transaction.connection(), worker, now, now + LEASE, most), recorded
    )


def claim(site: Site, now: datetime, most: int = 16) -> list[tuple[str, int]]:
    """Ids of what is claimed, each with the number of the attempt that this is."""
    return [(one.id, one.attempts) for one in site.run(claimed(site.gate, now, most))]


def next_due(site: Site, now: datetime) -> datetime | None:
    return site.ask(lambda connection: operations.next_due(connection, now))


# ── kept ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_operation_is_read_as_it_was_begun(site: Site) -> None:
    begin(site, operation(1))
    assert site.ask(lambda connection: operations.find(connection, "op1")) == operation(1)
    assert site.ask(lambda connection: operations.find(connection, "op2")) is None


@pytest.mark.parametrize(
    "ending",
    [
        {"state": OperationState.SUCCEEDED, "result": {"key": "value"}},
        {"state": OperationState.FAILED, "error": {"code": "Conflict", "message": "Not now."}},
        {"state": OperationState.CANCELED},
    ],
    ids=lambda ending: ending["state"],
)
def test_an_operation_ends_as_it_was_said_to(site: Site, ending: dict[str, object]) -> None:
    begin(site, operation(1))
    [(_, attempts)] = claim(site, NOW)
    ended = replace(operation(1), ended=NOW + SECOND, attempts=attempts, **ending)  # type: ignore[arg-type]
    site.commit(lambda transaction: operations.end(transaction.connection(), ended))
    assert site.ask(lambda connection: operations.find(connection, "op1")) == ended


def test_what_is_under_way_on_a_resource_is_found_until_it_ends(site: Site) -> None:
    def running(target: str) -> Operation | None:
        return site.ask(lambda connection: operations.running_on(connection, target))

    begin(site, operation(1))
    assert running(ACCOUNT.key) == operation(1)
    assert running(TEAM.key) is None
    ended = replace(operation(1), state=OperationState.SUCCEEDED)
    site.commit(lambda transaction: operations.end(transaction.connection(), ended))
    assert running(ACCOUNT.key) is None


# ── claimed ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_operation_is_claimed_by_one_worker_only(site: Site) -> None:
    async def both(other: Gate) -> list[list[Operation]]:
        tries = (claimed(gate, NOW, 3, f"w{number}") for number, gate in enumerate([site.gate, other] * 5))
        return await asyncio.gather(*tries)

    begin(site, *map(operation, range(20)))
    taken = [one.id for each in site.run(both(site.another())) for one in each]
    assert sorted(taken) == sorted(f"op{number}" for number in range(20))


def test_no_more_are_claimed_than_were_asked_for_and_the_oldest_first(site: Site) -> None:
    begin(site, *(operation(number, NOW - number * SECOND) for number in range(5)))
    assert [id_ for id_, _ in claim(site, NOW, most=2)] == ["op4", "op3"]
    assert [id_ for id_, _ in claim(site, NOW, most=2)] == ["op2", "op1"]


def test_an_operation_is_not_claimed_before_it_is_due(site: Site) -> None:
    begin(site, operation(1, NOW + SECOND))
    assert claim(site, NOW) == []
    assert claim(site, NOW + SECOND) == [("op1", 1)]


def test_an_operation_can_be_claimed_again_when_the_lease_has_ended_and_attempts_are_counted(site: Site) -> None:
    begin(site, operation(1))
    assert claim(site, NOW) == [("op1", 1)]
    assert claim(site, NOW + LEASE - SECOND) == []
    assert claim(site, NOW + LEASE) == [("op1", 2)]
    assert claim(site, NOW + LEASE + SECOND) == []
    assert claim(site, NOW + LEASE * 2) == [("op1", 3)]


def test_an_operation_that_has_ended_is_not_claimed_again(site: Site) -> None:
    begin(site, operation(1))
    claim(site, NOW)
    ended = replace(operation(1), state=OperationState.FAILED)
    site.commit(lambda transaction: operations.end(transaction.connection(), ended))
    assert claim(site, NOW + LEASE * 2) == []
    assert next_due(site, NOW) is None


# ── due ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_due_where_nothing_runs(site: Site) -> None:
    assert next_due(site, NOW) is None


def test_the_next_one_is_due_when_it_may_be_claimed(site: Site) -> None:
    begin(site, operation(1, NOW + 5 * SECOND), operation(2, NOW + 3 * SECOND))
    assert next_due(site, NOW) == NOW + 3 * SECOND
    assert claim(site, NOW + 3 * SECOND) == [("op2", 1)]
    assert next_due(site, NOW + 3 * SECOND) == NOW + 5 * SECOND
    assert claim(site, NOW + 5 * SECOND) == [("op1", 1)]
    lease_ends = next_due(site, NOW + 5 * SECOND)
    assert lease_ends == NOW + 3 * SECOND + LEASE
    assert claim(site, lease_ends) == [("op2", 2)], "a worker that comes back then does not come in vain"


def test_what_is_overdue_is_due_now(site: Site) -> None:
    begin(site, operation(1))
    assert next_due(site, NOW + LEASE) == NOW + LEASE
