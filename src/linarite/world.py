"""What a hook or an action of a kind may ask of the world, and do in it: two protocols, and the settings it may see.

Kinds know these alone; `context` fulfils them over a view or a unit of work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from linarite.ids import ResourceId
    from linarite.model import Assignment, Body, Entry, Principal, Resource, Role, Secret


@dataclass(frozen=True, slots=True)
class Options:
    """The settings that kinds may see."""

    tenant: str
    origin: str
    """`https://host:port` of the server."""
    location: str
    storage_id_member: str = "documented"
    resync: str = "manual"
    trusting: bool = False
    """Whether tokens of other issuers count."""
    endpoints: Mapping[str, str] = field(default_factory=dict)
    """Base addresses of the doors that are open, by name."""


class Reading(Protocol):
    """What a hook or an action may ask: one state of the world, whole and unchanging while it runs."""

    now: datetime
    options: Options
    caller: Principal | None
    """Who asks; None where the answer may be given to others, too: a GET, and an action that is repeatable."""
    registry: Any
    """The kinds there are, for those that list them."""
    version: str
    """The api-version of the request."""
    asked: ResourceId
    """The resource that the request names, or the scope that it lists."""

    def find(self, id_: ResourceId | str) -> Resource | None:
        """The resource of that id, in any case; None where there is none, or it is soft-deleted."""

    def at(self, scope: ResourceId, type_: str) -> Iterable[Resource]:
        """The resources of an extension type right at a scope."""

    def named(self, type_: str, name: str) -> Iterable[Resource]:
        """The resources of a type with that name, anywhere in the tenant."""

    def secrets(self, resource: Resource) -> Mapping[str, Secret]:
        """The secrets that are kept with a resource, by name; each is unsealed when it is asked for."""

    def principal(self, object_id: str) -> Principal | None:
        """Somebody in the directory, by object id."""

    def role(self, id_: str) -> Role | None:
        """A role by its GUID, built in or custom."""

    def assignments_of(self, principal: str) -> tuple[Assignment, ...]:
        """The roles that a principal holds, anywhere."""

    def assigned(self, role: str) -> Mapping[str, Assignment]:
        """Who holds a role and where, by the keys of the roleAssignments that say so."""

    def owners(self) -> Mapping[str, Assignment]:
        """Who owns the subscription, as `assigned` does: at it or above it, and neither disabled nor gone."""

    def may(self, operation: str, scope: ResourceId) -> bool:
        """Whether the caller's roles grant an operation elsewhere."""

    def trail(self, before: int | None, most: int) -> list[tuple[int, Entry]]:
        """Entries of the trail before a place, or the last ones, newest first, with their places."""


class Writing(Reading, Protocol):
    """What a hook or an action may do besides, inside one unit of work."""

    def random(self, size: int) -> bytes:
        """Random bytes fit for keys."""

    def keep(self, owner: ResourceId, name: str, secret: Secret | None) -> None:
        """Keep a secret with a resource, sealed; None forgets it."""

    def amend(self, resource: Resource, body: Body) -> Resource:
        """Replace the body of a resource."""

    def assign(self, key: str, assignment: Assignment) -> None:
        """Make a role count, for as long as the resource with that key exists."""
