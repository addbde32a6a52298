"""A token service for each test that asks for one, on its own copy of one database."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from linarite.seal import Keyring
from linarite.store.migrations import bring_up
from tests.unit.desk import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.postgres import Cluster


@pytest.fixture(scope="session")
def first_desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A closed desk, whose database has a signing key and an application: keys take long to make."""
    return founded(f"sqlite:///{tmp_path_factory.mktemp('first') / 'linarite.db'}")


@pytest.fixture(scope="session")
def postgres_template(postgres: Cluster) -> str:
    """The name of a database for `first_desk_on_postgresql`, from which a test's own is cloned."""
    return postgres.create_database()


@pytest.fixture(scope="session")
def first_desk_on_postgresql(postgres: Cluster, postgres_template: str) -> Desk:
    """The same as `first_desk` on PostgreSQL."""
    return founded(postgres.url(postgres_template))


def founded(url: str) -> Desk:
    bring_up(url)
    with asyncio.Runner() as runner:
        desk = Desk(url, Keyring.fresh(), runner)
        desk.found()
        desk.close()
    return desk


@pytest.fixture
def desk(first_desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    path = tmp_path / "linarite.db"
    shutil.copy(first_desk.file, path)
    with asyncio.Runner() as runner:
        desk = first_desk.moved(f"sqlite:///{path}", runner)
        yield desk
        desk.close()
