"""What keeps a server from starting is said in a sentence; nothing of another server is touched."""

from __future__ import annotations

import json
import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from linarite.client import READY_FILE
from tests.cli.program import linarite, refused
from tests.server import running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server import Server

UP = ("up", "--no-doors", "--port", "0")


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """The folder of a server that ran once, without a sample."""
    folder = tmp_path / "stopped"
    with running(folder, "--no-doors", "--seed", "none"):
        pass
    return folder


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refused("up", "--data", tmp_path / "data", "--no-doors", "--port", str(port))
    assert said.startswith(f"Port {port} on 127.0.0.1 cannot be used: Address already in use.")
    assert "--port 0" in said


def test_a_port_of_another_server_is_not_shared_with_it(server: Server, tmp_path: Path) -> None:
    port = server.origin.rpartition(":")[2]
    assert f"Port {port}" in refused("up", "--data", tmp_path / "data", "--no-doors", "--port", port)


def test_a_folder_in_use_is_refused_and_its_server_keeps_its_ready_file(server: Server) -> None:
    said = refused(*UP, "--data", server.folder)
    assert said.startswith(f"Another server runs on {server.folder}.")
    assert json.loads((server.folder / READY_FILE).read_text()) == server.known
    assert server.nobody().get("/health", version=None).json() == {"status": "ok"}


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = refused(*UP, "--data", tmp_path / "file" / "data")
    assert said.startswith(f"The data folder {tmp_path / 'file' / 'data'} cannot be used: Not a directory.")


def test_a_ready_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    wanted = tmp_path / "missing" / "ready.json"
    said = refused(*UP, "--data", tmp_path / "data", "--seed", "none", "--ready-file", wanted)
    assert said.startswith(f"The ready file {wanted} cannot be written: No such file or directory.")
    assert not (tmp_path / "data" / READY_FILE).exists()


def test_a_database_of_another_layout_is_refused_and_left_alone(stopped: Path) -> None:
    database = stopped / "linarite.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = database.read_bytes()
    said = refused(*UP, "--data", stopped)
    assert said.startswith("The database was written by another version of Linarite (layout 9999;")
    assert database.read_bytes() == before


def test_a_database_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "linarite.db").write_bytes(b"no database" * 1000)
    said = refused(*UP, "--data", tmp_path / "data")
    assert said.startswith("The database cannot be opened: file is not a database")


def test_a_postgresql_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"postgresql://somebody:hunter2@127.0.0.1:{port}/linarite"
    said = refused(*UP, "--data", tmp_path / "data", LINARITE_DATABASE=url)
    assert said.startswith("The database cannot be opened: ")
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("env:MY_ROOT_KEY", "The root key's variable MY_ROOT_KEY is not set"),
        ("command:false", "The root key's command false ended with 1"),
        ("command:no-such-program", "The root key's command no-such-program does not start"),
    ],
)
def test_a_root_key_that_cannot_be_had_ends_a_first_start(tmp_path: Path, source: str, sentence: str) -> None:
    assert refused(*UP, "--data", tmp_path / "data", LINARITE_ROOT_KEY=source).startswith(sentence)


def test_a_root_key_that_is_none_ends_a_first_start(tmp_path: Path) -> None:
    said = refused(*UP, "--data", tmp_path / "data", LINARITE_ROOT_KEY="env:MY_ROOT_KEY", MY_ROOT_KEY="hunter2")
    assert said.startswith("What the root key's source (env) gave is not 32 bytes in base64")
    assert "hunter2" not in said


def test_a_wrong_root_key_is_refused(stopped: Path) -> None:
    (stopped / "root.key").write_text("A" * 43 + "=\n")
    assert refused(*UP, "--data", stopped).startswith("The root key is not the one that this data was sealed with")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"LINARITE_PORT": "many"}, "LINARITE_PORT is 'many', and must be a whole number from 0 to 65535.\n"),
        ({"LINARITE_PROT": "1"}, "LINARITE_PROT is no setting: did you mean LINARITE_PORT?\n"),
        ({"LINARITE_DATABASE": "mysql://x:hunter2@y/z"}, "LINARITE_DATABASE is 'mysql://x:…@y/z', and must be empty"),
    ],
)
def test_a_bad_setting_is_refused_with_what_is_allowed(environment: dict[str, str], sentence: str) -> None:
    assert refused("up", **environment).startswith(sentence)


@pytest.mark.parametrize("command", ["env", "keys", "doctor", "settings"])
def test_a_bad_setting_is_refused_by_every_command(command: str) -> None:
    assert refused(command, LINARITE_PORT="many").startswith("LINARITE_PORT is 'many'")


def test_every_bad_setting_is_named_at_once() -> None:
    said = refused("up", "--port", "99999", LINARITE_LRO="soon", LINARITE_SEED="all")
    assert [line.partition(" ")[0] for line in said.splitlines()] == ["--port", "LINARITE_SEED", "LINARITE_LRO"]


def test_keeping_nothing_and_keeping_it_in_a_folder_exclude_each_other(tmp_path: Path) -> None:
    assert refused("up", "--ephemeral", "--data", tmp_path / "data").startswith("--ephemeral keeps nothing")
    assert not (tmp_path / "data").exists()


def test_an_option_that_is_no_number_is_a_usage_error() -> None:
    ended = linarite("up", "--port", "many")
    assert ended.status == 2
    assert "--port" in ended.complaint
    assert "Traceback" not in ended.complaint
