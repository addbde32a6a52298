"""Servers for a whole test process, their owner, and a resource group of its own for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.place import Place, fresh, new_group
from tests.api.signing import key_of
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from joserfc.jwk import RSAKey

    from tests.server import Caller, Server


@pytest.fixture(scope="session")
def real_pace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose long-running operations answer 202, as Azure's do."""
    with running(tmp_path_factory.mktemp("real-pace") / "data", "--no-doors") as server:
        yield server


@pytest.fixture(scope="session")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose long-running operations are done with their first answer, so that nothing runs beside a test."""
    with running(tmp_path_factory.mktemp("at-once") / "data", "--no-doors", LINARITE_LRO="immediate") as server:
        yield server


@pytest.fixture(scope="module")
def server(at_once: Server) -> Server:
    """The server of a file; a file that wants another one says so with a fixture of this name."""
    return at_once


@pytest.fixture(scope="module")
def owner(server: Server) -> Caller:
    return server.owner()


@pytest.fixture(scope="module")
def nobody(server: Server) -> Caller:
    """Whoever has no token."""
    return server.nobody()


@pytest.fixture(scope="module")
def key(server: Server) -> RSAKey:
    """What the server signs its tokens with."""
    return key_of(server)


@pytest.fixture
def place(server: Server, owner: Caller) -> Place:
    """A resource group that no other test writes into."""
    return Place(owner, new_group(server, owner))


@pytest.fixture
def path(place: Place) -> str:
    """Of a workspace that is not there yet."""
    return f"{place.workspaces}/{fresh('w')}"
