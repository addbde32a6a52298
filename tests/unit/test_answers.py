"""What is remembered of answers: for whom, for how long, and how many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from linarite.answers import Answers, Known
from linarite.calls import Call, Case, Plan
from linarite.model import Answer, Secret
from linarite.web.render import answer_body

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def call(token: str, query: str = "api-version=2023-10-01") -> Call:
    return Call("POST", "/", query, {}, token, lambda: None, "https://localhost", "r", "c", "127.0.0.1")


def plan_of() -> Plan:
    return Plan("POST", "/")


def given(key: str = "k") -> Known:
    return Known(Answer(200, {"userStorageKey": Secret(key)}), Case(expires=LATER))


def remembering(*calls: Call, plan: Plan, most: int = 10) -> Answers:
    """Answers of state 1 that know what each of the calls was given."""
    answers = Answers(most)
    answers.drop(1)
    for one in calls:
        answers.keep(plan, one, 1, given())
    return answers


def test_an_answer_is_for_the_same_plan_query_token_and_state_until_the_token_ends() -> None:
    plan = plan_of()
    answers = remembering(call("a"), plan=plan)
    assert answers.find(plan, call("a"), 1, NOW) == given()
    assert answers.find(plan_of(), call("a"), 1, NOW) is None
    assert answers.find(plan, call("b"), 1, NOW) is None
    assert answers.find(plan, call("a", "api-version=2023-10-01&x"), 1, NOW) is None
    assert answers.find(plan, call("a"), 1, LATER) is None
    assert answers.find(plan, call("a"), 2, NOW) is None


def test_what_is_of_another_state_is_dropped_and_not_kept() -> None:
    plan = plan_of()
    answers = remembering(call("a"), plan=plan)
    answers.drop(2)
    answers.keep(plan, call("late"), 1, given())
    answers.drop(1)
    assert answers.find(plan, call("a"), 1, NOW) is None
    assert answers.find(plan, call("late"), 1, NOW) is None


def test_callers_who_get_the_same_share_one_answer_of_which_the_bytes_are_kept() -> None:
    plan, answers = plan_of(), remembering(plan=plan_of())
    for token, key in zip("abcd", ("k", "k", "another", "k"), strict=True):
        known = given(key)
        answers.keep(plan, call(token), 1, known)
        answer_body(known.answer)
        assert known.answer.body is None
    first, second, third, last = (answers.find(plan, call(token), 1, NOW) for token in "abcd")
    assert first is not None
    assert second is not None
    assert third is not None
    assert last is not None
    assert first.answer is second.answer
    assert b'"k"' in answer_body(second.answer)
    assert b'"another"' in answer_body(third.answer)
    answers.keep(plan, call("e"), 1, given())
    last = answers.find(plan, call("d"), 1, NOW)
    assert last is not None
    assert first.answer is last.answer


def test_answers_that_nobody_has_rendered_are_nobody_elses() -> None:
    plan = plan_of()
    answers = remembering(call("a"), plan=plan)
    answers.keep(plan, call("b"), 1, given("another"))
    answers.keep(plan, call("c"), 1, given())
    found = [answers.find(plan, call(token), 1, NOW) for token in "abc"]
    assert found == [given(), given("another"), given()]


def test_many_callers_and_many_plans_make_room() -> None:
    plan, many = plan_of(), [call(f"many {number}") for number in range(100)]
    answers = remembering(*many, plan=plan, most=2)
    found = [answers.find(plan, one, 1, NOW) for one in many]
    assert [one is not None for one in found] == [False] * 68 + [True] * 32
    for _ in range(2):
        answers.keep(plan_of(), call("a"), 1, given())
    assert answers.find(plan, many[-1], 1, NOW) is None
