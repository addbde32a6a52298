"""When a batch is worth waiting for."""

from __future__ import annotations

import pytest

from linarite.store.rhythm import Rhythm


def after(*sizes: int) -> Rhythm:
    rhythm = Rhythm()
    for size in sizes:
        rhythm.note(size)
    return rhythm


def test_at_first_nobody_waits_for_others() -> None:
    assert not Rhythm().falls_short(1)


def test_one_after_one_is_never_kept_waiting() -> None:
    assert not after(*[1] * 100).falls_short(1)
    assert not after(*[16] * 50, *[1] * 50).falls_short(1), "those who came together are forgotten"


@pytest.mark.parametrize("usual", [2, 8, 16])
def test_fewer_than_usual_fall_short_and_as_many_do_not(usual: int) -> None:
    rhythm = after(*[usual] * 100)
    assert rhythm.falls_short(usual - 1)
    assert not rhythm.falls_short(usual)
    assert not rhythm.falls_short(usual + 1)


def test_where_many_are_usual_nobody_is_waited_for() -> None:
    assert not after(*[64] * 100).falls_short(1)


def test_one_odd_batch_is_not_the_usual_one() -> None:
    assert not after(*[1] * 100, 4).falls_short(1)
    assert after(*[8] * 100, 1).falls_short(6)
