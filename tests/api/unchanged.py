"""A fixture for files whose every request must be refused: afterwards nothing has changed, not even for a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.api.on_disk import state_version
from tests.api.place import ARM

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.server import Caller, Server


def everything(server: Server, owner: Caller) -> Any:
    """All groups and resources as lists show them, and the sample workspace whole."""
    lists = (f"{server.subscription}/{one}" for one in ("resourceGroups", "resources"))
    return [owner.get(one, version=ARM).json()["value"] for one in lists], owner.get(server.workspace).json()


@pytest.fixture(scope="module", autouse=True)
def _everything_is_as_it_was(server: Server, owner: Caller) -> Iterator[None]:
    before = everything(server, owner)
    yield
    assert everything(server, owner) == before


@pytest.fixture(autouse=True)
def _the_state_is_as_it_was(server: Server) -> Iterator[None]:
    before = state_version(server)
    yield
    assert state_version(server) == before


def assert_refused(answer: httpx.Response) -> None:
    """4xx in Azure's envelope."""
    assert 400 <= answer.status_code < 500, answer.text
    error = answer.json()["error"]
    assert isinstance(error["code"], str)
    assert isinstance(error["message"], str)
    assert error["code"]
    assert error["message"]
    assert answer.headers["x-ms-request-id"]
