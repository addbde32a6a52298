"""The proxy: Azure's clients under a cloud's host names on port 443, told of nothing but HTTPS_PROXY and a CA."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import ssl
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
import httpx
import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import TableServiceClient
from azure.keyvault.secrets import SecretClient
from azure.storage.blob import BlobClient, BlobSasPermissions, BlobServiceClient, generate_blob_sas
from azure.storage.queue import QueueServiceClient

from linarite.client import environment
from linarite.hosts import SUFFIX
from linarite.proxy import tunnel
from tests.cli.program import begun, ended, refused, until
from tests.doors.vault.shop import Shop
from tests.test_readme import blocks, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.clients.house import Azure
    from tests.doors.place import Place
    from tests.server import Server

PATIENCE = 10.0


@contextlib.contextmanager
def proxying(folder: Path, log: Path, *options: str) -> Iterator[str]:
    """A proxy for the server of a folder; its address. It stops with exit status 0."""

    def address() -> str:
        return (re.findall(r"^The proxy listens on (\S+)$", log.read_text(), re.MULTILINE) or [""])[-1]

    with begun("proxy", "--data", folder, "--port", "0", *options, log=log) as process:
        until(lambda: bool(address()), log.read_text)
        yield address()
        assert ended(process, signal.SIGINT) == 0, log.read_text()


@pytest.fixture(scope="session")
def proxy(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with proxying(server.folder, tmp_path_factory.mktemp("proxy") / "log") as address:
        yield address


@pytest.fixture
def through(proxy: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a client is told."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.known["caBundle"])
    monkeypatch.setenv("SSL_CERT_FILE", server.known["caBundle"])


@pytest.fixture
def named(blobs: str, place: Place, through: None) -> Callable[[str], str]:
    """The address of a service of the test's own storage account, as a cloud's clients make it up."""
    return lambda service: f"https://{place.account}.{service}.{SUFFIX}"


def trust_of(server: Server) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.known["caBundle"])


def connect(proxy: str, request: bytes) -> tuple[int, dict[str, str], str]:
    """What a proxy answers to bytes: status, headers, and the rest."""
    at = urlsplit(proxy)
    with socket.create_connection((at.hostname or "", at.port or 0), timeout=PATIENCE) as line:
        line.sendall(request)
        answer = b""
        while piece := line.recv(65_536):
            answer += piece
            if answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"\r\n\r\n"):
                break
    head, _, rest = answer.decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    return int(status.split(" ")[1]), dict(one.split(": ", 1) for one in lines), rest


def wanted(target: str) -> bytes:
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()


# ── the doors ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_blobs_are_kept_and_fetched_by_a_key_and_by_a_signature(place: Place, named: Callable[[str], str]) -> None:
    key, content = place.storage_keys()[0], bytes(range(256)) * 20_000
    with BlobServiceClient(named("blob"), credential=key) as service:
        assert service.account_name == place.account
        service.create_container("data").upload_blob("a/b c", content)
        assert service.get_blob_client("data", "a/b c").download_blob().readall() == content
    signature = generate_blob_sas(
        place.account,
        "data",
        "a/b c",
        account_key=key,
        permission=BlobSasPermissions(read=True),
        expiry=datetime.now(UTC) + timedelta(minutes=5),
    )
    with BlobClient.from_blob_url(f"{named('blob')}/data/a%2Fb%20c?{signature}") as blob:
        assert blob.download_blob().readall() == content


def test_blobs_are_fetched_by_a_token_too(place: Place, named: Callable[[str], str]) -> None:
    """The owner of everything may list containers, and open none of their blobs."""
    with BlobServiceClient(named("blob"), credential=place.azure.credential) as service:
        assert "azureml" in [container.name for container in service.list_containers()]


def test_queues_and_tables_are_reached(place: Place, named: Callable[[str], str]) -> None:
    key = place.storage_keys()[1]
    with QueueServiceClient(named("queue"), credential=key) as queues:
        queue = queues.create_queue("queue")
        queue.send_message("hello")
        assert [message.content for message in queue.receive_messages()] == ["hello"]
    with TableServiceClient(named("table"), credential=AzureNamedKeyCredential(place.account, key)) as tables:
        tables.create_table("table").create_entity({"PartitionKey": "a", "RowKey": "b"})
        assert [entity["RowKey"] for entity in tables.get_table_client("table").list_entities()] == ["b"]


def test_a_vaults_secrets_are_reached_with_its_challenge_verified(azure: Azure, through: None) -> None:
    shop = Shop.opened(azure)
    for uri in (shop.uri, f"https://{shop.name}.vault.{SUFFIX}"):
        with SecretClient(uri, azure.credential) as secrets:
            kept = secrets.set_secret("s", uri)
            assert str(kept.id).startswith(f"{uri.rstrip('/')}/secrets/s/")
            assert secrets.get_secret("s").value == uri


def test_a_registry_is_reached_and_sends_its_clients_back_to_the_same_name(
    server: Server, place: Place, through: None
) -> None:
    host = f"{place.registry}.azurecr.{SUFFIX}"
    with httpx.Client(base_url=f"https://{host}", verify=trust_of(server)) as client:
        challenge = client.get("/v2/").headers["www-authenticate"]
        assert challenge == f'Bearer realm="https://{host}/oauth2/token",service="{host}"'
        assert client.get("/v2/", auth=(place.registry, place.passwords()["password"])).status_code == 200


def test_the_servers_own_addresses_are_reached_as_well(server: Server, place: Place, through: None) -> None:
    assert httpx.get(f"{server.origin}/health", verify=trust_of(server)).json() == {"status": "ok"}
    with BlobServiceClient(place.endpoint("blob"), credential=place.storage_keys()[0]) as service:
        assert "azureml" in [container.name for container in service.list_containers()]
    with QueueServiceClient(place.endpoint("queue"), credential=place.storage_keys()[0]) as queues:
        assert list(queues.list_queues()) == []


def test_an_asynchronous_client_is_led_too(server: Server, named: Callable[[str], str]) -> None:
    async def answered() -> tuple[int, str]:
        connector = aiohttp.TCPConnector(ssl=trust_of(server))
        async with (
            aiohttp.ClientSession(trust_env=True, connector=connector) as session,
            session.get(f"{named('blob')}/?comp=list") as answer,
        ):
            return answer.status, answer.headers["x-ms-error-code"]

    assert asyncio.run(answered()) == (401, "NoAuthenticationInformation")


# ── others ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("example.com:443", "example.com:443 is none of Linarite's, and others are refused: see --pass-through.\n"),
        ("[2001:db8::1]:443", "2001:db8::1:443 is none of Linarite's, and others are refused: see --pass-through.\n"),
        ("localhost:1", "localhost:1 is none of Linarite's, and others are refused: see --pass-through.\n"),
        (
            f"a.dfs.{SUFFIX}:443",
            f"Nothing is served under a.dfs.{SUFFIX}: there are blob, queue, table, vault, azurecr.\n",
        ),
    ],
)
def test_other_names_are_refused_unless_it_is_said_otherwise(proxy: str, target: str, said: str) -> None:
    status, headers, body = connect(proxy, wanted(target))
    assert (status, body) == (403, said)
    assert headers["Connection"] == "close"


def test_other_names_are_passed_through_where_that_is_wanted(server: Server, tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        proxying(server.folder, tmp_path / "log", "--pass-through") as proxy,
    ):
        target = f"127.0.0.1:{other.getsockname()[1]}"
        assert connect(proxy, wanted(target))[0] == 200
        assert connect(proxy, wanted(f"a.dfs.{SUFFIX}:443"))[0] == 403


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET http://example.com/ HTTP/1.1\r\n\r\n", 405),
        (b"CONNECT example.com HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT ex ample.com:443 HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT user@example.com:443 HTTP/1.1\r\n\r\n", 400),
        (b"\x16\x03\x01\r\n\r\n", 405),
        (b"CONNECT example.com:443 HTTP/1.1\r\nX: " + b"x" * tunnel.LONGEST_HEAD + b"\r\n\r\n", 431),
    ],
)
def test_what_is_no_connect_is_refused(proxy: str, request_: bytes, status: int) -> None:
    assert connect(proxy, request_)[0] == status


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert refused("proxy", "--data", tmp_path, "--port", port).startswith(f"Port {port} on 127.0.0.1 cannot be")


# ── the guides ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("page", "printed"),
    [
        ("docs/how-to/host-names.md", "testdemoworkazashomr ['azureml'"),
        ("docs/reference/key-vault.md", "hello"),
    ],
)
@pytest.mark.usefixtures("blobs")
def test_what_a_guide_tells_to_enter_does_what_it_says(
    server: Server, proxy: str, tmp_path: Path, page: str, printed: str
) -> None:
    [block] = blocks(page, "python")
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "HTTPS_PROXY": proxy}
    said = run([sys.executable, "-"], block, surroundings | environment(server.known))
    assert said.startswith(printed)
