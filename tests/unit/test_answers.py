"""What is remembered of answers: for whom, for how long, and how many."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from linarite.answers import Answers
from linarite.calls import Case, Plan
from linarite.ids import parse
from linarite.kinds import KINDS
from linarite.model import Answer, Principal, PrincipalKind, Secret
from linarite.routes import Registry

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
GROUP = "/subscriptions/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/resourcegroups/g"
REGISTRY = Registry(KINDS)
ANSWER = Answer(200, {"userStorageKey": Secret("k")})


def plan_of(name: str = "w", group: str = GROUP, action: str = "listKeys") -> Plan:
    """What a POST of an action of a workspace is about."""
    path = f"{group}/providers/Microsoft.MachineLearningServices/workspaces/{name}/{action}"
    return Plan("POST", path, parse(path), REGISTRY.resolve("POST", parse(path), ""))


def case(who: str, granted_at: str = GROUP) -> Case:
    """Somebody who was let through by a role at a scope, with a token that counts for an hour."""
    return Case(Principal(who, PrincipalKind.USER, who, ""), LATER, granted_at)


def remembering(*callers: str, plan: Plan, most: int = 10) -> Answers:
    """Answers of state 1 that know what each of the callers was given, whose tokens are their names."""
    answers = Answers(most)
    answers.drop(1)
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


def test_what_is_of_another_state_is_dropped_and_not_kept() -> None:
    plan = plan_of()
    answers = remembering("a", plan=plan)
    answers.drop(2)
    answers.keep(plan, "late", 1, ANSWER, case("late"))
    answers.drop(1)
    assert answers.find(plan, "a", 1, NOW) is None
    assert answers.find(plan, "late", 1, NOW) is None


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
