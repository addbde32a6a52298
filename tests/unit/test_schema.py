"""Shapes by example: what is kept of a body, what is shown of what is kept, and what each shape takes."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from linarite.schema import ABSENT, Field, Flag, Free, Guid, Id, Listed, Mapped, Object, Text, Time, Whole, accept, show

if TYPE_CHECKING:
    from linarite.errors import Problem
    from linarite.model import Body
    from linarite.schema import Accepted, Shape

VERSIONS = ("2019-05-01", "2021-01-01-preview", "2021-07-01", "2023-10-01", "2024-04-01-preview")
NEWEST = "2099-01-01"
SECRET = "never to be seen"

WORKSPACE = "/subscriptions/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/resourceGroups/g/providers/Microsoft.X/things/t"

# ── one member ──────────────────────────────────────────────────────────────────────────────────────────────────────

PROPERTIES = (
    Field(
        name="properties",
        default={},
        shape=Object(
            (
                Field(name="id", shape=Guid(), read_only=True),
                Field(name="account", shape=Text(), immutable=True, required=True),
                Field(name="newer", shape=Text(), since="2024-01-01"),
                Field(name="mode", shape=Text(words=("On", "Off")), default="On"),
                Field(name="note", shape=Text()),
            )
        ),
    ),
)
KEPT = {"properties": {"id": str(uuid4()), "account": "st1", "newer": "n", "mode": "Off", "note": "words"}}


def problems(accepted: Accepted) -> list[tuple[str, str]]:
    return [(problem.target, problem.code) for problem in accepted.problems]


@pytest.mark.parametrize("body", [{}, {"properties": {}}, {"properties": None}])
def test_a_put_that_names_nothing_resets_what_is_the_callers_and_leaves_the_rest(body: Body) -> None:
    accepted = accept(PROPERTIES, body, version="2023-10-01", before=deepcopy(KEPT))
    left = {name: KEPT["properties"][name] for name in ("id", "account", "newer")}
    assert (accepted.problems, accepted.body) == ((), {"properties": {**left, "mode": "On"}})


@pytest.mark.parametrize("patch", [False, True])
def test_what_is_given_as_null_is_taken_away(patch: bool) -> None:  # noqa: FBT001
    body = {"properties": {"account": "st1", "note": None, "mode": None}}
    accepted = accept(PROPERTIES, body, version=NEWEST, before=deepcopy(KEPT), patch=patch)
    assert accepted.problems == ()
    assert "note" not in accepted.body["properties"]
    assert accepted.body["properties"]["mode"] == "On"


@pytest.mark.parametrize("patch", [False, True])
def test_what_is_fixed_may_be_said_again_in_any_case_and_not_changed(patch: bool) -> None:  # noqa: FBT001
    def put(account: str) -> Accepted:
        body = {"properties": {"account": account}}
        return accept(PROPERTIES, body, version=NEWEST, before=deepcopy(KEPT), patch=patch)

    assert problems(put("ST1")) == []
    assert problems(put("st2")) == [("properties.account", "PropertyChange")]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    body = {"properties": {"mode": "Sideways", "note": 1, "account": []}}
    assert problems(accept(PROPERTIES, body, version=NEWEST)) == [
        ("properties.account", "Invalid"),
        ("properties.mode", "Invalid"),
        ("properties.note", "Invalid"),
    ]
    assert problems(accept(PROPERTIES, {}, version=NEWEST)) == [("properties.account", "Required")]


def test_a_problem_names_the_item_that_has_it() -> None:
    declared = (Field(name="a", shape=Listed(Mapped(Whole()))),)
    assert problems(accept(declared, {"a": [{"x": 1}, {"y": "z"}]}, version=NEWEST)) == [("a[1].y", "Invalid")]


def test_a_default_is_not_shared() -> None:
    declared = (Field(name="tags", shape=Mapped(Text()), default={}),)
    accept(declared, {}, version=NEWEST).body["tags"]["a"] = "b"
    assert accept(declared, {}, version=NEWEST).body == {"tags": {}}


def test_what_is_not_declared_is_dropped_unless_the_object_is_open() -> None:
    closed, opened = (Field(name="a", shape=Object((), open=whether)) for whether in (False, True))
    body = {"a": {"x": [1]}, "b": 1}
    assert accept((closed,), body, version=NEWEST).body == {"a": {}}
    kept = accept((opened,), body, version=NEWEST).body
    assert kept == show((opened,), kept, NEWEST) == {"a": {"x": [1]}}
    patched = accept((opened,), {"a": {"y": 2}}, version=NEWEST, before=kept, patch=True).body
    assert patched == {"a": {"x": [1], "y": 2}}


def test_members_are_shown_in_the_order_in_which_they_are_declared() -> None:
    declared = tuple(Field(name=name, shape=Text(), null_shown=name == "c") for name in "dcba")
    assert list(show(declared, {"a": "1", "b": "2", "d": "3"}, NEWEST)) == ["d", "c", "b", "a"]
    assert show(declared, {"a": "1"}, NEWEST) == {"c": None, "a": "1"}


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ("2021-01-01", False),
        ("2021-03-01-preview", False),
        ("2021-05-01-preview", True),
        ("2021-05-01", False),
        ("2021-07-01", True),
        ("2023-10-01", True),
        ("2024-01-01", False),
    ],
)
def test_a_member_is_known_from_its_first_version_or_preview_to_its_last(version: str, known: bool) -> None:  # noqa: FBT001
    member = Field(name="a", shape=Text(), since="2021-07-01", preview_since="2021-05-01-preview", until="2023-10-01")
    assert member.known_at(version) is known


# ── one shape ───────────────────────────────────────────────────────────────────────────────────────────────────────

ABC = "AAAAAAAA-bbbb-cccc-dddd-eeeeeeeeeeee"


@pytest.mark.parametrize(
    ("shape", "value", "kept"),
    [
        (Text(), "", ""),
        (Text(empty_is_null=True), "", ABSENT),
        (Text(words=("On", "Off")), "oFF", "Off"),
        (Text(pattern="a+"), "aa", "aa"),
        (Text(longest=3), "abc", "abc"),
        (Guid(), ABC, ABC.lower()),
        (Id(), WORKSPACE, WORKSPACE),
        (Id("microsoft.x/THINGS"), WORKSPACE, WORKSPACE),
        (Id(), "", ABSENT),
        (Time(), "2026-11-24T08:15:30.1234567Z", "2026-11-24T08:15:30.1234567Z"),
        (Time(), "2026-11-24T08:15:30+01:00", "2026-11-24T08:15:30+01:00"),
        (Flag(), False, False),
        (Flag(), "True", True),
        (Flag(), "", ABSENT),
        (Whole(0, 5), 5, 5),
        (Free(), {"a": [None]}, {"a": [None]}),
        (Listed(Text(), most=2), ["a", "b"], ["a", "b"]),
        (Mapped(Whole(), most=1, longest_name=1), {"A": 1}, {"A": 1}),
    ],
    ids=repr,
)
def test_a_value_that_fits_is_kept(shape: Shape, value: Any, kept: Any) -> None:
    accepted = accept((Field(name="a", shape=shape),), {"a": value}, version=NEWEST)
    assert accepted.problems == ()
    assert accepted.body.get("a", ABSENT) == kept
    assert type(accepted.body.get("a", ABSENT)) is type(kept)


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        (Text(), 1),
        (Text(words=("On", "Off")), "Sideways"),
        (Text(pattern="a+"), "ab"),
        (Text(pattern="a+"), "a\n"),
        (Text(longest=3), "abcd"),
        (Guid(), ABC[1:]),
        (Guid(), f"{ABC}\n"),
        (Id(), "st1"),
        (Id(), 1),
        (Id("Microsoft.X/others"), WORKSPACE),
        (Time(), "yesterday"),
        (Time(), 0),
        (Flag(), "yes"),
        (Flag(), 0),
        (Whole(0, 5), 6),
        (Whole(0, 5), -1),
        (Whole(), True),
        (Whole(), 1.0),
        (Whole(), "1"),
        (Listed(Text()), {}),
        (Listed(Text()), [1]),
        (Listed(Text(), most=2), ["a", "b", "c"]),
        (Mapped(Whole()), []),
        (Mapped(Whole(), most=1), {"a": 1, "b": 2}),
        (Mapped(Whole(), longest_name=1), {"ab": 1}),
        (Object(()), []),
        (Object(()), "a"),
    ],
    ids=repr,
)
def test_a_value_that_does_not_fit_is_a_problem(shape: Shape, value: Any) -> None:
    accepted = accept((Field(name="a", shape=shape),), {"a": value}, version=NEWEST)
    [problem] = accepted.problems
    assert problem.target.startswith("a")
    assert is_sentence(problem)


def is_sentence(problem: Problem) -> bool:
    return problem.message.endswith(".") and f"'{problem.target}'" in problem.message


@pytest.mark.parametrize("body", [None, [], "a", 1, True])
def test_a_body_is_an_object(body: Any) -> None:
    [problem] = accept(PROPERTIES, body, version=NEWEST).problems
    assert problem.message == "The body must be a JSON object."


@pytest.mark.parametrize(
    ("shape", "value", "kept"),
    [(Listed(Id()), [""], []), (Mapped(Flag()), {"a": ""}, {}), (Listed(Text(empty_is_null=True)), ["", "a"], ["a"])],
    ids=["a list of ids", "a map of flags", "a list of texts"],
)
def test_an_item_that_means_no_value_is_left_out(shape: Shape, value: Any, kept: Any) -> None:
    accepted = accept((Field(name="a", shape=shape),), {"a": value}, version=NEWEST)
    assert (accepted.problems, accepted.body) == ((), {"a": kept})
