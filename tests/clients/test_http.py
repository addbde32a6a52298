"""Plain HTTP clients: HTTP/2 and HTTP/1.1 over TLS, one connection, many requests at once."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import certifi
import httpx
import pytest

if TYPE_CHECKING:
    from tests.server import Server

VERSION = {"api-version": "2023-10-01"}


def headers(server: Server) -> dict[str, str]:
    return {"authorization": server.owner().http.headers["authorization"]}


@pytest.mark.parametrize(("http2", "spoken"), [(True, "HTTP/2"), (False, "HTTP/1.1")])
def test_keys_are_listed_over_either_version_of_http(server: Server, *, http2: bool, spoken: str) -> None:
    trust = ssl.create_default_context(cafile=server.known["caBundle"])
    with httpx.Client(base_url=server.origin, verify=trust, http2=http2, headers=headers(server)) as client:
        answer = client.post(f"{server.workspace}/listKeys", params=VERSION)
    assert (answer.status_code, answer.http_version) == (200, spoken)
    assert answer.json()["userStorageKey"]


def test_many_requests_share_one_connection_of_http_2(server: Server) -> None:
    trust = ssl.create_default_context(cafile=server.known["caBundle"])

    async def together() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(
            base_url=server.origin, verify=trust, http2=True, limits=limits, headers=headers(server), timeout=30
        ) as client:
            path = f"{server.workspace}/listKeys"
            return await asyncio.gather(*(client.post(path, params=VERSION) for _ in range(50)))

    answers = asyncio.run(together())
    assert {answer.http_version for answer in answers} == {"HTTP/2"}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["x-ms-request-id"] for answer in answers}) == 50


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_certificate_is_good_for_every_name_of_loopback(server: Server, host: str) -> None:
    trust = ssl.create_default_context(cafile=server.known["caBundle"])
    with httpx.Client(verify=trust) as client:
        answer = client.get(f"{server.origin.replace('localhost', host)}/health")
    assert answer.json() == {"status": "ok"}


def test_a_client_that_does_not_know_the_authority_is_not_served(server: Server) -> None:
    with (
        httpx.Client(verify=ssl.create_default_context(cadata=certifi.contents())) as client,
        pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.get(f"{server.origin}/health")
