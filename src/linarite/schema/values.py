"""Shapes of single values: texts, ids, times, numbers. What each reads is shown as it is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from linarite.ids import is_guid, parse_id
from linarite.schema.field import ABSENT

if TYPE_CHECKING:
    from linarite.schema.field import Reading


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
