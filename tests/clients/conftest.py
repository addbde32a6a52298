"""One server for all clients of a test process, a credential of its owner, and a resource group for each test."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING

import aiohttp.connector
import pytest
from azure.mgmt.resource.resources import ResourceManagementClient

from tests.clients.house import LOCATION, Azure, Neighbours, credential, fresh, make_neighbours, make_workspace
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("clients") / "data", "--no-doors") as server:
        yield server


@pytest.fixture(autouse=True)
def _trust(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell clients of the server's CA as a user does: requests by the first variable, OpenSSL by the second."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.known["caBundle"])
    monkeypatch.setenv("SSL_CERT_FILE", server.known["caBundle"])
    # aiohttp reads that variable once, when it is imported: in a process of its own, for this server; here, perhaps for
    # the server of another test.
    trusting = ssl.create_default_context(cafile=server.known["caBundle"])
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", trusting)


@pytest.fixture(scope="session")
def azure(server: Server) -> Iterator[Azure]:
    """Azure's clients, signed in as the owner."""
    with credential(server) as owner, contextlib.ExitStack() as stack:
        yield Azure(server, owner, stack)


@pytest.fixture
def group(azure: Azure) -> str:
    """A resource group that no other test writes into."""
    name = fresh("group-")
    azure(ResourceManagementClient).resource_groups.create_or_update(name, {"location": LOCATION})
    return name


@pytest.fixture
def beside(azure: Azure, group: str) -> Neighbours:
    """What stands beside a workspace, in the test's own group."""
    return make_neighbours(azure, group)


@pytest.fixture
def workspace(azure: Azure, group: str, beside: Neighbours) -> str:
    """Name of a workspace of the test's own, with every neighbour."""
    return make_workspace(azure, group, beside)
