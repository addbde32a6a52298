"""What is remembered of answers: for whom, for how long, and how many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from linarite.answers import Answers
from linarite.calls import Case, Plan
from linarite.ids import parse
from linarite.kinds import KINDS
from linarite.model import Answer, Principal, PrincipalKind, Secret
from linarite.routes import Registry
from linarite.store.keys import EVERYTHING, principal_key

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
GROUP = "/subscriptions/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/resourcegroups/g"
REGISTRY = Registry(KINDS)
ANSWER = Answer(200, {"userStorageKey": Secret("k")})


def plan_of(name: str = "w", group: str = GROUP, action: str = "listKeys") -> Plan:
    """What a POST of an action of a workspace is about."""
    path = f"{group}/providers/Microsoft.MachineLearningServices/workspaces/{name}/{action}"
    return Plan("POST", path, parse(path), REGISTRY.resolve("POST", parse(path), ""))


def case(who: str, granted_at: str = GROUP, *sources: str) -> Case:
    """Somebody who was let through by a role at a scope, with a token that counts for an hour; what was looked at."""
    return Case(
        Principal(who, PrincipalKind.USER, who, ""),
        LATER,
        granted_at,
        sources=set(sources),
        caller_sources={principal_key(who)},
    )


def remembering(*callers: str, plan: Plan, most: int = 10) -> Answers:
    """Answers of state 1 that know what each of the callers was given, whose tokens are their names."""
    answers = Answers(most, 1)
    for one in callers:
        answers.keep(plan, one, 1, ANSWER, case(one))
    return answers


def test_an_answer_is_for_the_same_plan_and_state_until_the_token_ends() -> None:
    plan = plan_of()
    answers = remembering("a", plan=plan)
    assert answers.find(plan, "a", 1, NOW) == (ANSWER, case("a").principal)
    assert answers.find(plan_of(), "a", 1, NOW) is None
    assert answers.find(plan, "b", 1, NOW) is None
    assert answers.find(plan, None, 1, NOW) is None
    assert answers.find(plan, "a", 1, LATER) is None
    assert answers.find(plan, "a", 2, NOW) is None


def test_an_answer_is_for_everybody_who_was_let_through_by_a_role_above() -> None:
    plan, neighbour = plan_of(), plan_of("neighbour")
    answers = remembering("a", plan=plan)
    answers.keep(neighbour, "b", 1, ANSWER, case("b"))
    assert answers.find(plan, "b", 1, NOW) == (ANSWER, case("b").principal)


def test_a_role_elsewhere_or_for_something_else_lets_nobody_through() -> None:
    plan = plan_of()
    answers = remembering("a", plan=plan)
    answers.keep(plan_of("neighbour"), "own", 1, ANSWER, case("own", plan_of("neighbour").scopes[0]))
    answers.keep(plan_of(group=GROUP + "2"), "elsewhere", 1, ANSWER, case("elsewhere", GROUP + "2"))
    answers.keep(plan_of(action="listNotebookKeys"), "else", 1, ANSWER, case("else"))
    assert [answers.find(plan, who, 1, NOW) for who in ("own", "elsewhere", "else")] == [None, None, None]


def test_what_is_of_another_state_is_not_kept_nor_found() -> None:
    plan, late = plan_of(), plan_of("late")
    answers = remembering("a", plan=plan)
    answers.keep(late, "a", 0, ANSWER, case("a"))
    answers.keep(late, "a", 2, ANSWER, case("a"))
    assert [answers.find(late, "a", version, NOW) for version in (0, 1, 2)] == [None, None, None]
    answers.follow(2, set())
    assert answers.find(plan, "a", 2, NOW) == (ANSWER, case("a").principal)
    assert answers.find(plan, "a", 1, NOW) is None


def test_what_changes_takes_the_answers_with_it_that_it_was_looked_at_for() -> None:
    first, second, third = plan_of("1"), plan_of("2"), plan_of("3")
    answers = remembering(plan=first)
    answers.keep(first, "a", 1, ANSWER, case("a", GROUP, "/1", "/all"))
    answers.keep(second, "a", 1, ANSWER, case("a", GROUP, "/2", "/all"))
    answers.keep(third, "a", 1, ANSWER, case("a", GROUP, EVERYTHING))

    def known() -> list[bool]:
        return [answers.find(plan, "a", version, NOW) is not None for plan in (first, second, third)]

    for version, changed, left in (
        (2, set(), [True, True, True]),
        (3, {"/1"}, [False, True, False]),
        (4, {"/3"}, [False, True, False]),
        (5, {"/all"}, [False, False, False]),
    ):
        answers.follow(version, changed)
        assert known() == left


def test_who_changes_has_to_be_let_through_again_and_nobody_else() -> None:
    plan = plan_of()
    answers = remembering("a", "b", plan=plan)
    answers.follow(2, {principal_key("a")})
    assert answers.find(plan, "a", 2, NOW) is None
    assert answers.find(plan, "b", 2, NOW) == (ANSWER, case("b").principal)


@pytest.mark.parametrize("changed", ["/role1", "/role2"])
def test_somebody_goes_with_all_that_was_ever_looked_at_for_them(changed: str) -> None:
    """A role at one workspace, and another one, of another definition, at a second."""
    first, second = plan_of("1"), plan_of("2")
    answers = remembering(plan=first)
    for plan, role in ((first, "/role1"), (second, "/role2")):
        seen = case("a", plan.scopes[0])
        seen.caller_sources = {role}
        answers.keep(plan, "a", 1, ANSWER, seen)
    assert answers.find(first, "a", 1, NOW)
    answers.follow(2, {changed})
    assert [answers.find(plan, "a", 2, NOW) for plan in (first, second)] == [None, None]


def test_nothing_outlives_a_change_of_which_nobody_knows_what_it_was() -> None:
    plan = plan_of()
    answers = remembering("a", plan=plan)
    answers.follow(2, {EVERYTHING})
    assert len(answers) == 0
    answers.keep(plan, "b", 2, ANSWER, case("b"))
    assert answers.find(plan, "a", 2, NOW) is None


def test_a_case_without_a_caller_or_a_role_is_not_kept() -> None:
    plan = plan_of()
    answers = remembering(plan=plan)
    answers.keep(plan, None, 1, ANSWER, Case())
    answers.keep(plan, "a", 1, ANSWER, Case(case("a").principal, LATER))
    assert len(answers) == 0


def test_many_plans_make_room() -> None:
    plan = plan_of()
    answers = remembering("a", plan=plan, most=2)
    for name in ("second", "third"):
        answers.keep(plan_of(name), "a", 1, ANSWER, case("a"))
    assert answers.find(plan, "a", 1, NOW) is None
    assert len(answers) == 2
