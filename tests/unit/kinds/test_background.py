"""A long-running operation ends for whoever asks when the followers know what it did, and not before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from linarite import background
from linarite.longrunning import Pace
from linarite.store import operations, trail
from linarite.store.keys import EVERYTHING
from tests.unit.kinds.house import GROUP

if TYPE_CHECKING:
    from linarite.model import Operation
    from tests.unit.kinds.house import House

VERSION = "2024-11-01"
LEASE = timedelta(seconds=30)


class Follower:
    """Takes down what it is told, and whether the operation is running for everybody else at that moment."""

    def __init__(self, house: House, *, dies: bool = False) -> None:
        self.told: list[frozenset[str]] = []
        self.running: list[bool] = []
        self._gate = house.engine.gate
        self._dies = dies

    async def __call__(self, changed: frozenset[str]) -> None:
        self.told.append(changed)
        found, _ = await self._gate.look(lambda view: operations.running_on(view.connection(), GROUP.lower()))
        self.running.append(found is not None)
        if self._dies:
            raise ConnectionError


@pytest.fixture
def location(house: House) -> str:
    """Where to ask how far the deletion of a group is."""
    house.engine.pace = Pace()
    answer = house.delete(GROUP, version=VERSION)
    assert answer.status == 202
    return dict(answer.headers)["location"]


def claimed(house: House) -> list[Operation]:
    """What a worker finds to do, once the lease of the one before it has ended."""
    now = house.now = house.now + 2 * LEASE
    return house.runner.run(
        house.engine.gate.commit(
            lambda transaction: operations.claim(transaction.connection(), "worker", now, now + LEASE, 9),
            lambda _: None,
        )
    )


def carry_out(house: House, follower: Follower | None) -> None:
    house.engine.followers[:] = [follower] if follower else []
    for operation in claimed(house):
        house.runner.run(background.run(house.engine, operation))


def polled(house: House, location: str) -> int:
    """The status that whoever asks is answered."""
    address = urlsplit(location)
    return house.call("GET", address.path, version=VERSION, query=dict(parse_qsl(address.query))).status


def entries(house: House) -> list[str]:
    found = house.runner.run(house.engine.gate.look(lambda view: trail.entries(view.connection(), 0, 999)))[0]
    return [entry.action for _, entry in found]


def test_it_runs_until_the_followers_were_told(house: House, location: str) -> None:
    follower = Follower(house)
    carry_out(house, follower)
    assert follower.running == [True]
    assert GROUP.lower() in follower.told[0]
    assert polled(house, location) == 200


def test_where_nobody_follows_it_ends_at_once(house: House, location: str) -> None:
    carry_out(house, None)
    assert polled(house, location) == 200
    assert claimed(house) == []


def test_what_a_worker_that_died_had_done_is_told_by_the_next_one_and_not_done_again(
    house: House, location: str
) -> None:
    with pytest.raises(ConnectionError):
        carry_out(house, Follower(house, dies=True))
    assert polled(house, location) == 202
    before, follower = entries(house), Follower(house)
    carry_out(house, follower)
    assert follower.told == [frozenset({EVERYTHING, GROUP.lower()})]
    assert polled(house, location) == 200
    assert entries(house) == before
