"""Shapes: what is kept of a body, what is shown of what is kept, and that no JSON breaks the reading.

Most of it holds for any declaration whatever, so declarations are drawn as well as bodies.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from linarite.kinds import KINDS
from linarite.schema import ABSENT, Field, Flag, Free, Guid, Id, Listed, Mapped, Object, Text, Time, Whole, accept, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.errors import Problem
    from linarite.model import Body
    from linarite.schema import Accepted, Shape

VERSIONS = ("2019-05-01", "2021-01-01-preview", "2021-07-01", "2023-10-01", "2024-04-01-preview")
NEWEST = "2099-01-01"
SECRET = "never to be seen"

WORKSPACE = "/subscriptions/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee/resourceGroups/g/providers/Microsoft.X/things/t"

# ── JSON, declarations, and bodies that fit them ────────────────────────────────────────────────────────────────────

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXTS, below, max_size=3),
    max_leaves=8,
)

SIMPLE = (
    Text(),
    Text(words=("On", "Off")),
    Text(pattern="[a-z]+"),
    Text(empty_is_null=True),
    Guid(),
    Time(),
    Flag(),
    Whole(),
)
PLAUSIBLE: dict[type, st.SearchStrategy[Any]] = {
    Guid: st.uuids().map(str),
    Time: st.datetimes().map(lambda moment: moment.isoformat()),
    Flag: st.booleans(),
    Whole: st.integers(-(2**31), 2**31 - 1),
    Id: st.just(WORKSPACE),
    Free: JSON,
}


def plausible(shape: Shape) -> st.SearchStrategy[Any]:
    """Values that a shape accepts."""
    if isinstance(shape, Text):
        if shape.words:
            return st.sampled_from(shape.words)
        return st.from_regex(shape.pattern, fullmatch=True) if shape.pattern else TEXTS.filter(bool)
    if isinstance(shape, Listed):
        return st.lists(plausible(shape.of), max_size=2)
    if isinstance(shape, Mapped):
        return st.dictionaries(TEXTS, plausible(shape.of), max_size=2)
    if isinstance(shape, Object):
        return bodies(shape.fields)
    return PLAUSIBLE.get(type(shape), JSON)  # a kind may have a shape of its own


def bodies(fields: tuple[Field, ...], *, whole: bool = False) -> st.SearchStrategy[Body]:
    """Bodies with every required member, and some or all of the others."""
    needed = {one.name: plausible(one.shape) for one in fields if one.required or whole}
    return st.fixed_dictionaries(
        needed, optional={one.name: plausible(one.shape) for one in fields if one.name not in needed}
    )


def shapes() -> st.SearchStrategy[Any]:
    objects = st.deferred(lambda: st.builds(Object, declarations(most=2), open=st.booleans()))
    return st.sampled_from(SIMPLE) | st.builds(Listed, st.sampled_from(SIMPLE)) | objects | objects.map(Mapped)


@st.composite
def declarations(draw: st.DrawFn, most: int = 3) -> tuple[Field, ...]:
    """Members of an object, of any kind that there is."""
    names = draw(st.lists(st.sampled_from("aBcDeF"), max_size=most, unique=True))
    return tuple(draw(st.deferred(lambda name=name: fields(name))) for name in names)  # type: ignore[misc]


def fields(name: str) -> st.SearchStrategy[Field]:
    common = {"name": st.just(name), "since": st.sampled_from(["", *VERSIONS]), "null_shown": st.booleans()}
    return st.one_of(
        st.builds(Field, shape=st.just(Text()), secret=st.just(value=True), **common),
        st.builds(Field, shape=shapes(), read_only=st.just(value=True), **common),
        st.builds(
            Field, shape=shapes(), required=st.booleans(), immutable=st.booleans(), patchable=st.booleans(), **common
        ),
    )


DECLARED = declarations() | st.sampled_from([kind.fields for kind in KINDS])


@st.composite
def declared_and_kept(draw: st.DrawFn) -> tuple[tuple[Field, ...], Body]:
    """A declaration, and a body that was accepted at the newest version, with what a server adds to it."""
    declared = draw(declarations())
    body = draw(bodies(declared, whole=True))
    return declared, _without_secrets(declared, body)


def _without_secrets(declared: tuple[Field, ...], body: Any) -> Body:
    kept = {}
    for one in declared:
        if one.name in body and not one.secret:
            kept[one.name] = _cleaned(one.shape, body[one.name])
    return kept


def _cleaned(shape: Shape, value: Any) -> Any:
    if isinstance(shape, Object):
        return _without_secrets(shape.fields, value)
    if isinstance(shape, Mapped):
        return {name: _cleaned(shape.of, item) for name, item in value.items()}
    return value.lower() if isinstance(shape, Guid) else value


def problems(accepted: Accepted) -> list[tuple[str, str]]:
    return [(problem.target, problem.code) for problem in accepted.problems]


# ── any declaration, any body ───────────────────────────────────────────────────────────────────────────────────────


@given(DECLARED, JSON, st.sampled_from(VERSIONS), st.booleans())
def test_no_json_breaks_the_reading(declared: tuple[Field, ...], body: Any, version: str, patch: bool) -> None:  # noqa: FBT001
    accepted = accept(declared, body, version=version, patch=patch)
    assert isinstance(accepted.body, dict)
    assert bool(accepted.problems) or isinstance(body, dict)


@given(declared_and_kept(), st.data())
def test_no_json_in_a_members_place_breaks_the_reading(
    drawn: tuple[tuple[Field, ...], Body], data: st.DataObject
) -> None:
    declared, before = drawn
    wild = {one.name: data.draw(JSON) for one in declared}
    for patch in (False, True):
        accepted = accept(declared, wild, version=NEWEST, before=before, patch=patch)
        names = {one.name for one in declared}
        assert accepted.body.keys() <= names
        assert {re.split(r"[.\[]", problem.target)[0] for problem in accepted.problems} <= names


@given(st.sampled_from([kind.fields for kind in KINDS]), st.data())
def test_what_is_accepted_without_a_problem_can_be_kept(declared: tuple[Field, ...], data: st.DataObject) -> None:
    accepted = accept(declared, data.draw(bodies(declared)), version=data.draw(st.sampled_from(VERSIONS)))
    if not accepted.problems:
        kept = orjson.loads(orjson.dumps(accepted.body))
        assert show(declared, kept, NEWEST) == show(declared, accepted.body, NEWEST)


@pytest.mark.parametrize(
    ("shape", "value", "kept"),
    [(Listed(Id()), [""], []), (Mapped(Flag()), {"a": ""}, {}), (Listed(Text(empty_is_null=True)), ["", "a"], ["a"])],
    ids=["a list of ids", "a map of flags", "a list of texts"],
)
@pytest.mark.xfail(reason="an item that means no value is kept as ABSENT, which is no JSON", strict=True)
def test_an_item_that_means_no_value_is_left_out(shape: Shape, value: Any, kept: Any) -> None:
    accepted = accept((Field(name="a", shape=shape),), {"a": value}, version=NEWEST)
    assert (accepted.problems, accepted.body) == ((), {"a": kept})


@given(declared_and_kept(), st.sampled_from(VERSIONS))
def test_what_is_shown_is_known_at_the_version_and_no_secret(
    drawn: tuple[tuple[Field, ...], Body], version: str
) -> None:
    declared, kept = drawn
    kept |= {one.name: SECRET for one in declared if one.secret}
    shown = show(declared, kept, version)
    assert SECRET not in repr(shown)
    assert set(unknown(declared, shown, version)) == set()


def unknown(declared: tuple[Field, ...], shown: Any, version: str) -> Iterator[str]:
    """Members that are shown and that a version does not know, or that are secrets, at any depth."""
    by_name = {one.name: one for one in declared}
    for name, value in shown.items():
        one = by_name.get(name)
        if one is None:
            continue
        if one.secret or not one.known_at(version):
            yield name
        if isinstance(one.shape, Object) and value is not None:
            yield from unknown(one.shape.fields, value, version)
        if isinstance(one.shape, Mapped) and isinstance(one.shape.of, Object) and value is not None:
            for item in value.values():
                yield from unknown(one.shape.of.fields, item, version)


@given(declared_and_kept(), st.sampled_from([*VERSIONS, NEWEST]))
def test_a_patch_that_names_nothing_changes_nothing(drawn: tuple[tuple[Field, ...], Body], version: str) -> None:
    declared, kept = drawn
    accepted = accept(declared, {}, version=version, before=deepcopy(kept), patch=True)
    assert (accepted.body, accepted.problems) == (kept, ())


@given(declared_and_kept(), st.data())
def test_a_patch_leaves_what_it_does_not_name(drawn: tuple[tuple[Field, ...], Body], data: st.DataObject) -> None:
    declared, kept = drawn
    patch = data.draw(bodies(declared))
    accepted = accept(declared, patch, version=NEWEST, before=deepcopy(kept), patch=True)
    assume(not accepted.problems)
    assert left_alone(declared, patch, accepted.body) == left_alone(declared, patch, kept)


def left_alone(declared: tuple[Field, ...], patch: Body, body: Body) -> Body:
    """What of a body a patch does not name, at any depth."""
    left: Body = {}
    for one in declared:
        if one.name not in patch or one.read_only:
            left[one.name] = body.get(one.name, ABSENT)
        elif isinstance(one.shape, Object) and one.name in body and one.patchable:
            left[one.name] = left_alone(one.shape.fields, patch[one.name], body[one.name])
    return left


@given(declared_and_kept(), st.data())
def test_names_of_members_are_matched_in_any_case(drawn: tuple[tuple[Field, ...], Body], data: st.DataObject) -> None:
    declared, _ = drawn
    body = data.draw(bodies(declared))
    swapped = {name.swapcase(): value for name, value in body.items()}
    one, other = (accept(declared, each, version=NEWEST) for each in (body, swapped))
    assert (one.body, one.secrets, one.problems) == (other.body, other.secrets, other.problems)


@given(declared_and_kept(), st.data())
def test_what_the_server_sets_is_not_for_requests_to_change(
    drawn: tuple[tuple[Field, ...], Body], data: st.DataObject
) -> None:
    declared, kept = drawn
    for patch in (False, True):
        accepted = accept(declared, data.draw(bodies(declared)), version=NEWEST, before=deepcopy(kept), patch=patch)
        for one in declared:
            if one.read_only:
                assert accepted.body[one.name] == kept[one.name]


@given(declared_and_kept(), st.data(), st.sampled_from(VERSIONS), st.booleans())
def test_what_a_version_does_not_know_stays_what_it_was(
    drawn: tuple[tuple[Field, ...], Body],
    data: st.DataObject,
    version: str,
    patch: bool,  # noqa: FBT001
) -> None:
    declared, kept = drawn
    accepted = accept(declared, data.draw(bodies(declared)), version=version, before=deepcopy(kept), patch=patch)
    for one in declared:
        if not one.known_at(version):
            assert accepted.body.get(one.name) == kept.get(one.name)


@given(declared_and_kept(), st.data())
def test_a_secret_is_handed_over_by_its_path_and_kept_in_no_body(
    drawn: tuple[tuple[Field, ...], Body], data: st.DataObject
) -> None:
    declared, _ = drawn
    wrapped = (Field(name="properties", shape=Object(declared)),)
    body = data.draw(bodies(declared)) | {one.name: SECRET for one in declared if one.secret}
    accepted = accept(wrapped, {"properties": body}, version=NEWEST)
    assert SECRET not in repr(accepted.body)
    given_secrets = {f"properties.{one.name}": SECRET for one in declared if one.secret}
    assert given_secrets.items() <= accepted.secrets.items()


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
