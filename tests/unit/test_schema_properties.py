"""Shapes of any kind: what holds for every declaration and every body, so that both are drawn at random."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import orjson
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from linarite.kinds import KINDS
from linarite.schema import ABSENT, Field, Flag, Free, Guid, Id, Listed, Mapped, Object, Text, Time, Whole, accept, show

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.model import Body
    from linarite.schema import Shape

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


few = settings(max_examples=50)
"""Enough where a declaration is drawn as well as bodies, and drawing takes longer than reading."""

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


# ── any declaration, any body ───────────────────────────────────────────────────────────────────────────────────────


@given(DECLARED, JSON, st.sampled_from(VERSIONS), st.booleans())
def test_no_json_breaks_the_reading(declared: tuple[Field, ...], body: Any, version: str, patch: bool) -> None:  # noqa: FBT001
    accepted = accept(declared, body, version=version, patch=patch)
    assert isinstance(accepted.body, dict)
    assert bool(accepted.problems) or isinstance(body, dict)


@few
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
        if not accepted.problems:
            orjson.dumps(accepted.body)


@given(st.sampled_from([kind.fields for kind in KINDS]), st.data())
def test_what_is_accepted_without_a_problem_can_be_kept(declared: tuple[Field, ...], data: st.DataObject) -> None:
    accepted = accept(declared, data.draw(bodies(declared)), version=data.draw(st.sampled_from(VERSIONS)))
    if not accepted.problems:
        kept = orjson.loads(orjson.dumps(accepted.body))
        assert show(declared, kept, NEWEST) == show(declared, accepted.body, NEWEST)


@few
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


@few
@given(declared_and_kept(), st.sampled_from([*VERSIONS, NEWEST]))
def test_a_patch_that_names_nothing_changes_nothing(drawn: tuple[tuple[Field, ...], Body], version: str) -> None:
    declared, kept = drawn
    accepted = accept(declared, {}, version=version, before=deepcopy(kept), patch=True)
    assert (accepted.body, accepted.problems) == (kept, ())


@few
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


@few
@given(declared_and_kept(), st.data())
def test_names_of_members_are_matched_in_any_case(drawn: tuple[tuple[Field, ...], Body], data: st.DataObject) -> None:
    declared, _ = drawn
    body = data.draw(bodies(declared))
    swapped = {name.swapcase(): value for name, value in body.items()}
    one, other = (accept(declared, each, version=NEWEST) for each in (body, swapped))
    assert (one.body, one.secrets, one.problems) == (other.body, other.secrets, other.problems)


@few
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


@few
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


@few
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
