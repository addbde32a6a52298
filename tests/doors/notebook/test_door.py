"""The process behind the door: it asks, it is told, it comes back, and it leaves nothing behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from websocket import WebSocketBadStatusException

from linarite import certificates
from linarite.doors.keeper import DoorDown, Restarts
from linarite.doors.notebook import child as child_module
from linarite.doors.notebook.desk import Pass, Visit
from linarite.doors.notebook.door import NotebookDoor
from linarite.doors.notebook.layout import Layout
from tests.doors.blob.loop import Run, eventually, turning_loop
from tests.doors.notebook.office import PATIENCE, Door, ask, closing_code, compute, gone, is_alive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from linarite.certificates import Certificates

    OpenDoor = Callable[..., NotebookDoor]


@dataclass
class Desk:
    """Lets in whoever shows one of `keys`; with `broken` it fails, and with `held` it answers what was so before."""

    keys: set[str] = field(default_factory=lambda: {"key"})
    broken: bool = False
    held: asyncio.Event | None = None
    asked: list[str] = field(default_factory=list)

    async def admit(self, unverified_token: str, _: Visit) -> Pass | None:
        found = Pass("/workspaces/w", "primary", unverified_token) if unverified_token in self.keys else None
        self.asked.append(unverified_token)
        await self._think()
        return found

    async def still(self, shown: Pass, _: Visit | None) -> bool:
        await self._think()
        return shown.mark in self.keys

    async def _think(self) -> None:
        if self.broken:
            raise RuntimeError("the desk is on fire")
        if self.held is not None:
            held, self.held = self.held, None
            await held.wait()


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with turning_loop("notebook-doors") as run:
        yield run


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates.ensure(tmp_path_factory.mktemp("certificates"), (), datetime.now(UTC))


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def open_door(run: Run, jupyter: None, issued: Certificates, tmp_path: Path, desk: Desk) -> Iterator[OpenDoor]:
    """Starts a door of the test's own; it is closed when the test is over."""
    opened: list[NotebookDoor] = []

    def start(layout: dict[str, Any] | None = None, **more: Any) -> NotebookDoor:
        place = tmp_path / "notebooks", tmp_path / "jupyter", issued.chain, issued.key
        opened.append(NotebookDoor(Layout(*place, **(layout or {})), desk, os.environ, **more))
        run(opened[-1].start())
        return opened[-1]

    yield start
    for door in opened:
        run(door.stop())


@pytest.fixture
def seen(issued: Certificates) -> Callable[[NotebookDoor], Door]:
    """A door as its visitors see it."""
    return lambda door: Door(door.origin, str(issued.bundle))


def pid_of(door: NotebookDoor) -> int:
    assert door.pid is not None
    return door.pid


# ── it asks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_the_desk_cannot_say_lets_nobody_in_and_keeps_no_websocket_open(
    open_door: OpenDoor, run: Run, desk: Desk, seen: Any
) -> None:
    door = open_door()
    with seen(door).socket("/api/events/subscribe", "key") as events:
        desk.broken = True
        run(door.check())
        assert closing_code(events) == 1008
    assert seen(door).status("key") == httpx.codes.SERVICE_UNAVAILABLE
    desk.broken = False
    assert seen(door).status("key") == httpx.codes.OK


def test_an_answer_that_a_change_has_overtaken_opens_no_websocket(
    open_door: OpenDoor, run: Run, desk: Desk, seen: Any
) -> None:
    door = open_door()
    desk.held = held = asyncio.Event()

    def open_websocket() -> None:
        with seen(door).socket("/api/events/subscribe", "key"):
            pass

    with ThreadPoolExecutor() as others:
        opening = others.submit(open_websocket)
        eventually(lambda: desk.asked)
        desk.keys.clear()
        run(door.check())
        run(_set(held))
        with pytest.raises(WebSocketBadStatusException, match="403"):
            opening.result(PATIENCE)
    assert desk.asked == ["key", "key"]


async def _set(event: asyncio.Event) -> None:
    event.set()


def test_websockets_are_looked_at_again_although_nobody_says_that_something_changed(
    open_door: OpenDoor, desk: Desk, seen: Any
) -> None:
    door = open_door({"sweep_every": 0.1})
    with seen(door).socket("/api/events/subscribe", "key") as events:
        desk.keys.clear()
        assert closing_code(events) == 1008


# ── it comes back ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_process_that_does_not_acknowledge_is_ended_so_that_no_websocket_lives_on(
    open_door: OpenDoor, run: Run, seen: Any
) -> None:
    door = open_door(acknowledged_within=0.5)
    deaf, origin = pid_of(door), door.origin
    os.kill(deaf, signal.SIGSTOP)
    run(door.check())
    assert not is_alive(deaf)
    eventually(lambda: door.pid not in {None, deaf})
    assert door.origin == origin
    assert seen(door).status("key") == httpx.codes.OK


def test_a_process_that_dies_too_often_closes_the_door_with_a_sentence(open_door: OpenDoor, run: Run) -> None:
    door = open_door(restarts=Restarts(first=0.01, attempts=1))
    first = pid_of(door)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: door.pid not in {None, first})
    os.kill(pid_of(door), signal.SIGKILL)
    eventually(lambda: door.fault)
    assert door.fault == "The notebook door is closed: Jupyter Server ended 2 times in a row. See its log."
    run(door.check())


def test_a_port_that_is_taken_is_said_in_a_sentence(open_door: OpenDoor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        sentence = (
            rf"^Jupyter Server did not start: Port {port} on 127\.0\.0\.1 cannot be used: Address already in use\."
        )
        with pytest.raises(DoorDown, match=sentence):
            open_door({"port": port})


def test_a_missing_jupyter_is_said_with_how_to_get_it(
    run: Run, issued: Certificates, tmp_path: Path, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jupyter_server", None)
    layout = Layout(tmp_path / "notebooks", tmp_path / "jupyter", issued.chain, issued.key)
    door = NotebookDoor(layout, desk, os.environ)
    with pytest.raises(DoorDown, match=r"needs Jupyter Server, .*: pip install 'linarite\[notebook\]'\.$"):
        run(door.start())
    assert list(tmp_path.iterdir()) == []
    run(door.stop())


# ── it leaves ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stop_ends_a_kernel_that_computes_for_ever(open_door: OpenDoor, run: Run, seen: Any) -> None:
    door = open_door()
    visited = seen(door)
    kernel = visited.start_kernel("key")
    process = pid_of(door)
    with visited.channels(kernel, "key") as socket:
        pid = int(compute(socket, "import os; print(os.getpid())"))
        ask(socket, "while True: pass")
        while json.loads(socket.recv())["msg_type"] != "execute_input":
            pass
    assert is_alive(pid)
    run(door.stop())
    assert (door.pid, door.fault) == (None, "The notebook door was stopped.")
    gone(process, pid)


def test_a_process_that_does_not_leave_is_ended(open_door: OpenDoor, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "LEAVES_WITHIN", 0.1)
    door = open_door()
    pid = pid_of(door)
    os.kill(pid, signal.SIGSTOP)
    run(door.stop())
    assert not is_alive(pid)
