"""A server of two processes whose notebook door is open, and a workspace on it for each test."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import pytest

from tests.doors.notebook.office import ROOT_KEY, Office, nowhere, settle
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.server import Caller, Server


@pytest.fixture(scope="session")
def jupyter() -> None:
    """What the door needs, which is an extra."""
    if not all(map(importlib.util.find_spec, ("jupyter_server", "ipykernel"))):
        pytest.skip("there is no Jupyter Server in this Python: pip install 'linarite[notebook]'")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, jupyter: None) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("notebook")
    arguments = ("--notebook", "--workers", "2")
    environment = {"LINARITE_LRO": "immediate", "LINARITE_NODE_MODULES": nowhere(folder)}
    environment |= {"LINARITE_ROOT_KEY": "env:OUR_ROOT_KEY", "OUR_ROOT_KEY": ROOT_KEY}
    with running(folder / "data", *arguments, **environment) as server:
        yield server


@pytest.fixture(scope="session")
def owner(server: Server) -> Caller:
    return server.owner()


@pytest.fixture
def office(server: Server, owner: Caller) -> Office:
    return settle(server, owner)
