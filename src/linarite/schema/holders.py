"""Shapes that hold others: arrays, objects with declared members, and objects whose members' names are data."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from linarite.schema.field import ABSENT

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.model import Body
    from linarite.schema.field import Field, Reading, Shape

    Show = Callable[[Any], Any]

_LAYOUTS = 128
"""Of one shape that are remembered: most resources of a type have the same members."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An array of one shape."""

    of: Shape
    most: int = 10_000

    def read(self, value: Any, before: Any, reading: Reading, at: str) -> Any:
        del before
        if not isinstance(value, list):
            return reading.problem(at, f"'{at}' must be an array.")
        if len(value) > self.most:
            return reading.problem(at, f"'{at}' must have at most {self.most} items.")
        read = (self.of.read(item, ABSENT, reading, f"{at}[{index}]") for index, item in enumerate(value))
        return [item for item in read if item is not ABSENT]

    def showing(self, version: str) -> Show | None:
        show = showing(self.of, version)
        return None if show is None else lambda value: [show(item) for item in value]


@dataclass(frozen=True, slots=True)
class Mapped:
    """An object whose member names are data, as tags are."""

    of: Shape
    most: int = 10_000
    longest_name: int = 2048
    merged: bool = False
    """PATCH leaves the members that it does not name, in any case, and takes away those that it gives as null; it
    replaces all of them otherwise, as it does tags."""

    def read(self, value: Any, before: Any, reading: Reading, at: str) -> Any:
        if not isinstance(value, dict):
            return reading.problem(at, f"'{at}' must be an object.")
        if len(value) > self.most or any(len(name) > self.longest_name for name in value):
            return reading.problem(
                at,
                f"'{at}' must have at most {self.most} members with names of at most {self.longest_name} characters.",
            )
        old = before if isinstance(before, dict) else {}
        kept: Body = {}
        if self.merged:
            named = {name.lower() for name in value}
            kept = {name: item for name, item in old.items() if reading.patch and name.lower() not in named}
            value = {name: item for name, item in value.items() if item is not None}
        for name, item in value.items():
            read = self.of.read(item, old.get(name, ABSENT), reading, f"{at}.{name}")
            if read is not ABSENT:
                kept[name] = read
        return kept

    def showing(self, version: str) -> Show | None:
        show = showing(self.of, version)
        return None if show is None else lambda value: {name: show(item) for name, item in value.items()}


@dataclass(frozen=True, slots=True)
class Object:
    """An object with declared members; what is not declared is dropped, or kept where `open`."""

    fields: tuple[Field, ...]
    open: bool = False

    def read(self, value: Any, before: Any, reading: Reading, at: str) -> Any:
        if not isinstance(value, dict):
            return reading.problem(at, f"'{at}' must be an object." if at else "The body must be a JSON object.")
        old = before if isinstance(before, dict) else {}
        given = {name.lower(): name for name in value}
        kept: Body = {}
        for one in self.fields:
            name = given.pop(one.name.lower(), None)
            raw = value[name] if name is not None else ABSENT
            result = _member(one, raw, old.get(one.name, ABSENT), reading, f"{at}.{one.name}" if at else one.name)
            if result is not ABSENT:
                kept[one.name] = result
        if self.open:
            declared = {one.name for one in self.fields}
            if reading.patch:
                kept |= {name: item for name, item in old.items() if name not in declared}
            kept |= {name: value[name] for name in given.values()}
        return kept

    def showing(self, version: str) -> Show:
        known = [one for one in self.fields if not one.secret and one.known_at(version)]
        holders = {one.name: inner for one in known if (inner := showing(one.shape, version)) is not None}
        declared = {one.name for one in self.fields}

        @lru_cache(maxsize=_LAYOUTS)
        def layout(given: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[tuple[str, Show], ...]]:
            """Of an object with these members, those that are shown, in declared order; and those that hold others."""
            names = tuple(one.name for one in known if one.null_shown or one.name in given)
            return names, tuple((name, holders[name]) for name in names if name in holders)

        def show(value: Body) -> Body:
            # Of an open object, the members that are anybody's are not remembered.
            names, holding = layout(tuple(filter(declared.__contains__, value)) if self.open else tuple(value))
            shown = {name: value.get(name) for name in names}
            for name, inner in holding:
                if (item := shown[name]) is not None:
                    shown[name] = inner(item)
            if self.open:
                shown |= {name: item for name, item in value.items() if name not in declared}
            return shown

        return show


def showing(shape: Shape, version: str) -> Show | None:
    """How an api-version shows a value of that shape; None where it is shown as it is kept."""
    return shape.showing(version) if isinstance(shape, Listed | Mapped | Object) else None


def _member(one: Field, raw: Any, old: Any, reading: Reading, at: str) -> Any:
    """The value to keep for one member, or ABSENT."""
    if one.read_only or not one.known_at(reading.version) or (reading.patch and not one.patchable):
        return old
    if raw is ABSENT or raw is None:
        return _missing(one, raw, old, reading, at)
    value = one.shape.read(raw, old, reading, at)
    if value is ABSENT:
        return _missing(one, None, old, reading, at) if raw == "" else ABSENT
    if one.secret:
        reading.secrets[at] = value
        return ABSENT
    if one.immutable and old is not ABSENT and not _same(value, old):
        return reading.problem(at, f"'{at}' cannot be changed once the resource has been created.", "PropertyChange")
    return value


def _missing(one: Field, raw: Any, old: Any, reading: Reading, at: str) -> Any:
    """What a member left out, or given as null, comes to.

    A default is read as if it had been sent: what an object holds of the server's own stays, and its members have
    defaults too.
    """
    if old is not ABSENT and (one.immutable or (reading.patch and raw is ABSENT)):
        return old
    if one.required:
        return reading.problem(at, f"'{at}' is required.", "Required")
    return one.shape.read(deepcopy(one.default), old, reading, at) if one.default is not ABSENT else ABSENT


def _same(one: Any, other: Any) -> bool:
    """Ids and words are the same in any case."""
    if isinstance(one, str) and isinstance(other, str):
        return one.lower() == other.lower()
    return bool(one == other)
