"""A member of an object, the shape of its value, and the state of one reading: what shapes are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from linarite.errors import Problem


class _Absent:
    """The member is not there, which JSON's null is not."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Any = _Absent()


class Shape(Protocol):
    """How one value is read. A shape that holds others has `showing` too; any other value is shown as it is kept."""

    def read(self, value: Any, before: Any, reading: Reading, at: str) -> Any:
        """Answer the value to keep, ABSENT for none; report what is wrong to `reading`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """One member of an object. It equals itself alone, so that what was worked out for it is found again at once."""

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
