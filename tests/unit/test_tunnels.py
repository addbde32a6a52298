"""Tunnels of the proxy: bytes in both directions, and the bounds of number, size and time."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from linarite.proxy import tunnel
from linarite.proxy.switchboard import Place
from linarite.proxy.tunnel import Exchange
from tests.doors.blob.loop import eventually, turning_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.doors.blob.loop import Run

    Open = Callable[..., tuple[str, Exchange]]

PATIENCE = 10.0
WANTED = b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n"


@dataclass
class Board:
    """Leads every name to one port."""

    port: int

    async def place(self, *_: Any) -> Place:
        return Place("127.0.0.1", self.port)


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with turning_loop("proxies") as run:
        yield run


@pytest.fixture
def exchange(run: Run) -> Iterator[Open]:
    """Opens an exchange that leads to a port; its address."""
    opened: list[tuple[asyncio.Server, Exchange]] = []

    def start(port: int, **bounds: Any) -> tuple[str, Exchange]:
        async def begin() -> asyncio.Server:
            limit = tunnel.LONGEST_HEAD
            return await asyncio.start_server(made.take, "127.0.0.1", 0, limit=limit)

        made = Exchange(Board(port), **bounds)
        server = run(begin())
        opened.append((server, made))
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", made

    yield start

    async def end(server: asyncio.Server, made: Exchange) -> None:
        server.close()
        await made.close()

    for one in opened:
        run(end(*one))


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of somebody who says everything again, until the other side is done."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_echo, args=(server,), daemon=True)
        thread.start()
        yield server.getsockname()[1]


def _say(line: socket.socket, content: bytes) -> None:
    line.sendall(content)
    line.shutdown(socket.SHUT_WR)


def _echo(server: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            line, _ = server.accept()
            threading.Thread(target=_repeat, args=(line,), daemon=True).start()


def _repeat(line: socket.socket) -> None:
    with line, contextlib.suppress(OSError):
        while piece := line.recv(65_536):
            line.sendall(piece)


@contextlib.contextmanager
def tunnelled(address: str) -> Iterator[socket.socket]:
    at = urlsplit(address)
    with socket.create_connection((at.hostname or "", at.port or 0), timeout=PATIENCE) as line:
        line.sendall(WANTED)
        assert line.recv(1024) == b"HTTP/1.1 200 Connection established\r\n\r\n"
        yield line


def refusal(address: str, request: bytes = WANTED) -> tuple[int, str]:
    """Status and sentence with which a proxy refuses."""
    at = urlsplit(address)
    with socket.create_connection((at.hostname or "", at.port or 0), timeout=PATIENCE) as line:
        line.sendall(request)
        head, _, said = rest_of(line).decode().partition("\r\n\r\n")
    return int(head.split(" ")[1]), said.strip()


def rest_of(line: socket.socket) -> bytes:
    found = b""
    while piece := line.recv(65_536):
        found += piece
    return found


def test_bytes_pass_in_both_directions_and_the_end_of_one_does_not_end_the_other(exchange: Open, echo: int) -> None:
    content = bytes(range(256)) * 4000
    with tunnelled(exchange(echo)[0]) as line:
        sending = threading.Thread(target=_say, args=(line, content))
        sending.start()
        assert rest_of(line) == content
        sending.join()


def test_a_tunnel_in_which_nothing_moves_is_closed_and_one_in_which_something_does_is_not(
    exchange: Open, echo: int
) -> None:
    with tunnelled(exchange(echo, idle_within=0.4)[0]) as line:
        until_ = time.monotonic() + 0.8
        while time.monotonic() < until_:
            line.sendall(b"x")
            assert line.recv(1) == b"x"
        assert rest_of(line) == b""


def test_tunnels_have_a_number_that_they_do_not_exceed_and_make_room_when_they_end(exchange: Open, echo: int) -> None:
    address, made = exchange(echo, most=2)
    with tunnelled(address), tunnelled(address):
        assert refusal(address) == (503, "There are 2 tunnels already.")
    eventually(lambda: not made._open)
    with tunnelled(address):
        pass


def test_somebody_who_does_not_answer_is_named(exchange: Open) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    status, said = refusal(exchange(port)[0])
    assert status == 502
    assert said.startswith(f"127.0.0.1:{port} cannot be reached: ")


def test_a_client_that_says_nothing_is_not_waited_for(
    exchange: Open, echo: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "HEAD_WITHIN", 0.05)
    assert refusal(exchange(echo)[0], b"CONNECT a.te") == (408, "The request did not come.")


def test_tunnels_are_closed_when_the_proxy_stops(exchange: Open, echo: int, run: Run) -> None:
    address, made = exchange(echo)
    with tunnelled(address) as line:
        run(made.close())
        assert rest_of(line) == b""
