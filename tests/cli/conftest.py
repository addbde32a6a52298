"""A home of their own for the commands, and one server for those that only ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server import Server


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of whoever calls a command: empty, so that no test finds or leaves anything in the real one."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    return home


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that is asked, and neither changed nor stopped."""
    with running(tmp_path_factory.mktemp("cli") / "data", "--no-doors") as server:
        yield server
