"""env, keys, settings and help: what they print, where secrets are shown, and what they say without a server."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from linarite.cli import app
from linarite.cli.groups import Group
from linarite.client import READY_FILE, Client, environment
from tests.cli.program import answered, linarite, refused, surroundings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server import Server


@pytest.fixture(scope="module")
def shown(server: Server) -> dict[str, object]:
    """What listKeys answers."""
    answer = server.owner().post(f"{server.workspace}/listKeys")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def leaves(value: object) -> list[str]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [str(value)]


# ── env ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_env_exports_what_points_every_client_here(server: Server, tmp_path: Path) -> None:
    script = f'eval "$({sys.executable} -m linarite env --data {server.folder})" && env -0'
    printed = subprocess.run(
        ["bash", "-euc", script], capture_output=True, text=True, check=True, env=surroundings({})
    ).stdout
    seen = dict(line.partition("=")[::2] for line in printed.split("\0"))
    exported = environment(server.known)
    assert {name: seen[name] for name in exported} == exported
    assert exported["ARM_ENDPOINT"] == exported["AZURE_AUTHORITY_HOST"] == server.origin
    assert exported["AZURE_TENANT_ID"] == "adfs"


def test_env_as_json_is_the_ready_file(server: Server) -> None:
    assert json.loads(answered("env", "--json", "--data", server.folder)) == server.known


def test_env_survives_a_folder_with_blanks_and_quotes_in_its_name() -> None:
    known = {"caBundle": "/it's $HOME/bundle.pem"} | dict.fromkeys(
        ("authority", "clientId", "clientSecret", "subscriptionId", "metadataUrl"), "x"
    )
    known |= dict.fromkeys(("resourceGroup", "workspace", "armEndpoint"), "y")
    assert environment(known)["SSL_CERT_FILE"] == "/it's $HOME/bundle.pem"


# ── keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_keys_masks_every_secret(server: Server, shown: dict[str, object]) -> None:
    printed = answered("keys", "--data", server.folder)
    names = {"testdemoworkjmjmeykp", "password", "password2", "eastus", str(shown["userStorageResourceId"])}
    secrets = set(leaves(shown)) - names
    assert len(secrets) == 6, "a storage key, an instrumentation key, two passwords, two notebook keys"
    assert [secret for secret in secrets if secret in printed] == []
    assert printed.count("••••••••") == 6
    assert str(shown["userStorageResourceId"]) in printed
    assert "containerRegistryCredentials.passwords.password2" in printed


def test_keys_shows_the_values_when_it_is_asked_to(server: Server, shown: dict[str, object]) -> None:
    printed = answered("keys", "--show", "--data", server.folder)
    assert [value for value in leaves(shown) if value not in printed] == []


def test_keys_reaches_the_server_past_a_proxy_that_is_for_the_cloud(server: Server) -> None:
    nowhere = "http://127.0.0.1:1"
    assert answered("keys", "--data", server.folder, HTTPS_PROXY=nowhere, https_proxy=nowhere, ALL_PROXY=nowhere)


def test_keys_as_json_is_what_the_server_answers(server: Server, shown: dict[str, object]) -> None:
    assert json.loads(answered("keys", "--json", "--show", "--data", server.folder)) == shown
    masked = json.loads(answered("keys", "--json", "--data", server.folder))
    assert masked.keys() == shown.keys()
    assert masked["userStorageKey"] == "••••••••"


@pytest.mark.parametrize("name", ["workspaces123", "testrg123/workspaces123", "WORKSPACES123", "{id}", "{id}/"])
def test_a_workspace_is_named_in_any_of_three_ways(server: Server, name: str, shown: dict[str, object]) -> None:
    named = name.format(id=server.workspace)
    assert json.loads(answered("keys", named, "--json", "--show", "--data", server.folder)) == shown


@pytest.mark.parametrize("name", ["nothere", "no such workspace?", "a#b", "ü/ü"])
def test_a_workspace_that_is_not_there_is_refused_in_azures_words(server: Server, name: str) -> None:
    ended = linarite("keys", name, "--data", server.folder)
    assert ended.status == 1
    assert ended.output == ""
    assert "not be found" in ended.complaint or "was not found" in ended.complaint or "nvalid" in ended.complaint
    assert "Traceback" not in ended.complaint


def test_a_client_does_not_print_its_secret(server: Server) -> None:
    client = Client(server.known, token="eyJ")
    assert server.known["clientSecret"] not in repr(client)
    assert "eyJ" not in repr(client)


# ── without a server ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("command", ["env", "keys"])
def test_without_a_server_the_next_step_is_said(command: str, home: Path) -> None:
    said = refused(command)
    assert said.startswith(f"No server runs on {home}/.local/share/linarite.")
    assert "linarite up" in said


def test_a_server_that_died_is_said_not_to_answer(server: Server, tmp_path: Path) -> None:
    gone = server.known | {"armEndpoint": "https://localhost:1", "authority": "https://localhost:1"}
    (tmp_path / READY_FILE).write_text(json.dumps(gone))
    said = linarite("keys", "--data", tmp_path)
    assert (said.status, said.output) == (1, "")
    assert said.complaint.startswith("The server at https://localhost:1 does not answer: ")
    assert "Traceback" not in said.complaint


def test_a_ready_file_that_is_damaged_counts_for_none(tmp_path: Path) -> None:
    (tmp_path / READY_FILE).write_text("{")
    assert refused("keys", "--data", tmp_path).startswith(f"No server runs on {tmp_path}.")


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_settings_says_where_each_value_comes_from(home: Path) -> None:
    found = {row["variable"]: row for row in json.loads(answered("settings", "--json", LINARITE_LRO="immediate"))}
    assert (found["LINARITE_LRO"]["value"], found["LINARITE_LRO"]["origin"]) == ("immediate", "environment")
    assert (found["LINARITE_PORT"]["value"], found["LINARITE_PORT"]["origin"]) == ("8443", "default")
    assert found["LINARITE_DATA"]["value"] == f"{home}/.local/share/linarite"


def test_settings_shows_no_secret() -> None:
    for arguments in (("settings",), ("settings", "--json")):
        printed = answered(
            *arguments, LINARITE_DATABASE="postgresql://me:hunter2@db/x", LINARITE_ROOT_KEY="command:k p"
        )
        assert "postgresql://me:…@db/x" in printed
        assert "hunter2" not in printed


def test_a_table_in_a_pipe_has_each_row_on_one_line() -> None:
    lines = answered("settings", LINARITE_DATA="/" + "d" * 300).splitlines()
    assert sum("LINARITE_" in line for line in lines) == len(json.loads(answered("settings", "--json")))
    assert any("d" * 300 in line for line in lines)


# ── help ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("arguments", [["--help"], ["up", "--help"], ["settings", "--json"]])
def test_help_needs_neither_the_server_nor_the_database(arguments: list[str]) -> None:
    program = (
        "import sys\n"
        "from linarite.cli import main\n"
        f"sys.argv = ['linarite', *{arguments}]\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=surroundings({})
    )
    assert "'click'" in done.stderr
    assert [name for name in ("granian", "sqlalchemy", "cryptography", "rich") if f"'{name}'" in done.stderr] == []


@pytest.mark.parametrize("group", [[], ["app"], ["app", "credential"], ["user"], ["fault"]], ids=" ".join)
def test_no_command_at_all_prints_the_help(group: list[str]) -> None:
    ended, asked = linarite(*group), linarite(*group, "--help")
    assert ended.output == asked.output
    assert ended.output.startswith("Usage:")
    assert (ended.status, ended.complaint) == (2, "")
    assert (asked.status, asked.complaint) == (0, "")


def test_the_help_lists_every_command_in_the_order_of_a_day_with_its_whole_sentence() -> None:
    listed = answered("--help").partition("Commands:\n")[2]
    assert re.findall(r"^  (\w+)", listed, re.MULTILINE) == [
        "up", "env", "keys", "doctor", "demo", "settings", "bench", "identity", "access", "proxy",
        "app", "user", "fault", "trail",
    ]  # fmt: skip
    words = " ".join(listed.split())
    assert [one.help for one in app.commands.values() if not one.hidden and str(one.help) not in words] == []


def test_a_command_that_is_interrupted_ends_as_the_signal_would_end_it() -> None:
    @click.command()
    def wait() -> None:
        raise KeyboardInterrupt

    ended = CliRunner().invoke(Group(commands=[wait]), ["wait"])
    assert (ended.exit_code, ended.output) == (128 + signal.SIGINT, "")
