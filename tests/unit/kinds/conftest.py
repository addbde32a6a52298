"""A house for each test, on its own copy of one database."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from typing import TYPE_CHECKING

import pytest

from linarite.seal import Keyring
from linarite.store.migrations import bring_up
from tests.unit.kinds.house import LOCATION, SUBSCRIPTION, House

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    MakeHouse = Callable[..., House]


@pytest.fixture(scope="session")
def first_house(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Keyring]:
    """A database with tenant, owner and resource group, and its keyring: signing keys take long to make."""
    path, ring = tmp_path_factory.mktemp("first") / "linarite.db", Keyring.fresh()
    bring_up(f"sqlite:///{path}")
    with asyncio.Runner() as runner:
        house = House(path, ring, runner)
        house.found()
        house.close()
    return path, ring


@pytest.fixture
def house_with(first_house: tuple[Path, Keyring], tmp_path: Path) -> Iterator[MakeHouse]:
    """Makes a house with doors at given addresses."""
    path, ring = first_house
    with contextlib.ExitStack() as stack:

        def make(**endpoints: str) -> House:
            copy = tmp_path / "linarite.db"
            shutil.copy(path, copy)
            house = House(copy, ring, stack.enter_context(asyncio.Runner()), endpoints)
            stack.callback(house.close)
            return house

        yield make


@pytest.fixture
def other(house: House) -> str:
    """Another resource group than the one of the house."""
    path = f"{SUBSCRIPTION}/resourceGroups/other"
    house.put(path, {"location": LOCATION}, version="2024-11-01")
    return path


@pytest.fixture
def house(house_with: MakeHouse) -> House:
    """A house with every door closed."""
    return house_with()
