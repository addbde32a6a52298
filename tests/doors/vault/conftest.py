"""A vault for each test: one in this process with a clock to be set, and one of the running server for real clients."""

from __future__ import annotations

import asyncio
import shutil
import socket
from typing import TYPE_CHECKING, Any

import pytest

from linarite import hosts
from linarite.seal import Keyring
from linarite.store.migrations import bring_up
from linarite.tokens.minting import private_half
from tests.doors.vault.keeper import OWNER, Keeper, policy
from tests.doors.vault.shop import Shop
from tests.unit.kinds.house import House

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.clients.house import Azure
    from tests.server import Server


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Keeper:
    """A vault that is not used: each test has a copy of its database, for keys that sign take long to make and read."""
    path, ring = tmp_path_factory.mktemp("founded") / "linarite.db", Keyring.fresh()
    bring_up(f"sqlite:///{path}")
    with asyncio.Runner() as runner:
        house = House(path, ring, runner)
        house.found()
        key, _ = runner.run(house.engine.gate.look(lambda view: view.signing_keys()[0]))
        keeper = Keeper(house, private_half(key, ring))
        keeper.settle(accessPolicies=[policy(OWNER, "all")])
        house.close()
    return keeper


@pytest.fixture
def keeper(founded: Keeper, tmp_path: Path) -> Iterator[Keeper]:
    copy = tmp_path / "linarite.db"
    shutil.copy(founded.house.database, copy)
    with asyncio.Runner() as runner:
        house = House(copy, founded.house.keyring, runner)
        yield Keeper(house, founded.signing)
        house.close()


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our host names are found in this process, as a line in the machine's hosts file would have it."""
    look_up = socket.getaddrinfo

    def found(host: Any, *arguments: Any, **more: Any) -> Any:
        known = isinstance(host, str) and hosts.named(host) is not None
        return look_up("127.0.0.1" if known else host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", found)


@pytest.fixture
def shop(azure: Azure, server: Server, found: None, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A vault of the running server in which the owner may do everything with secrets."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", server.known["caBundle"])
    monkeypatch.setenv("SSL_CERT_FILE", server.known["caBundle"])
    return Shop.opened(azure)
