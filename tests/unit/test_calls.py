"""What a plan remembers of its releases: for whom, for how long, and how many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from linarite.calls import Call, Case, Plan, Released
from linarite.model import Answer, Secret

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def call(token: str, query: str = "api-version=2023-10-01") -> Call:
    return Call("POST", "/", query, {}, token, lambda: None, "https://localhost", "r", "c", "127.0.0.1")


def released(version: int = 1, key: str = "k") -> Released:
    return Released(version, Answer(200, {"userStorageKey": Secret(key)}), Case(expires=LATER))


def test_a_release_is_for_the_same_token_query_and_state_until_the_token_ends() -> None:
    plan, what = Plan(None), released()
    plan.remember(call("a"), what)
    assert plan.released(call("a"), 1, NOW) == what
    assert plan.released(call("b"), 1, NOW) is None
    assert plan.released(call("a", "api-version=2023-10-01&x"), 1, NOW) is None
    assert plan.released(call("a"), 2, NOW) is None
    assert plan.released(call("a"), 1, LATER) is None


def test_callers_who_get_the_same_share_one_answer() -> None:
    plan = Plan(None)
    for token, key in (("a", "k"), ("b", "k"), ("c", "another")):
        plan.remember(call(token), released(key=key))
    first, second, third = (plan.released(call(token), 1, NOW) for token in "abc")
    assert first is not None
    assert second is not None
    assert third is not None
    assert first.answer is second.answer
    assert third.answer.body == {"userStorageKey": Secret("another")}


def test_what_is_of_an_older_state_makes_room_and_so_do_many_callers() -> None:
    plan = Plan(None)
    plan.remember(call("a"), released(1))
    plan.remember(call("b"), released(2))
    assert plan.released(call("a"), 1, NOW) is None
    for number in range(100):
        plan.remember(call(f"many {number}"), released(2))
    found = [plan.released(call(f"many {number}"), 2, NOW) for number in range(100)]
    assert 0 < sum(one is not None for one in found) <= 8
    assert found[-1] is not None
