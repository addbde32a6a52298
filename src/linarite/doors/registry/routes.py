"""Routes: which path and method is which operation, what it needs, and what an operation gets to work with.

This module knows patterns and types; the tables are beside the operations.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from linarite.doors.registry import names, scopes
from linarite.doors.registry.refused import refused

if TYPE_CHECKING:
    import re

    from linarite.doors.registry.content import Content
    from linarite.doors.registry.desk import Action
    from linarite.doors.registry.front import Proof
    from linarite.doors.registry.messages import Answer, Request
    from linarite.doors.registry.scopes import Access


PATIENCE = 60.0
"""Seconds that a client may be silent in the middle of a body."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long what nobody needs is kept; times in seconds."""

    upload_life: float = 24 * 60 * 60
    """An upload to which nothing is added for so long is given up."""
    grace: float = 24 * 60 * 60
    """A blob that nothing refers to is kept for so long."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that has been let in, at the content that it may see."""

    request: Request
    proof: Proof
    content: Content
    limits: Limits
    parts: Mapping[str, str]
    """What the named groups of the route's pattern matched."""

    @property
    def repository(self) -> names.Repository:
        return names.Repository(self.parts["name"])  # checked when the route was found

    @property
    def digest(self) -> names.Digest:
        return names.digest(self.parts["reference"])


Operation = Callable[[Any], Awaitable["Answer"]]
"""What it is given is for the back end to say: a `Visit` where that is the embedded one."""
Need = Sequence["Action"]


@dataclass(frozen=True, slots=True)
class Route:
    """A path and what may be done to it. A pattern without the group `name` is of the registry as a whole.

    HEAD is GET without the body, unless it stands here itself.
    """

    pattern: re.Pattern[str]
    methods: Mapping[str, tuple[Need, Operation]]


@dataclass(frozen=True, slots=True)
class Found:
    """The operation that a request asks for, and the access that it takes."""

    operation: Operation
    needed: list[Access]
    parts: Mapping[str, str]


class Back(Protocol):
    """What keeps the content: registries in this machine's folders, or another registry.

    A registry's content is in its `place` (`Grant.place`), and no place sees another's.
    """

    @property
    def routes(self) -> Sequence[Route]:
        """What it can do."""

    async def open(self) -> None:
        """Look whether what it keeps can be used.

        Raises:
            IndexUnusable: it cannot.
        """

    async def answer(self, found: Found, request: Request, proof: Proof) -> Answer:
        """Do what was asked and is allowed.

        Raises:
            Refused: it is not done.
        """

    async def places(self) -> Collection[str]:
        """Places that have content and can be discarded."""

    async def discard(self, place: str) -> None:
        """Remove the content of a place for good."""

    async def tend(self) -> None:
        """Tidy up."""

    async def close(self) -> None:
        """Close all."""


def find(routes: Sequence[Route], request: Request) -> Found:
    """The operation for a request.

    Raises:
        Refused: there is none for this path (404) or this method (405), or the repository's name is none.
    """
    for route in routes:
        match = route.pattern.fullmatch(request.path)
        if match is None:
            continue
        parts = match.groupdict()
        if "name" in parts:
            names.repository(parts["name"])
        method = route.methods.get(request.method)
        if method is None and request.method == "HEAD":
            method = route.methods.get("GET")
        if method is None:
            raise refused("UNSUPPORTED", headers=[("Allow", ", ".join(route.methods))])
        actions, operation = method
        return Found(operation, _needed(actions, parts), parts)
    raise refused("UNSUPPORTED", status=404, message="there is nothing at this path")


def _needed(actions: Need, parts: Mapping[str, str]) -> list[Access]:
    if not actions:
        return []
    if "name" in parts:
        return [scopes.on(names.Repository(parts["name"]), *actions)]
    return [scopes.CATALOG]
