"""The door of a whole server: off unless asked for, refused where others could reach it, and gone with the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.program import refused
from tests.doors.notebook.office import Door, gone, jupyter_of, nowhere
from tests.doors.test_doors_life import announced, free_ports
from tests.server import running, start

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server import Server


def key_of(server: Server) -> str:
    return str(server.owner().post(f"{server.workspace}/listNotebookKeys").json()["primaryAccessKey"])


def door_of(server: Server) -> Door:
    return Door(server.known["doors"]["notebook"], server.known["caBundle"])


def test_it_is_off_unless_asked_for_and_its_keys_are_listed_all_the_same(tmp_path: Path) -> None:
    with running(tmp_path / "data", LINARITE_NODE_MODULES=nowhere(tmp_path)) as server:
        assert server.known["doors"]["notebook"] is None
        assert "notebook" not in announced(server)[0]
        assert not {"notebooks", "jupyter"} & {path.name for path in server.folder.iterdir()}
        assert len(key_of(server)) == 64


def test_without_the_extra_the_start_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['jupyter_server'] = None\n")
    environment = {"PYTHONPATH": str(tmp_path), "LINARITE_NODE_MODULES": nowhere(tmp_path)}
    with running(tmp_path / "data", "--notebook", **environment) as server:
        assert server.known["doors"]["notebook"] is None
        assert announced(server)[-1] == (
            "notebook: The notebook door needs Jupyter Server, which this Python does not have: "
            "pip install 'linarite[notebook]'."
        )


def test_an_address_that_others_can_reach_is_refused_with_the_reason(tmp_path: Path) -> None:
    said = refused("up", "--data", tmp_path / "data", "--notebook", "--bind", "192.0.2.1")
    assert said.startswith("--notebook and --bind 192.0.2.1 do not go together: whoever has a notebook key runs code")
    assert not (tmp_path / "data").exists()


def test_nothing_outlives_a_server_that_is_killed(tmp_path: Path, jupyter: None) -> None:
    server = start(tmp_path / "data", "--notebook", LINARITE_NODE_MODULES=nowhere(tmp_path))
    try:
        process, kernel = jupyter_of(server), door_of(server).kernel_pid(key_of(server))
    finally:
        server.kill()
    gone(process, kernel)


def test_a_clean_stop_leaves_neither_jupyter_nor_a_kernel(tmp_path: Path, jupyter: None) -> None:
    port = free_ports(8)
    environment = {"LINARITE_NOTEBOOK": "true", "LINARITE_NODE_MODULES": nowhere(tmp_path)}
    with running(tmp_path / "data", "--port", str(port), **environment) as server:
        assert server.known["doors"]["notebook"] == f"https://localhost:{port + 7}"
        assert announced(server)[0].endswith("telemetry ✓ notebook ✓")
        process, kernel = jupyter_of(server), door_of(server).kernel_pid(key_of(server))
        assert server.stop() == 0
        gone(process, kernel)
        assert list((server.folder / "jupyter" / "runtime").iterdir()) == []
