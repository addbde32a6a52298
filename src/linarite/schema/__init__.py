"""Shapes of JSON bodies, declared once: what is read from a request, what is kept, what is shown at an api-version.

A kind declares `Field`s. `accept` turns a request body into the body to keep and collects every problem on the way;
`show` turns a kept body into an answer. Member names are matched without regard to case, as Azure's own deserializer
does, and written as declared. Nothing here knows a kind, a store or HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from linarite.schema.field import ABSENT, Field, Reading, Shape
from linarite.schema.holders import Listed, Mapped, Object
from linarite.schema.values import Flag, Free, Guid, Id, Number, Text, Time, Whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from linarite.errors import Problem
    from linarite.model import Body

__all__ = [
    "ABSENT",
    "Accepted",
    "Field",
    "Flag",
    "Free",
    "Guid",
    "Id",
    "Listed",
    "Mapped",
    "Number",
    "Object",
    "Reading",
    "Shape",
    "Text",
    "Time",
    "Whole",
    "accept",
    "show",
]


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
    shown: Body = _showing(fields, version)(body)
    return shown


@lru_cache(maxsize=1024)
def _showing(fields: tuple[Field, ...], version: str) -> Callable[[Body], Body]:
    """What of the declarations counts at an api-version, worked out once: it was half of a GET."""
    return Object(fields).showing(version)
