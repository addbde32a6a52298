"""Views of one committed state: remembered, read live, or inside a unit of work.

All three answer the same questions; a `Transaction` also writes. A remembered view raises `Miss` at what it does not
know, and the caller looks again with a live one.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from linarite.store import directory, resources
from linarite.store.memory import EVERYTHING, FAULTS, LOCKS, SIGNING_KEYS, Memory, principal_key

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from linarite.ids import ResourceId
    from linarite.model import Assignment, Body, Entry, Fault, Lock, Principal, Resource, Secret
    from linarite.seal import Keyring
    from linarite.store.directory import Credential, SigningKey


class Miss(Exception):
    """The answer is not remembered; ask the database."""


class View(Protocol):
    """One state of the world."""

    version: int

    def resource(self, key: str) -> Resource | None:
        """The resource with that key, soft-deleted ones included."""

    def secrets(self, owner: str) -> dict[str, Secret]:
        """The secrets of a resource, unsealed, by name."""

    def principal(self, object_id: str) -> Principal | None:
        """A principal by object id."""

    def object_id(self, client: str) -> str | None:
        """The object id behind an application id or a user name, in lower case."""

    def credentials_of(self, principal: str) -> tuple[Credential, ...]:
        """What a principal may prove itself with."""

    def assignments_of(self, principal: str) -> tuple[Assignment, ...]:
        """The roles that a principal holds, anywhere."""

    def locks(self) -> tuple[Lock, ...]:
        """Every lock there is."""

    def faults(self) -> tuple[Fault, ...]:
        """The faults on purpose that may still strike, by name."""

    def signing_keys(self) -> tuple[SigningKey, ...]:
        """Keys that may have signed a token that still counts, newest first; the same object until they change."""

    def connection(self) -> Connection:
        """For queries that nobody remembers, as lists; a remembered view raises Miss."""


class Remembered:
    """The view that costs nothing."""

    def __init__(self, memory: Memory) -> None:
        self.version = memory.version
        self._memory = memory

    def resource(self, key: str) -> Resource | None:
        try:
            return self._memory.resources[key]
        except KeyError:
            raise Miss from None

    def secrets(self, owner: str) -> dict[str, Secret]:
        try:
            return self._memory.secrets[owner]
        except KeyError:
            raise Miss from None

    def principal(self, object_id: str) -> Principal | None:
        try:
            return self._memory.principals[object_id]
        except KeyError:
            raise Miss from None

    def object_id(self, client: str) -> str | None:
        try:
            return self._memory.clients[client]
        except KeyError:
            raise Miss from None

    def credentials_of(self, principal: str) -> tuple[Credential, ...]:
        try:
            return self._memory.credentials[principal]
        except KeyError:
            raise Miss from None

    def assignments_of(self, principal: str) -> tuple[Assignment, ...]:
        try:
            return self._memory.assignments[principal]
        except KeyError:
            raise Miss from None

    def locks(self) -> tuple[Lock, ...]:
        try:
            return self._memory.locks[LOCKS]
        except KeyError:
            raise Miss from None

    def faults(self) -> tuple[Fault, ...]:
        try:
            return self._memory.faults[FAULTS]
        except KeyError:
            raise Miss from None

    def signing_keys(self) -> tuple[SigningKey, ...]:
        try:
            return self._memory.signing_keys[SIGNING_KEYS]
        except KeyError:
            raise Miss from None

    def connection(self) -> Connection:
        raise Miss


class Live:
    """A view over an open transaction; what it reads it learns."""

    def __init__(self, connection: Connection, keyring: Keyring, version: int) -> None:
        self.version = version
        self.learned = Memory(most=2**31)
        self.learned.version = version
        self.keyring = keyring
        self._connection = connection

    def connection(self) -> Connection:
        return self._connection

    def resource(self, key: str) -> Resource | None:
        known = self.learned.resources
        if key not in known:
            known[key] = resources.find(self._connection, key)
        return known[key]

    def secrets(self, owner: str) -> dict[str, Secret]:
        known = self.learned.secrets
        if owner not in known:
            sealed = resources.sealed_of(self._connection, owner)
            known[owner] = {name: self.keyring.open(box, owner, name) for name, box in sealed.items()}
        return known[owner]

    def principal(self, object_id: str) -> Principal | None:
        known = self.learned.principals
        if object_id not in known:
            known[object_id] = directory.principal(self._connection, object_id)
        return known[object_id]

    def object_id(self, client: str) -> str | None:
        known = self.learned.clients
        if client not in known:
            found = directory.principal_by_client(self._connection, client)
            known[client] = found.object_id if found else None
        return known[client]

    def credentials_of(self, principal: str) -> tuple[Credential, ...]:
        known = self.learned.credentials
        if principal not in known:
            known[principal] = tuple(directory.credentials_of(self._connection, principal))
        return known[principal]

    def assignments_of(self, principal: str) -> tuple[Assignment, ...]:
        known = self.learned.assignments
        if principal not in known:
            known[principal] = resources.assignments_of(self._connection, principal)
        return known[principal]

    def locks(self) -> tuple[Lock, ...]:
        known = self.learned.locks
        if LOCKS not in known:
            known[LOCKS] = tuple(resources.locks(self._connection))
        return known[LOCKS]

    def faults(self) -> tuple[Fault, ...]:
        known = self.learned.faults
        if FAULTS not in known:
            known[FAULTS] = tuple(resources.faults(self._connection))
        return known[FAULTS]

    def signing_keys(self) -> tuple[SigningKey, ...]:
        known = self.learned.signing_keys
        if SIGNING_KEYS not in known:
            known[SIGNING_KEYS] = tuple(directory.signing_keys_all(self._connection))
        return known[SIGNING_KEYS]


class Transaction(Live):
    """A view inside a unit of work: sees its own writes, and notes what changes and what is to be recorded.

    `version` is the state version that the unit makes, if it writes at all.
    """

    def __init__(self, connection: Connection, keyring: Keyring, version: int) -> None:
        super().__init__(connection, keyring, version)
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
        resources.rewrite(self._connection, new)
        return self._noted(new)

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
        sealed = self.keyring.seal(secret, owner, name) if secret is not None else None
        resources.put_sealed(self._connection, owner, name, sealed)
        self.note(owner)

    def assign(self, key: str, assignment: Assignment) -> None:
        resources.put_assignment(self._connection, key, assignment)
        self.note(principal_key(assignment.principal))

    def note(self, key: str) -> None:
        """Something with this key changed: every process forgets it."""
        self.changed.add(key)
        self.learned.forget([key])

    def note_everything(self) -> None:
        self.note(EVERYTHING)

    def _noted(self, resource: Resource) -> Resource:
        self.note(resource.key)
        self.learned.resources[resource.key] = resource
        return resource
