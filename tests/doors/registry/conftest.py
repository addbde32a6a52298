"""A registry door that really listens, a desk that the test sits at, and visitors."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from linarite import certificates
from linarite.doors.registry import Limits
from linarite.doors.registry.routes import PATIENCE
from tests.doors.registry.house import REGISTRY, FakeDesk, House, Visitor, open_house

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from linarite.certificates import Certificates

    Opened = Callable[..., AbstractContextManager[House]]


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread of its own: the clients of these tests block."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="registry-door")
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def opened(loop: asyncio.AbstractEventLoop, desk: FakeDesk, tmp_path: Path) -> Opened:
    """Opens houses on one folder; two at once are two processes as far as the door can tell."""

    @contextmanager
    def opened(
        limits: Limits | None = None,
        files: Certificates | None = None,
        now: Callable[[], float] = time.time,
        patience: float = PATIENCE,
        upstream: str = "",
    ) -> Iterator[House]:
        house = House(loop, desk, tmp_path / "registries", limits or Limits(), files, now, patience, upstream)
        with open_house(house):
            yield house

    return opened


@pytest.fixture
def house(opened: Opened, request: pytest.FixtureRequest) -> Iterator[House]:
    """The door, open on plain HTTP; before another one, where a test of the specification is so parametrized."""
    with contextlib.ExitStack() as stack:
        house = stack.enter_context(opened())
        if getattr(request, "param", "embedded") == "upstream":
            house = stack.enter_context(opened(upstream=house.as_upstream()))
        yield house


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Hold both back ends to the specification."""
    if metafunc.module.__name__.rpartition(".")[2].startswith("test_spec_") and "house" in metafunc.fixturenames:
        metafunc.parametrize("house", ["embedded", "upstream"], indirect=True)


@pytest.fixture
def visitor(house: House) -> Iterator[Visitor]:
    """The admin user."""
    with house.visitor(REGISTRY, house.desk.passwords[REGISTRY][0]) as visitor:
        yield visitor


@pytest.fixture
def password(desk: FakeDesk) -> str:
    """The admin user's first password."""
    return desk.passwords[REGISTRY][0]


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """An authority, and a certificate of it for `localhost`."""
    return certificates.ensure(tmp_path_factory.mktemp("certificates"), ("localhost", "127.0.0.1"), datetime.now(UTC))
