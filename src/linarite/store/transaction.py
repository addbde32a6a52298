"""The view inside a unit of work, which writes, too, and notes what it changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from linarite.store import directory, resources
from linarite.store.keys import EVERYTHING, principal_key
from linarite.store.view import Live

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from linarite.ids import ResourceId
    from linarite.model import Assignment, Body, Entry, Principal, Resource, Secret
    from linarite.seal import Keyring
    from linarite.store.memory import Memory


class Transaction(Live):
    """A view inside a unit of work: sees its own writes, and notes what changes and what is to be recorded.

    `version` is the state version that the unit makes, if it writes at all.
    """

    def __init__(self, connection: Connection, keyring: Keyring, version: int, known: Memory) -> None:
        super().__init__(connection, keyring, version, known)
        self.changed: set[str] = set()
        self.entries: list[Entry] = []

    def add(self, resource: Resource) -> Resource:
        """Write a new resource, stamped with the version that this unit makes."""
        new = replace(resource, version=self.version)
        resources.add(self._connection, new)
        return self._noted(new)

    def rewrite(self, resource: Resource, body: Body | None = None) -> Resource:
        """Write a resource again, with another body where one is given."""
        new = replace(resource, version=self.version, body=resource.body if body is None else body)
        before = self.memory.rows.get(new.key)
        written = resources.rewrite(self._connection, new)
        self._noted(new)
        if before is not None:
            self.memory.rows[new.key] = (before[0], *written, before[4])
        return new

    def remove(self, id_: ResourceId) -> None:
        """Delete a resource and all that stands below it; roles that go with it stop counting."""
        keys = resources.subtree(self._connection, id_.key)
        for object_id in resources.assigned_principals(self._connection, id_.key):
            self.note(principal_key(object_id))
        self.dismiss_all(id_)
        resources.remove(self._connection, id_.key)
        for key in keys:
            self.note(key)

    def employ(self, principal: Principal, now: datetime) -> None:
        """Write a new principal."""
        directory.add_principal(self._connection, principal, now)
        self.note(principal_key(principal.object_id))

    def dismiss(self, object_id: str) -> None:
        """Delete a principal with its credentials; its roles count for nobody."""
        directory.remove_principal(self._connection, object_id)
        self.note(principal_key(object_id))

    def dismiss_all(self, id_: ResourceId) -> None:
        """Delete the managed identities of a resource and of all that stands below it."""
        for object_id in directory.identities(self._connection, resources.subtree(self._connection, id_.key)):
            self.dismiss(object_id)

    def put_secret(self, owner: str, name: str, secret: Secret | None) -> None:
        """Seal a secret of a resource, or forget it.

        Raises:
            LookupError: there is no such resource.
        """
        row = self.row(owner)
        if row is None:
            raise LookupError(owner)
        boxes = {one: box for one, box in resources.boxes_of(row).items() if one != name}
        if secret is not None:
            boxes[name] = self.keyring.seal(secret, owner, name).column
        sealed = resources.keep_sealed(self._connection, owner, boxes)
        self.note(owner)
        self.memory.rows[owner] = (*row[:4], sealed)

    def assign(self, key: str, assignment: Assignment) -> None:
        resources.put_assignment(self._connection, key, assignment)
        self.note(principal_key(assignment.principal))

    def note(self, key: str) -> None:
        """Something with this key changed: every process forgets it."""
        self.changed.add(key)
        self.memory.forget([key])

    def note_everything(self) -> None:
        self.note(EVERYTHING)

    def _noted(self, resource: Resource) -> Resource:
        self.note(resource.key)
        self.memory.resources[resource.key] = resource
        return resource
