"""A telemetry door behind a real listener, on an event loop of its own, with a clock that stands where it is put."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from linarite.doors.telemetry import Component, Reading, Retention, TelemetryDoor
from linarite.errors.server import server_busy
from linarite.listener import Listener
from tests.doors.blob.loop import Run, turning_loop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "0d5a9e6c-7c0b-4a53-9d2f-5a4e3b2c1d0e"
OTHER_KEY = "11111111-7c0b-4a53-9d2f-5a4e3b2c1d0e"
APP = "3f0c6d1a-0000-4a53-9d2f-5a4e3b2c1d0e"
OTHER_APP = "22222222-0000-4a53-9d2f-5a4e3b2c1d0e"
READER = "Bearer reader"


@dataclass
class Desk:
    """Two components; `Bearer reader` may read the first."""

    components: dict[str, Component] = field(
        default_factory=lambda: {KEY: Component(APP, "insights"), OTHER_KEY: Component(OTHER_APP, "other")}
    )

    told: list[tuple[str, str]] = field(default_factory=list)
    busy: bool = False

    def component_of(self, instrumentation_key: str) -> Component | None:
        return self.components.get(instrumentation_key)

    async def turned_away(self, path: str, address: str) -> None:
        if self.busy:
            raise server_busy()
        self.told.append((path, address))

    async def may_read(self, app_id: str, authorization: str | None) -> Reading:
        if self.busy:
            raise server_busy()
        if authorization is None:
            return Reading.UNAUTHENTICATED
        return Reading.ALLOWED if (app_id, authorization) == (APP, READER) else Reading.FORBIDDEN


@dataclass
class Clock:
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Served:
    """The door as clients see it, and the strings that move it."""

    door: TelemetryDoor
    desk: Desk
    clock: Clock
    listener: Listener
    run: Run

    def track(self, content: Any, path: str = "/v2.1/track", **headers: str) -> httpx.Response:
        """Post a body: bytes as they are, anything else as JSON."""
        given = {"content": content} if isinstance(content, bytes) else {"json": content}
        return httpx.post(self.listener.origin + path, headers=headers, **given)

    def events(self, collection: str = "$all", app_id: str = APP, **query: str) -> list[dict[str, Any]]:
        answer = self.ask(collection, app_id, **query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["value"])

    def ask(
        self, collection: str = "$all", app_id: str = APP, authorization: str | None = READER, **query: str
    ) -> httpx.Response:
        headers = {} if authorization is None else {"Authorization": authorization}
        named = {name.replace("_", "$"): value for name, value in query.items()}
        return httpx.get(
            f"{self.listener.origin}/v1/apps/{app_id}/events/{collection}", params=named or None, headers=headers
        )

    def message(self, text: str, key: str = KEY, **changes: Any) -> dict[str, Any]:
        """An envelope with a trace, as clients send it, at the time of the clock."""
        return envelope(self.clock.now, "MessageData", {"message": text}, key) | changes


def envelope(time: datetime, kind: str, data: dict[str, Any], key: str = KEY) -> dict[str, Any]:
    return {
        "ver": 1,
        "name": f"Microsoft.ApplicationInsights.{kind.removesuffix('Data')}",
        "time": time.isoformat(),
        "iKey": key,
        "tags": {},
        "data": {"baseType": kind, "baseData": {"ver": 2, **data}},
    }


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    with turning_loop("telemetry-doors") as run:
        yield run


@pytest.fixture
def retention() -> Retention:
    return Retention()


@pytest.fixture
def served(run: Run, tmp_path: Path, retention: Retention) -> Iterator[Served]:
    desk, clock = Desk(), Clock()

    async def begin() -> tuple[TelemetryDoor, Listener]:
        door = TelemetryDoor(tmp_path, desk, now=clock, new_id=lambda: str(uuid4()), retention=retention)
        await door.start()
        listener = Listener(door, "127.0.0.1")
        await listener.start()
        return door, listener

    door, listener = run(begin())
    yield Served(door, desk, clock, listener, run)

    async def end() -> None:
        await listener.stop()
        await door.stop()

    run(end())
