"""A server from its start to its end: its files, its signals, and what a restart finds."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from linarite.client import READY_FILE
from linarite.data_folder import Ready
from tests.cli.program import ENDS_WITHIN, begun, ended, until
from tests.server import running

if TYPE_CHECKING:
    from tests.server import Server

PUBLIC = {"ca.pem", "server.pem", "bundle.pem"}
"""Files of the data folder that anybody may read: certificates are shown to every client."""

DESCRIBED = (Path(__file__).parents[2] / "docs/reference/files.md").read_text()
"""Where every file and every member of the ready file is explained."""

ANNOUNCED = "Ctrl-C stops it."
"""The end of what a server says when it is ready."""


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def is_closed(origin: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", urlsplit(origin).port or 0)):
            return False
    except ConnectionRefusedError:
        return True


def keys(server: Server) -> object:
    answer = server.owner().post(f"{server.workspace}/listKeys")
    assert answer.status_code == 200, answer.text
    return answer.json()


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_server_keeps_is_for_its_owner_alone(server: Server) -> None:
    found = modes(server.folder)
    assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
    assert {"linarite.db", "root.key", "server.key", "ca.key", READY_FILE} <= found.keys()
    assert {name: oct(mode) for name, mode in found.items() if mode != 0o600} == dict.fromkeys(PUBLIC, oct(0o644))


def test_the_folder_and_what_is_above_it_are_made(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "there"
    with running(folder, "--no-doors", "--seed", "none"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_ready_file_says_all_that_clients_need(server: Server) -> None:
    known = server.known
    assert [name for name in (*known, *known["doors"]) if f"`{name}`" not in DESCRIBED] == []
    assert known == {
        "armEndpoint": server.origin,
        "authority": server.origin,
        "tenantId": "dddddddd-cccc-bbbb-aaaa-000000000000",
        "subscriptionId": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "resourceGroup": "testrg123",
        "workspace": "workspaces123",
        "clientId": "11111111-2222-3333-4444-555555555555",
        "clientSecret": known["clientSecret"],
        "caBundle": str(server.folder / "bundle.pem"),
        "identity": {"endpoint": server.known["identity"]["endpoint"], "machine": None},
        "metadataUrl": f"{server.origin}/metadata/endpoints?api-version=2019-05-01",
        "console": None,
        "doors": {"blob": None, "registry": None, "telemetry": None, "notebook": None},
        "pid": server.process.pid,
    }
    assert len(known["clientSecret"]) == 40


def test_a_ready_file_is_replaced_whole_so_that_no_reader_sees_half_of_it(tmp_path: Path) -> None:
    path = tmp_path / READY_FILE
    Ready({"pid": 1}).write(path)
    with path.open() as reader:
        Ready({"pid": 2, "workspace": "w" * 100_000}).write(path)
        assert json.load(reader) == {"pid": 1}
    assert json.loads(path.read_text())["pid"] == 2
    assert modes(tmp_path)[READY_FILE] == 0o600
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == [READY_FILE]


def test_what_is_announced_leads_a_user_on_and_tells_no_secret(server: Server) -> None:
    until(lambda: ANNOUNCED in server.log.read_text(), server.log.read_text)
    said = server.log.read_text()
    assert said.startswith(f"Linarite serves {server.origin}\n")
    assert f'eval "$(linarite env --data {server.folder})" && linarite keys --data {server.folder}' in said
    assert server.known["clientSecret"] not in said


# ── signals ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_server_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path / "data", "--no-doors", "--seed", "none") as server:
        caller = server.owner()  # its connection stays open
        assert caller.get(f"{server.subscription}/resourceGroups").status_code == 200
        assert ended(server.process, number) == 0
    assert server.log.read_text().rstrip().endswith(ANNOUNCED), "nothing is said at the end"
    left = modes(server.folder)
    assert READY_FILE not in left
    assert not list(tmp_path.glob("*.ready"))
    assert "linarite.db-wal" not in left, "the database was closed"
    assert is_closed(server.origin)


def test_an_ephemeral_server_leaves_nothing_behind(tmp_path: Path) -> None:
    own, ready, log = tmp_path / "own", tmp_path / "ready.json", tmp_path / "log"
    own.mkdir()
    arguments = ("up", "--ephemeral", "--port", "0", "--seed", "none", "--ready-file", ready)
    with begun(*arguments, log=log, TMPDIR=str(own)) as process:
        until(lambda: ANNOUNCED in log.read_text(), log.read_text)
        [folder] = own.iterdir()
        known = json.loads(ready.read_text())
        assert known["caBundle"] == str(folder / "bundle.pem")
        assert f"linarite env --data {folder}" in log.read_text()
        assert [path.name for path in folder.iterdir() if f"`{path.name}`" not in DESCRIBED] == []
        opened = [url for url in (known["armEndpoint"], *known["doors"].values()) if url]
        assert len(opened) >= 3, "the API, the registry and the telemetry; blobs where there is Node"
        assert ended(process, signal.SIGTERM) == 0
    assert list(own.iterdir()) == []
    assert not ready.exists()
    assert [url for url in opened if not is_closed(url)] == []


def test_an_ephemeral_server_that_is_stopped_while_it_starts_leaves_nothing_behind(tmp_path: Path) -> None:
    own, log = tmp_path / "own", tmp_path / "log"
    own.mkdir()
    # Whoever is interrupted may leave a file to the collector, which is no fault worth an error.
    environment = {"TMPDIR": str(own), "PYTHONWARNINGS": "ignore::ResourceWarning"}
    with begun("up", "--ephemeral", "--no-doors", "--port", "0", log=log, **environment) as process:
        until(lambda: any(own.glob("linarite-*")), log.read_text)  # Python first tries it with a file
        ended(process, signal.SIGTERM)
    assert list(own.iterdir()) == []
    assert "Traceback" not in log.read_text()


def test_a_server_until_eof_stops_cleanly_when_nobody_holds_its_input_any_more(tmp_path: Path) -> None:
    own, log = tmp_path / "own", tmp_path / "log"
    own.mkdir()
    reading, writing = os.pipe()
    arguments = ("up", "--ephemeral", "--until-eof", "--no-doors", "--port", "0", "--seed", "none")
    with begun(*arguments, log=log, reads=reading, TMPDIR=str(own)) as process:
        os.close(reading)
        os.write(writing, b"what comes is for nobody\n")
        until(lambda: ANNOUNCED in log.read_text(), log.read_text)
        assert process.poll() is None
        os.close(writing)
        assert process.wait(ENDS_WITHIN) == 0
    assert list(own.iterdir()) == []


# ── size ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_process_of_a_server_has_loaded_what_only_other_commands_need(tmp_path: Path) -> None:
    log = tmp_path / "log"
    tell = "lambda: print('has', *sys.modules, file=sys.stderr)"
    (tmp_path / "sitecustomize.py").write_text(f"import atexit, sys\natexit.register({tell})")
    arguments = ("up", "--data", tmp_path / "data", "--no-doors", "--port", "0", "--seed", "none", "--workers", "2")
    with begun(*arguments, log=log, PYTHONPATH=str(tmp_path)) as process:
        until(lambda: ANNOUNCED in log.read_text(), log.read_text)
        assert ended(process, signal.SIGTERM) == 0
    loaded = [set(line.split()) for line in log.read_text().splitlines() if line.startswith("has ")]
    assert [{"click", "granian"} <= names for names in loaded] == [True, True], "the server and its sibling"
    others = {"typer", "pydantic", "rich", "linarite.tables", "linarite.operator_desk"}
    assert [names & others for names in loaded] == [set(), set()]


# ── restarts ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--no-doors") as first:
        group = f"{first.subscription}/resourceGroups/kept"
        assert first.owner().put(group, {"location": "eastus", "tags": {"a": "b"}}, version="2024-11-01").is_success
        known, shown = first.known, keys(first)
        token = first.owner().http.headers["authorization"]
    port = urlsplit(first.origin).port
    with running(tmp_path / "data", "--no-doors", "--port", str(port)) as second:
        again = second.known
        own = {"pid": None, "identity": None}  # a process and a port of its own
        assert {**again, **own} == {**known, **own}
        assert keys(second) == shown
        assert second.owner().get(group, version="2024-11-01").json()["tags"] == {"a": "b"}
        nobody = second.nobody()
        nobody.http.headers["authorization"] = token
        assert nobody.get(second.workspace).status_code == 200, "a token outlives a restart"


def test_a_server_that_was_told_not_to_makes_no_sample(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--no-doors", "--seed", "none") as server:
        assert server.owner().get(f"{server.subscription}/resourceGroups", version="2024-11-01").json()["value"] == []
