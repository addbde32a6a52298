"""Requests and responses over a real listener: what arrives of what a client wrote, and what does not."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from linarite.listener import Listener
from linarite.web import http
from linarite.web.http import Request, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

LIMIT = 100_000
OWN = "http://own.example"


async def echo(scope: Any, protocol: Any) -> None:
    """Say what was received."""
    request = await http.receive(scope, protocol, origin=OWN, limit=LIMIT)
    said = {
        "method": request.method,
        "path": request.path,
        "query": dict(request.query),
        "origin": request.origin,
        "address": request.address,
        "length": len(request.body),
        "refusal": request.refusal.status if request.refusal else None,
        "header": request.headers.get("x-one", "none"),
    }
    body = b"" if request.path == "/empty" else orjson.dumps(said)
    http.send(protocol, Response(200, (("content-type", "application/json"), ("x-two", "2")), body))


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread of its own: the clients of these tests block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module", params=["127.0.0.1", "::1"])
def listener(request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop) -> Iterator[Listener]:
    listener = Listener(echo, request.param)
    asyncio.run_coroutine_threadsafe(listener.start(), loop).result(20)
    yield listener
    asyncio.run_coroutine_threadsafe(listener.stop(), loop).result(20)


@pytest.fixture
def client(listener: Listener) -> Iterator[httpx.Client]:
    host = f"[{listener.host}]" if ":" in listener.host else listener.host
    with httpx.Client(base_url=f"http://{host}:{listener.port}", timeout=20) as client:
        yield client


def test_a_request_arrives_as_it_was_written(client: httpx.Client, listener: Listener) -> None:
    answer = client.post("/a%20b//C", params={"x": "1 2", "y": ""}, headers={"X-One": "1"}, content=b"abc")
    assert answer.headers["x-two"] == "2"
    assert answer.json() == {
        "method": "POST",
        "path": "/a b//C",
        "query": {"x": "1 2", "y": ""},
        "origin": str(client.base_url).rstrip("/"),
        "address": listener.host,
        "length": 3,
        "refusal": None,
        "header": "1",
    }


def test_of_a_parameter_that_was_sent_twice_the_last_one_counts(client: httpx.Client) -> None:
    assert client.get("/?api-version=1&api-version=2").json()["query"] == {"api-version": "2"}


def test_a_response_may_be_empty(client: httpx.Client) -> None:
    answer = client.get("/empty")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "refusal"), [(LIMIT, None), (LIMIT + 1, 413), (50 * LIMIT, 413)])
def test_a_body_over_the_limit_is_refused_and_not_kept(
    client: httpx.Client, *, size: int, refusal: int | None, chunked: bool
) -> None:
    body = b"x" * size
    answer = client.put("/", content=iter([body[: size // 2], body[size // 2 :]]) if chunked else body).json()
    assert answer["refusal"] == refusal
    assert answer["length"] == (0 if refusal else size)


def test_a_body_without_end_is_given_up() -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 2**20
            yield b"x" * 2**20

    scope = SimpleNamespace(
        headers={"transfer-encoding": "chunked"},
        http_version="1.1",
        method="PUT",
        path="/",
        query_string="",
        client="127.0.0.1:1",
        scheme="https",
        authority=None,
    )
    request = asyncio.run(http.receive(scope, endless(), origin=OWN, limit=LIMIT))
    assert request.refusal is not None
    assert request.body == b""
    assert read <= LIMIT + 20 * 2**20


@pytest.mark.parametrize("host", ["localhost:1/evil", "a b", "user@host", "host:port", "[::1", '"'])
def test_a_host_that_is_none_does_not_become_the_origin(listener: Listener, host: str) -> None:
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    with closing(socket.create_connection((listener.host, listener.port), 20)) as connection:
        connection.sendall(request.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    status, _, rest = answer.partition(b"\r\n")
    if b" 200 " in status:
        assert orjson.loads(rest.partition(b"\r\n\r\n")[2])["origin"] == OWN
    else:
        assert b" 400 " in status


def test_a_request_does_not_print_what_may_be_secret() -> None:
    headers = {"authorization": "Bearer hunter2"}
    request = Request("POST", "/", "sig=hunter2", headers, b"hunter2", "::1", OWN, {"sig": "hunter2"})
    assert "hunter2" not in repr(request)
