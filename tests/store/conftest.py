"""The suite of the store runs on both databases: what is asked for by `site` is asked for twice."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from linarite.seal import Keyring
from linarite.store.migrations import bring_up
from tests.store.site import BOTH, opened

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping
    from pathlib import Path

    from tests.postgres import Cluster
    from tests.store.site import Site


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged, which is not printed: traces of megabytes take seconds to set."""
    with structlog.testing.capture_logs() as logged:
        yield logged


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of SQLite that has every table."""
    path = tmp_path_factory.mktemp("template") / "linarite.db"
    bring_up(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: Cluster) -> str:
    """A database of PostgreSQL that has every table."""
    name = postgres.create_database()
    bring_up(postgres.url(name))
    return name


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """SQLAlchemy's URL of a fresh file."""
    path = tmp_path / "linarite.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=BOTH)
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database with every table and nothing in them, on SQLite and then on PostgreSQL."""
    fresh: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return fresh


@pytest.fixture
def keyring() -> Keyring:
    return Keyring.fresh()


@pytest.fixture
def site(url: str, keyring: Keyring) -> Iterator[Site]:
    """A process on a database of either kind."""
    with opened(url, keyring) as site:
        yield site


@pytest.fixture
def sqlite_site(sqlite_url: str, keyring: Keyring) -> Iterator[Site]:
    """A process on SQLite, for what only SQLite can do."""
    with opened(sqlite_url, keyring) as site:
        yield site


@pytest.fixture
def postgres_site(postgres_url: str, keyring: Keyring) -> Iterator[Site]:
    """A process on PostgreSQL, for what only PostgreSQL can do."""
    with opened(postgres_url, keyring) as site:
        yield site
