"""What hooks and actions of kinds see of the world: one view, one caller, one moment.

`Context` answers the questions of `world.Reading` over any view; `Work` also does what `world.Writing` may do, over a
transaction. Kinds know the protocols, not these classes.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from linarite import access
from linarite.ids import ROOT, parse_id
from linarite.roles import role_of
from linarite.store import operations, resources, trail

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from linarite.ids import ResourceId
    from linarite.model import Assignment, Body, Entry, Operation, Principal, Resource, Role, Secret
    from linarite.routes import Registry
    from linarite.store.transaction import Transaction
    from linarite.store.view import View
    from linarite.world import Options


class Context:
    """A `world.Reading` over a view."""

    def __init__(
        self,
        view: View,
        *,
        now: datetime,
        options: Options,
        registry: Registry,
        caller: Principal | None,
        version: str,
        origin: str,
        correlation: str,
        asked: ResourceId = ROOT,
    ) -> None:
        self.view = view
        self.registry = registry
        self.now = now
        self.options = options
        self.caller = caller
        self.version = version
        self.correlation = correlation
        self.origin = origin
        """`https://host:port` as the caller wrote it: what links in answers start with."""
        self.asked = asked

    def stored(self, id_: ResourceId) -> Resource | None:
        """The resource of that id, soft-deleted or not."""
        return self.view.resource(id_.key)

    def find(self, id_: ResourceId | str) -> Resource | None:
        wanted = parse_id(id_) if isinstance(id_, str) else id_
        found = self.view.resource(wanted.key) if wanted else None
        return found if found is not None and found.deleted_at is None else None

    def at(self, scope: ResourceId, type_: str) -> Iterable[Resource]:
        """The resources of an extension type right at a scope."""
        return resources.at(self.view.connection(), type_, scope.key)

    def named(self, type_: str, name: str) -> Iterable[Resource]:
        return resources.named(self.view.connection(), type_, name)

    def principal(self, object_id: str) -> Principal | None:
        return self.view.principal(object_id)

    def role(self, id_: str) -> Role | None:
        return role_of(id_, self.view.resource)

    def secrets(self, resource: Resource) -> Mapping[str, Secret]:
        return self.view.secrets(resource.key)

    def assignments_of(self, principal: str) -> tuple[Assignment, ...]:
        return self.view.assignments_of(principal)

    def assigned(self, role: str) -> Mapping[str, Assignment]:
        return resources.assigned(self.view.connection(), role)

    def owners(self) -> Mapping[str, Assignment]:
        return access.owners(self.view)

    def may(self, operation: str, scope: ResourceId) -> bool:
        return self.caller is not None and access.allowed(self.view, self.caller, operation, scope)

    def trail(self, before: int | None, most: int) -> list[tuple[int, Entry]]:
        return trail.entries_before(self.view.connection(), before, most)

    def operation(self, id_: str) -> Operation | None:
        """A long-running operation by id."""
        return operations.find(self.view.connection(), id_)


class Work(Context):
    """A `world.Writing` inside a unit of work."""

    view: Transaction

    def random(self, size: int) -> bytes:
        return os.urandom(size)

    def keep(self, owner: ResourceId, name: str, secret: Secret | None) -> None:
        self.view.put_secret(owner.key, name, secret)

    def amend(self, resource: Resource, body: Body) -> Resource:
        return self.view.rewrite(resource, body)

    def assign(self, key: str, assignment: Assignment) -> None:
        self.view.assign(key, assignment)

    def employ(self, principal: Principal) -> None:
        self.view.employ(principal, self.now)

    def dismiss(self, object_id: str) -> None:
        """Forget a principal; its tokens count no more."""
        self.view.dismiss(object_id)
