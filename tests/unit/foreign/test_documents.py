"""Documents of issuers: from where they are fetched, and which bounds they keep."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

import pytest

from linarite.foreign import IssuerDown, documents
from linarite.issuers import is_fit
from tests.issuer import issuing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.issuer import Issuer


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as issuer:
        yield issuer


def refused(url: str) -> str:
    with pytest.raises(IssuerDown) as caught:
        asyncio.run(documents.fetch(url))
    return str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://login.microsoftonline.com/t/v2.0",
        "https://issuer.example:8443/",
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://[::1]:9",
    ],
)
def test_https_is_fit_and_plain_http_on_loopback_too(url: str) -> None:
    assert is_fit(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "issuer",
        "http://issuer.example",
        "http://10.0.0.1",
        "http://localhost.example",
        "file:///etc/passwd",
        "ftp://localhost/",
        "https://somebody:secret@issuer.example",
        "https://issuer.example/?a=b",
        "https://issuer.example/#part",
        "https://issuer.example:port",
        "https://[::1",
        "https://issuer.example/\r\nHost: other",
        "https://ïssuer.example",
    ],
)
def test_everything_else_is_not(url: str) -> None:
    assert not is_fit(url)


def test_a_document_is_fetched(issuer: Issuer) -> None:
    assert asyncio.run(documents.fetch(f"{issuer.origin}/keys"))["keys"]


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (302, {"Location": "/keys"}, b"", "it answers 302"),
        (404, {}, b"{}", "it answers 404"),
        (500, {}, b"{}", "it answers 500"),
        (200, {}, b'{"keys": ' + b" " * documents.LARGEST + b"1}", "is larger than"),
        (200, {}, b"[]", "is no JSON object"),
        (200, {}, b"<html>", "cannot be read"),
    ],
    ids=["redirect", "missing", "broken", "large", "list", "page"],
)
def test_a_document_that_is_none_is_refused(
    issuer: Issuer, status: int, headers: dict[str, str], body: bytes, said: str
) -> None:
    issuer.answer("/other", body, status, **headers)
    assert said in refused(f"{issuer.origin}/other")


def test_a_redirect_is_not_followed(issuer: Issuer) -> None:
    issuer.answer("/away", b"", 302, Location=f"{issuer.origin}/reached")
    issuer.asked.clear()
    refused(f"{issuer.origin}/away")
    assert issuer.asked == ["/away"]


def test_nobody_who_listens_is_said_so() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        assert "cannot be read" in refused(f"http://127.0.0.1:{held.getsockname()[1]}/")


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"], ids=["silence", "half"])
def test_whoever_answers_too_slowly_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    monkeypatch.setattr(documents, "WITHIN", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listening, contextlib.ExitStack() as stack:

        async def asked() -> Any:
            asking = asyncio.create_task(documents.fetch(f"http://127.0.0.1:{listening.getsockname()[1]}/"))
            held, _ = await asyncio.to_thread(listening.accept)
            stack.enter_context(held)
            held.sendall(sent)
            return await asking

        with pytest.raises(IssuerDown):
            asyncio.run(asked())
