"""Views of one committed state: remembered, or read live; `transaction` has the one inside a unit of work.

All three answer the same questions. What a remembered view does not know it reads, as long as the state is still the
same; where it cannot, it raises `Miss` or `Moved`, and the caller looks with a live one.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from linarite.store import directory, resources
from linarite.store.keys import FAULTS, LOCKS, SIGNING_KEYS
from linarite.store.memory import Memory
from linarite.store.secrets import Secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from linarite.model import Assignment, Fault, Lock, Principal, Resource
    from linarite.seal import Keyring
    from linarite.store.directory import Credential, SigningKey
    from linarite.store.memory import Table
    from linarite.store.resources import Row


T = TypeVar("T")


class Miss(Exception):
    """The answer is not remembered; ask the database."""


class Moved(Exception):
    """The answer is not remembered, and the database has another state by now: ask the live view again."""

    def __init__(self, live: Live) -> None:
        super().__init__()
        self.live = live


class View(Protocol):
    """One state of the world."""

    @property
    def version(self) -> int:
        """The state's."""

    def resource(self, key: str) -> Resource | None:
        """The resource with that key, soft-deleted ones included."""

    def secrets(self, owner: str) -> Secrets:
        """The secrets of a resource by name, each unsealed when it is asked for."""

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


class _OverRows:
    """What a view makes of the rows of resources, in its memory or read into it."""

    def __init__(self, memory: Memory, keyring: Keyring) -> None:
        self.memory = memory
        """What is known of the view's state, and learned."""
        self.keyring = keyring

    def resource(self, key: str) -> Resource | None:
        try:
            return self.memory.resource(key)
        except KeyError:
            row = self._learn_row(key)
            return resources.resource_of(row) if row else None

    def secrets(self, owner: str) -> Secrets:
        return Secrets(resources.boxes_of(self.row(owner)), owner, self.keyring)

    def row(self, key: str) -> Row | None:
        """The row of the resource with that key."""
        try:
            return self.memory.rows[key]
        except KeyError:
            return self._learn_row(key)

    def _learn_row(self, key: str) -> Row | None:
        row = self.memory.rows[key] = self._read_row(key)
        return row

    def _read_row(self, key: str) -> Row | None:
        raise NotImplementedError


class Remembered(_OverRows):
    """The view that costs nothing. What is not remembered is read, as long as the database has the same state."""

    def __init__(
        self,
        memory: Memory,
        keyring: Keyring,
        open_live: Callable[[], Live] | None = None,
        row_at: Callable[[str], tuple[int, Row | None]] | None = None,
    ) -> None:
        """`row_at` reads the row with a key, with the version of the state that has it; without it nothing is read."""
        super().__init__(memory, keyring)
        self.version = memory.version
        self.live: Live | None = None
        """What was opened below."""
        self._open_live = open_live
        self._row_at = row_at

    def _below(self) -> View:
        live = self._opened()
        if live.version != self.version:
            raise Moved(live)
        return live

    def _opened(self) -> Live:
        if self.live is None:
            if self._open_live is None:
                raise Miss
            self.live = self._open_live()
        return self.live

    def _read_row(self, key: str) -> Row | None:
        """By itself, which takes half as long as within a transaction of its own."""
        if self._row_at is None:
            raise Miss
        version, row = self._row_at(key)
        if version != self.version:
            raise Moved(self._opened())
        return row

    def principal(self, object_id: str) -> Principal | None:
        try:
            return self.memory.principals[object_id]
        except KeyError:
            return self._below().principal(object_id)

    def object_id(self, client: str) -> str | None:
        try:
            return self.memory.clients[client]
        except KeyError:
            return self._below().object_id(client)

    def credentials_of(self, principal: str) -> tuple[Credential, ...]:
        try:
            return self.memory.credentials[principal]
        except KeyError:
            return self._below().credentials_of(principal)

    def assignments_of(self, principal: str) -> tuple[Assignment, ...]:
        try:
            return self.memory.assignments[principal]
        except KeyError:
            return self._below().assignments_of(principal)

    def locks(self) -> tuple[Lock, ...]:
        try:
            return self.memory.locks[LOCKS]
        except KeyError:
            return self._below().locks()

    def faults(self) -> tuple[Fault, ...]:
        try:
            return self.memory.faults[FAULTS]
        except KeyError:
            return self._below().faults()

    def signing_keys(self) -> tuple[SigningKey, ...]:
        try:
            return self.memory.signing_keys[SIGNING_KEYS]
        except KeyError:
            return self._below().signing_keys()

    def connection(self) -> Connection:
        return self._below().connection()


class Live(_OverRows):
    """A view over an open transaction; what it reads it learns, in a memory of that version or one of its own."""

    def __init__(self, connection: Connection, keyring: Keyring, version: int, memory: Memory | None = None) -> None:
        self.version = version
        if memory is None or memory.version != version:
            memory = Memory()
            memory.version = version
        super().__init__(memory, keyring)
        self._connection = connection

    def connection(self) -> Connection:
        return self._connection

    def _learn(self, learned: Table[T], key: str, read: Callable[[], T]) -> T:
        if key in learned:
            return learned[key]
        found = learned[key] = read()
        return found

    def _read_row(self, key: str) -> Row | None:
        return resources.row_of(self._connection, key)

    def principal(self, object_id: str) -> Principal | None:
        read = partial(directory.principal, self._connection, object_id)
        return self._learn(self.memory.principals, object_id, read)

    def object_id(self, client: str) -> str | None:
        def read() -> str | None:
            found = directory.principal_by_client(self._connection, client)
            return found.object_id if found else None

        return self._learn(self.memory.clients, client, read)

    def credentials_of(self, principal: str) -> tuple[Credential, ...]:
        def read() -> tuple[Credential, ...]:
            return tuple(directory.credentials_of(self._connection, principal))

        return self._learn(self.memory.credentials, principal, read)

    def assignments_of(self, principal: str) -> tuple[Assignment, ...]:
        read = partial(resources.assignments_of, self._connection, principal)
        return self._learn(self.memory.assignments, principal, read)

    def locks(self) -> tuple[Lock, ...]:
        def read() -> tuple[Lock, ...]:
            return tuple(resources.locks(self._connection))

        return self._learn(self.memory.locks, LOCKS, read)

    def faults(self) -> tuple[Fault, ...]:
        def read() -> tuple[Fault, ...]:
            return tuple(resources.faults(self._connection))

        return self._learn(self.memory.faults, FAULTS, read)

    def signing_keys(self) -> tuple[SigningKey, ...]:
        def read() -> tuple[SigningKey, ...]:
            return tuple(directory.signing_keys_all(self._connection))

        return self._learn(self.memory.signing_keys, SIGNING_KEYS, read)
