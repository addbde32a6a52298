"""The proxy: Azure's clients under a cloud's host names on port 443, told of nothing but HTTPS_PROXY and a CA."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import socket
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import requests
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import TableServiceClient
from azure.keyvault.secrets import SecretClient
from azure.storage.blob import BlobClient, BlobSasPermissions, BlobServiceClient, generate_blob_sas
from azure.storage.queue import QueueServiceClient

from linarite.hosts import SUFFIX
from linarite.proxy import tunnel
from linarite.proxy.switchboard import Place, Switchboard, Unconnected
from linarite.proxy.tunnel import Exchange
from tests.cli.program import begun, ended, refused, until
from tests.doors.blob.loop import turning_loop
from tests.doors.vault.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.clients.house import Azure
    from tests.doors.blob.loop import Run
    from tests.doors.place import Place as Workplace
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
def named(blobs: str, place: Workplace, through: None) -> Callable[[str], str]:
    """The address of a service of the test's own storage account, as a cloud's clients make it up."""
    return lambda service: f"https://{place.account}.{service}.{SUFFIX}"


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


def test_blobs_are_kept_and_fetched_by_a_key_and_by_a_signature(place: Workplace, named: Callable[[str], str]) -> None:
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


def test_blobs_are_fetched_by_a_token_too(place: Workplace, named: Callable[[str], str]) -> None:
    """The owner of everything may list containers, and open none of their blobs."""
    with BlobServiceClient(named("blob"), credential=place.azure.credential) as service:
        assert "azureml" in [container.name for container in service.list_containers()]


def test_queues_and_tables_are_reached(place: Workplace, named: Callable[[str], str]) -> None:
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


def test_a_registry_is_reached_and_sends_its_clients_back_to_the_same_name(place: Workplace, through: None) -> None:
    host = f"{place.registry}.azurecr.{SUFFIX}"
    challenge = requests.get(f"https://{host}/v2/", timeout=PATIENCE).headers["www-authenticate"]
    assert challenge == f'Bearer realm="https://{host}/oauth2/token",service="{host}"'
    signed_in = (place.registry, place.passwords()["password"])
    assert requests.get(f"https://{host}/v2/", auth=signed_in, timeout=PATIENCE).status_code == 200


def test_the_servers_own_addresses_are_reached_as_well(server: Server, place: Workplace, through: None) -> None:
    assert requests.get(f"{server.origin}/health", timeout=PATIENCE).json() == {"status": "ok"}
    with BlobServiceClient(place.endpoint("blob"), credential=place.storage_keys()[0]) as service:
        assert "azureml" in [container.name for container in service.list_containers()]
    with QueueServiceClient(place.endpoint("queue"), credential=place.storage_keys()[0]) as queues:
        assert list(queues.list_queues()) == []


def test_an_asynchronous_client_is_led_too(server: Server, named: Callable[[str], str]) -> None:
    async def status() -> int:
        trust = tunnel_trust(server)
        async with (
            aiohttp.ClientSession(trust_env=True, connector=aiohttp.TCPConnector(ssl=trust)) as session,
            session.get(f"{named('blob')}/?comp=list") as answer,
        ):
            return answer.status

    assert asyncio.run(status()) in {401, 403, 409}


def tunnel_trust(server: Server) -> Any:
    import ssl

    return ssl.create_default_context(cafile=server.known["caBundle"])


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


def test_a_server_that_was_started_anew_is_found_again_and_one_that_stopped_is_named(tmp_path: Path) -> None:
    """The switchboard alone, with ready files as two servers leave them."""
    board = Switchboard(tmp_path)
    name = f"a.blob.{SUFFIX}"
    for number in (1, 2):
        doors = {"blob": f"https://localhost:{number}", "registry": None, "telemetry": None, "notebook": None}
        (tmp_path / "ready.json").write_text(
            f'{{"armEndpoint": "https://localhost:844{number}", "pid": {number}, "clientSecret": null, '
            f'"doors": {str(doors).replace("None", "null").replace(chr(39), chr(34))}}}'
        )
        assert asyncio.run(board.place(name, 443)) == Place("localhost", number)
    for host, said in ((f"a.azurecr.{SUFFIX}", "The door of azurecr is closed"), (f"a.vault.{SUFFIX}", "sealed")):
        with pytest.raises(Unconnected, match=said) as caught:
            asyncio.run(board.place(host, 443))
        assert caught.value.status == 503
    (tmp_path / "ready.json").unlink()
    with pytest.raises(Unconnected, match="No server runs on"):
        asyncio.run(board.place(name, 443))


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert refused("proxy", "--data", tmp_path, "--port", port).startswith(f"Port {port} on 127.0.0.1 cannot be")


# ── bounds ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Board:
    """Leads every name to one port."""

    port: int

    async def place(self, host: str, port: int) -> Place:
        return Place("127.0.0.1", self.port)


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with turning_loop("proxies") as run:
        yield run


@pytest.fixture
def exchange(run: Run) -> Iterator[Callable[..., tuple[str, Exchange]]]:
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
        line.sendall(wanted("a.test:443"))
        assert line.recv(1024) == b"HTTP/1.1 200 Connection established\r\n\r\n"
        yield line


def rest_of(line: socket.socket) -> bytes:
    found = b""
    while piece := line.recv(65_536):
        found += piece
    return found


def test_bytes_pass_in_both_directions_and_the_end_of_one_does_not_end_the_other(
    exchange: Callable[..., tuple[str, Exchange]], echo: int
) -> None:
    content = bytes(range(256)) * 4000
    with tunnelled(exchange(echo)[0]) as line:
        sending = threading.Thread(target=lambda: (line.sendall(content), line.shutdown(socket.SHUT_WR)))
        sending.start()
        assert rest_of(line) == content
        sending.join()


def test_a_tunnel_in_which_nothing_moves_is_closed_and_one_in_which_something_does_is_not(
    exchange: Callable[..., tuple[str, Exchange]], echo: int
) -> None:
    with tunnelled(exchange(echo, idle_within=0.4)[0]) as line:
        until_ = time.monotonic() + 0.8
        while time.monotonic() < until_:
            line.sendall(b"x")
            assert line.recv(1) == b"x"
        assert rest_of(line) == b""


def test_tunnels_have_a_number_that_they_do_not_exceed_and_make_room_when_they_end(
    exchange: Callable[..., tuple[str, Exchange]], echo: int
) -> None:
    address, made = exchange(echo, most=2)
    with tunnelled(address), tunnelled(address):
        status, _, said = connect(address, wanted("a.test:443"))
        assert (status, said) == (503, "There are 2 tunnels already.\n")
    until(lambda: not made._open, lambda: "a tunnel stays open")
    with tunnelled(address):
        pass


def test_somebody_who_does_not_answer_is_named(exchange: Callable[..., tuple[str, Exchange]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    status, _, said = connect(exchange(port)[0], wanted("a.test:443"))
    assert (status, said.partition(":")[0]) == (502, "127.0.0.1")


def test_a_client_that_says_nothing_is_not_waited_for(
    exchange: Callable[..., tuple[str, Exchange]], echo: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tunnel, "HEAD_WITHIN", 0.05)
    assert connect(exchange(echo)[0], b"CONNECT a.te")[0] == 408


def test_tunnels_are_closed_when_the_proxy_stops(
    exchange: Callable[..., tuple[str, Exchange]], echo: int, run: Run
) -> None:
    address, made = exchange(echo)
    with tunnelled(address) as line:
        run(made.close())
        assert rest_of(line) == b""
