"""What the messenger tells the blob door, and in which order, where answers of the database are slow, late or lost."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from linarite.doors import messenger as messenger_module
from linarite.doors.behind import ACCOUNTS
from linarite.doors.blob import Account, DoorDown
from linarite.doors.messenger import Messenger
from linarite.errors.server import server_busy
from linarite.ids import parse
from linarite.model import Resource, Secret
from linarite.tokens import Authority, Reader

if TYPE_CHECKING:
    from collections.abc import Callable

ID = parse(f"/subscriptions/{'a' * 8}-bbbb-cccc-dddd-{'e' * 12}/resourceGroups/g/providers/{ACCOUNTS}/sample").scope
CHANGED = frozenset({ID.key})


@dataclass
class Gate:
    """A state of one account, whose keys have a generation; `late` holds back answers until the others are through."""

    generation: int = 0
    busy: int = 0
    late: list[asyncio.Event] = field(default_factory=list)

    async def look(self, question: Callable[[Any], Any]) -> tuple[Any, int]:
        if self.busy:
            self.busy -= 1
            raise server_busy()
        answer = question(self)
        if self.late:
            await self.late.pop().wait()
        return answer, self.generation

    def resource(self, key: str) -> Resource | None:
        assert key == ID.key
        return Resource(ID, {"properties": {"creationTime": "2026-01-01T00:00:00Z"}}, self.generation)

    def secrets(self, key: str) -> dict[str, Secret]:
        assert key == ID.key
        return {name: Secret(f"{name} {self.generation}") for name in ("key1", "key2")}


class Door:
    """Takes down what the blob door is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.down = False

    async def put_account(self, account: Account) -> None:
        self.told.append(account.keys[0])
        if self.down:
            raise DoorDown("It is down.")


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def messenger(gate: Gate, door: Door) -> Messenger:
    authority = Authority("https://localhost", "t")
    engine: Any = SimpleNamespace(gate=gate, reader=Reader(authority, lambda: datetime.now(UTC)))
    blob: Any = door
    nobody: Any = None
    return Messenger(engine, {}, blob, registry=nobody, telemetry=nobody, telemetry_clerk=nobody, notebook=None)


def test_older_news_never_follows_newer(gate: Gate, messenger: Messenger, door: Door) -> None:
    async def scene() -> None:
        held = asyncio.Event()
        gate.late = [held]
        first = asyncio.create_task(messenger.follow(CHANGED))
        await asyncio.sleep(0)
        gate.generation = 1
        second = asyncio.create_task(messenger.follow(CHANGED))
        for _ in range(10):
            await asyncio.sleep(0)
        held.set()
        await asyncio.gather(first, second)

    asyncio.run(scene())
    assert door.told == ["key1 0", "key1 1"]


def test_a_database_that_does_not_answer_is_asked_until_the_door_is_told(
    gate: Gate, messenger: Messenger, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messenger_module, "ASK_AGAIN", 0)
    gate.busy = 3
    asyncio.run(messenger.follow(CHANGED))
    assert door.told == ["key1 0"]


def test_a_door_that_is_down_keeps_no_change_from_being_made(messenger: Messenger, door: Door) -> None:
    door.down = True
    asyncio.run(messenger.follow(CHANGED))
    assert door.told == ["key1 0"]
