"""What holds for every type that is served, whoever declared it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from linarite.kind import Effect, is_dated
from linarite.kinds import KINDS
from linarite.routes import Registry
from linarite.schema import ABSENT, Listed, Mapped, Object, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from linarite.kind import Kind
    from linarite.schema import Field, Shape

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.type)


def members(fields: tuple[Field, ...]) -> Iterator[Field]:
    """Every member that is declared, however deep."""
    for one in fields:
        yield one
        yield from members(_inside(one.shape))


def _inside(shape: Shape) -> tuple[Field, ...]:
    while isinstance(shape, Listed | Mapped):
        shape = shape.of
    return shape.fields if isinstance(shape, Object) else ()


def test_every_type_is_declared_once() -> None:
    twice = [type_ for type_, count in Counter(kind.type.lower() for kind in KINDS).items() if count > 1]
    assert twice == []


def test_a_namespace_is_always_written_the_same() -> None:
    spellings = {kind.namespace for kind in KINDS}
    assert len({one.lower() for one in spellings}) == len(spellings)


@every_kind
def test_versions_are_dates_oldest_first(kind: Kind) -> None:
    listed = kind.versions.listed
    assert all(is_dated(version) and version == version.lower() for version in listed)
    dates = [version[:10] for version in listed]
    assert dates == sorted(dates)
    assert len(set(listed)) == len(listed)


@every_kind
def test_a_type_stands_below_a_type_that_is_served(kind: Kind) -> None:
    assert kind.parent in {"", "/", "*"} or Registry(KINDS).kind(kind.parent) is not None


@every_kind
def test_a_type_with_a_location_declares_it_and_has_tags(kind: Kind) -> None:
    names = {one.name for one in kind.fields}
    assert not kind.tracked or kind.source is not None or {"location", "tags"} <= names


@every_kind
def test_how_far_a_long_operation_is_can_be_asked(kind: Kind) -> None:
    if kind.put.long or kind.delete_long or any(action.effect is Effect.LONG for action in kind.actions):
        progress = Registry(KINDS).kind(f"{kind.namespace}/locations/{kind.progress}")
        assert progress is not None
        assert progress.is_progress


@every_kind
def test_every_namespace_lists_its_operations(kind: Kind) -> None:
    assert Registry(KINDS).kind(f"{kind.namespace}/operations") is not None


@every_kind
def test_an_action_is_found_by_its_name_in_any_case(kind: Kind) -> None:
    for action in kind.actions:
        assert kind.action(action.name.upper()) is action


@every_kind
def test_a_release_that_reads_a_body_is_not_answered_from_what_is_remembered(kind: Kind) -> None:
    """What is remembered is found by path, query and token alone."""
    releases = [action for action in kind.actions if action.effect is Effect.RELEASE]
    assert not any(action.repeatable and action.fields for action in releases)


@every_kind
def test_a_member_that_the_server_sets_is_not_asked_for(kind: Kind) -> None:
    for one in members(kind.fields):
        assert not (one.read_only and (one.required or one.secret)), one.name


@every_kind
def test_a_default_is_a_value_that_could_have_been_sent(kind: Kind) -> None:
    for one in members(kind.fields):
        if one.default is not ABSENT:
            reading = Reading("9999-01-01", patch=False)
            one.shape.read(one.default, ABSENT, reading, one.name)
            assert reading.problems == []
