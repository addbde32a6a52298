"""A database, the processes on it, and what a test wants to write and read there, without an event loop of its own."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from linarite.errors import Conflict, Refusal, Unavailable
from linarite.ids import GROUP, ROOT, SUBSCRIPTION
from linarite.model import Assignment, Deed, Entry, Principal, PrincipalKind, Resource
from linarite.store import resources, trail
from linarite.store.database import Database
from linarite.store.gate import Gate
from linarite.store.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

    from sqlalchemy import Connection

    from linarite.ids import ResourceId
    from linarite.model import Body
    from linarite.seal import Keyring
    from linarite.store.transaction import Transaction
    from linarite.store.view import View

Result = TypeVar("Result")

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))
"""Parameters of a fixture that is made on either database."""

NOW = datetime(2026, 11, 24, 8, 15, 30, 123456, tzinfo=UTC)

HOME = ROOT.child(SUBSCRIPTION, "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee")
TEAM = HOME.child(GROUP, "TestRg123")
STORAGE = "Microsoft.Storage/storageAccounts"
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
ACCOUNT = TEAM.child(STORAGE, "st1")

ALICE = Principal("66666666-0000-0000-0000-000000000001", PrincipalKind.USER, "alice@linarite.test", "t", "Alice")
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"

NOT_NOW = Conflict("Conflict", "Not now.")

RULE_BROKEN = (IntegrityError, sqlite3.IntegrityError)
"""A rule of the tables, as SQLAlchemy or SQLite's own driver says it."""


@dataclass
class Site:
    """A database with a process's gate on it; `another` opens the gate of a second process."""

    url: str
    keyring: Keyring
    runner: asyncio.Runner
    gates: list[Gate] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate = self.another()

    def another(self, most: int = 1000) -> Gate:
        """The gate of one more process, which remembers at most so many rows of each kind."""
        self.gates.append(Gate(Database(self.url), Memory(most), self.keyring))
        return self.gates[-1]

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    def commit(self, work: Callable[[Transaction], Result], gate: Gate | None = None) -> Result:
        """Run a unit of work, recorded as a write, or as a refusal."""
        done: Result = self.run((gate or self.gate).commit(work, recorded))
        return done

    def look(self, question: Callable[[View], Result], gate: Gate | None = None) -> Result:
        return self.run((gate or self.gate).look(question))[0]

    def ask(self, question: Callable[[Connection], Result]) -> Result:
        """What the database says, past everything that is remembered."""
        return self.run(self.gate.database.read(question))

    def version(self) -> int:
        return self.run(self.gate.look(lambda _: None))[1]

    def entries(self) -> list[Entry]:
        return [entry for _, entry in self.ask(lambda connection: trail.entries(connection, 0, 10_000))]

    def first_broken(self) -> int | None:
        return self.ask(trail.first_broken)

    def close(self) -> None:
        while self.gates:
            self.run(self.gates.pop().close())


@contextlib.contextmanager
def opened(url: str, keyring: Keyring) -> Iterator[Site]:
    """A site, whose gates are closed in the end."""
    with asyncio.Runner() as runner:
        site = Site(url, keyring, runner)
        yield site
        site.close()


def recorded(outcome: Any, name: str = "Linarite/test") -> Entry:
    """The entry of a unit's outcome."""
    refused = isinstance(outcome, Refusal)
    return Entry(
        at=NOW,
        deed=Deed.REFUSAL if refused else Deed.WRITE,
        action=name,
        target="/",
        caller=ALICE.object_id,
        client=ALICE.client,
        status=outcome.status if isinstance(outcome, Refusal) else 200,
        code=outcome.code if isinstance(outcome, Refusal) else "",
        request="r",
        correlation="c",
        address="127.0.0.1",
    )


def resource(id_: ResourceId, body: Body | None = None) -> Resource:
    return Resource(id_, {} if body is None else body, 0)


def found_group(transaction: Transaction) -> None:
    """Make the subscription and a group in it."""
    transaction.add(resource(HOME))
    transaction.add(resource(TEAM, {"location": "eastus"}))


def account(name: str) -> Callable[[Transaction], Resource]:
    """A unit that makes a storage account in the group."""
    return lambda transaction: transaction.add(resource(TEAM.child(STORAGE, name)))


def assign_reader(scope: ResourceId, name: str) -> Callable[[Transaction], None]:
    """A unit that makes Alice a reader at a scope."""

    def work(transaction: Transaction) -> None:
        id_ = scope.child(ASSIGNMENT, name)
        transaction.add(resource(id_))
        transaction.assign(id_.key, Assignment(ALICE.object_id, READER, scope.key))

    return work


def names(connection: Connection) -> set[str]:
    """Names of the storage accounts that there are."""
    found = resources.children(connection, parent=TEAM.key, subscription=None, type_=STORAGE, after="", most=100_000)
    return {one.name for one in found}


@contextlib.contextmanager
def commits(gate: Gate) -> Iterator[list[object]]:
    """Collects one item for every commit that a gate makes."""
    seen: list[object] = []
    writer = gate.database.writer
    if writer.dialect.name == "sqlite":
        with contextlib.closing(writer.raw_connection()) as pooled:
            driver: Any = pooled.driver_connection
        both = driver, gate.database.here
        for one in both:
            one.set_trace_callback(lambda statement: seen.append(statement) if statement == "COMMIT" else None)
        yield seen
        for one in both:
            one.set_trace_callback(None)
        return

    def note(connection: Connection) -> None:
        seen.append(connection)

    event.listen(writer, "commit", note)
    yield seen
    event.remove(writer, "commit", note)


async def together(gate: Gate, *units: Callable[[Transaction], object]) -> list[Any]:
    """Outcomes of units that arrive at the same time, exceptions among them."""
    return await in_one_batch(gate, *(gate.commit(unit, recorded) for unit in units))


async def in_one_batch(gate: Gate, *given: Awaitable[Any]) -> list[Any]:
    """Outcomes of what is given to the gate while it is busy: otherwise the first one would be written by itself."""
    gate._rhythm.note(len(given))
    return list(await asyncio.gather(*given, return_exceptions=True))


def turned_away(outcome: object) -> bool:
    """Whether a waiter was told that its request could not be recorded."""
    return isinstance(outcome, Unavailable) and outcome.code == "ServerBusy"
