"""Shapes of JSON bodies, declared once: what is read from a request, what is kept, what is shown at an api-version.

A kind declares `Field`s. `accept` turns a request body into the body to keep and collects every problem on the way;
`show` turns a kept body into an answer. Member names are matched without regard to case, as Azure's own deserializer
does, and written as declared. Nothing here knows a kind, a store or HTTP.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from linarite.errors import Problem
from linarite.ids import is_guid, parse_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.model import Body


class _Absent:
    """The member is not there, which JSON's null is not."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Any = _Absent()


class Shape(Protocol):
    """How one value is read. A shape that holds others has a `show` too; any other value is shown as it is kept."""

    def read(self, value: Any, before: Any, reading: Reading, at: str) -> Any:
        """Answer the value to keep, ABSENT for none; report what is wrong to `reading`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One member of an object."""

    name: str
    shape: Shape
    required: bool = False
    read_only: bool = False
    """Set by the server; what a request says is passed over, as Azure does."""
    immutable: bool = False
    """Cannot be changed once the resource has been created."""
    secret: bool = False
    """Never kept in the body, never shown."""
    patchable: bool = True
    default: Any = ABSENT
    null_shown: bool = False
    """Written as null where there is no value, instead of left out."""
    since: str = ""
    until: str = "9999"
    """First and last api-version that know the member."""
    preview_since: str = ""
    """First preview that knows it, where previews were earlier than `since`."""

    def known_at(self, version: str) -> bool:
        """Whether an api-version knows the member. Versions are dates, so they compare as texts."""
        first = self.preview_since if self.preview_since and version.endswith("-preview") else self.since
        return first <= version <= self.until


@dataclass(slots=True)
class Reading:
    """The state of one `accept`: how to read, and what was found."""

    version: str
    patch: bool
    problems: list[Problem] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    def problem(self, at: str, message: str, code: str = "Invalid") -> Any:
        self.problems.append(Problem(at, message, code))
        return ABSENT


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a request body comes to: the body to keep, its secrets by path, and everything that is wrong with it."""

    body: Body
    secrets: Mapping[str, str]
    problems: tuple[Problem, ...]


def accept(
    fields: tuple[Field, ...], body: Any, *, version: str, before: Body | None = None, patch: bool = False
) -> Accepted:
    """Read a request body.

    Args:
        fields: the members of the object.
        body: decoded JSON, of any shape.
        version: the api-version of the request; members it does not know keep what they were.
        before: the body kept so far, None on creation.
        patch: members left out keep what they were (JSON merge patch), instead of taking their defaults.
    """
    reading = Reading(version, patch)
    kept = Object(fields).read(body, before if before is not None else ABSENT, reading, "")
    return Accepted(kept if isinstance(kept, dict) else {}, reading.secrets, tuple(reading.problems))


def show(fields: tuple[Field, ...], body: Body, version: str) -> Body:
    """The body as that api-version shows it: known members, in declared order, secrets left out."""
    return Object(fields).show(body, version)


@dataclass(frozen=True, slots=True)
class Text:
    """A string. `words` is a closed list, matched without regard to case and kept as declared."""

    words: tuple[str, ...] = ()
    pattern: str = ""
    longest: int = 64 * 1024
    empty_is_null: bool = False
    """An empty string means no value, as Azure ML's own templates use it."""

    def read(self, value: Any, before: Any, reading: Reading, at: str) -> Any:
        del before
        if not isinstance(value, str):
            return reading.problem(at, f"'{at}' must be a string.")
        if not value and self.empty_is_null:
            return ABSENT
        if len(value) > self.longest:
            return reading.problem(at, f"'{at}' must be at most {self.longest} characters long.")
        if self.words:
            return self._word(value, reading, at)
        if self.pattern and not re.fullmatch(self.pattern, value):
            return reading.problem(at, f"'{at}' must match the pattern '{self.pattern}'.")
        return value

    def _word(self, value: str, reading: Reading, at: str) -> Any:
        for word in self.words:
            if word.lower() == value.lower():
                return word
        return reading.problem(at, f"'{value}' is not a value of '{at}'. The values are: {', '.join(self.words)}.")


@dataclass(frozen=True, slots=True)
class Guid:
    """A GUID in its dashed form, kept in lower case."""

    def read(self, value: Any, before: Any, reading: Reading, at: str) -> Any:
        del before
        if isinstance(value, str) and is_guid(value):
            return value.lower()
        return reading.problem(at, f"'{at}' must be a GUID.")


@dataclass(frozen=True, slots=True)
class Id:
    """The id of a resource, of the given type where one is given. An empty string means no value."""

    type: str = ""

    def read(self, value: Any, before: Any, reading: Reading, at: str) -> Any:
        del before
        if value == "":
            return ABSENT
        found = parse_id(value) if isinstance(value, str) else None
        if found is None:
            return reading.problem(at, f"'{at}' must be the id of a resource.", "LinkedInvalidPropertyId")
        if self.type and found.type.lower() != self.type.lower():
            return reading.problem(at, f"'{at}' must be the id of a '{self.type}', not of a '{found.type}'.")
        return value


@dataclass(frozen=True, slots=True)
class Time:
    """An ISO 8601 date and time, kept as it came."""

    def read(self, value: Any, before: Any, reading: Reading, at: str) -> Any:
        del before
        if isinstance(value, str):
            try:
                datetime.fromisoformat(value)
            except ValueError:
                pass
            else:
                return value
        return reading.problem(at, f"'{at}' must be a date and time.")


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean; the strings "true" and "false" count, as ARM templates send them."""

    def read(self, value: Any, before: Any, reading: Reading, at: str) -> Any:
        del before
        if isinstance(value, bool):
            return value
        word = value.lower() if isinstance(value, str) else None
        if word in {"true", "false"}:
            return word == "true"
        return ABSENT if word == "" else reading.problem(at, f"'{at}' must be true or false.")


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number within bounds."""

    least: int = -(2**31)
    most: int = 2**31 - 1

    def read(self, value: Any, before: Any, reading: Reading, at: str) -> Any:
        del before
        if isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most:
            return value
        return reading.problem(at, f"'{at}' must be a whole number from {self.least} to {self.most}.")


@dataclass(frozen=True, slots=True)
class Number:
    """A number within bounds, whole or not."""

    least: float
    most: float

    def read(self, value: Any, before: Any, reading: Reading, at: str) -> Any:
        del before
        if isinstance(value, int | float) and not isinstance(value, bool) and self.least <= value <= self.most:
            return value
        return reading.problem(at, f"'{at}' must be a number from {self.least} to {self.most}.")


@dataclass(frozen=True, slots=True)
class Free:
    """Any JSON, kept as it came."""

    def read(self, value: Any, before: Any, reading: Reading, at: str) -> Any:
        del before, reading, at
        return value


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

    def show(self, value: Any, version: str) -> Any:
        return [_shown(self.of, item, version) for item in value]


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

    def show(self, value: Any, version: str) -> Any:
        return {name: _shown(self.of, item, version) for name, item in value.items()}


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

    def show(self, value: Any, version: str) -> Body:
        shown: Body = {}
        for one in self.fields:
            if one.secret or not one.known_at(version):
                continue
            item = value.get(one.name, ABSENT)
            if item is ABSENT or item is None:
                if one.null_shown or item is None:
                    shown[one.name] = None
            else:
                shown[one.name] = _shown(one.shape, item, version)
        if self.open:
            declared = {one.name for one in self.fields}
            shown |= {name: item for name, item in value.items() if name not in declared}
        return shown


def _shown(shape: Shape, value: Any, version: str) -> Any:
    return shape.show(value, version) if isinstance(shape, Listed | Mapped | Object) else value


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
