"""A whole server with its doors open, for the tests right here: their clients are real and so is what they talk to.

Tests in the folders below have a door of their own instead.
"""

from __future__ import annotations

import contextlib
import gc
import tempfile
import warnings
from typing import TYPE_CHECKING

import pytest

from tests.clients.house import Azure, credential
from tests.doors.place import settle
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.doors.place import Place
    from tests.server import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("doors") / "data", LINARITE_LRO="immediate") as server:
        yield server


@pytest.fixture(scope="session")
def azure(server: Server) -> Iterator[Azure]:
    """Azure's clients, signed in as the owner."""
    with credential(server) as owner, contextlib.ExitStack() as stack:
        yield Azure(server, owner, stack)


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> pytest.MonkeyPatch:
    """What a test needs that names its CA itself.

    An exporter that does not report on itself to Microsoft; and a place for the temporary files that oras leaves.
    """
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
    for what in ("STATSBEAT_DISABLED_ALL", "SDKSTATS_DISABLED", "CONTROLPLANE_DISABLED"):
        monkeypatch.setenv(f"APPLICATIONINSIGHTS_{what}", "true")
    return monkeypatch


@pytest.fixture
def place(azure: Azure, server: Server, trusted: pytest.MonkeyPatch) -> Place:
    """A workspace with everything beside it, and nobody else's."""
    trusted.setenv("REQUESTS_CA_BUNDLE", server.known["caBundle"])
    return settle(azure)


@pytest.fixture
def blobs(server: Server) -> str:
    """The address of the blob door; a test that needs it is skipped where it cannot be opened."""
    if server.known["doors"]["blob"] is None:
        pytest.skip("the blob door needs Node 20 and its packages: see CONTRIBUTING.md")
    return str(server.known["doors"]["blob"])


@pytest.fixture
def forgotten_connections() -> Iterator[None]:
    """Azure's registry client leaves the connection of an answer that it made an error of to the garbage collector."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
