"""trail and trail verify: what was done can be read, filtered, followed and exported, and damage is found."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.cli.program import answered, begun, ended, linarite, refused, until
from tests.server import running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server import Server

OWNER = "66666666-7777-8888-9999-aaaaaaaaaaaa"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a trail, on which no server runs."""
    folder = tmp_path_factory.mktemp("trail") / "data"
    with running(folder, "--no-doors") as server:
        assert server.owner().post(f"{server.workspace}/listKeys").status_code == 200
    return folder


@pytest.fixture
def copied(stopped: Path, tmp_path: Path) -> Path:
    """The same, to be damaged."""
    shutil.copytree(stopped, tmp_path / "copy")
    return tmp_path / "copy"


def lines(folder: Path, *options: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answered("trail", "--json", *options, "--data", folder).splitlines()]


def damage(folder: Path, statement: str, *arguments: object) -> None:
    with sqlite3.connect(folder / "linarite.db") as connection:
        assert connection.execute(statement, arguments).rowcount == 1


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_release_stands_on_the_exported_trail_with_who_and_what(server: Server) -> None:
    request = str(uuid4())
    server.owner().post(f"{server.workspace}/listKeys", headers={"x-ms-correlation-request-id": request})
    [found] = [line for line in lines(server.folder) if line["correlation"] == request]
    assert (found["deed"], found["caller"], found["target"], found["status"]) == (
        "release",
        OWNER,
        server.workspace,
        200,
    )
    assert found["action"] == "Microsoft.MachineLearningServices/workspaces/listKeys/action"


def test_places_run_from_one_without_a_gap(stopped: Path) -> None:
    found = [line["place"] for line in lines(stopped)]
    assert found == list(range(1, len(found) + 1))
    assert len(found) > 5


@pytest.mark.parametrize(
    ("option", "value", "holds"),
    [
        ("--deed", "release", lambda line: line["deed"] == "release"),
        ("--caller", OWNER.upper(), lambda line: line["caller"] == OWNER),
        ("--caller", "linarite", lambda line: line["client"] == "linarite"),
        ("--resource", "WORKSPACES123", lambda line: "workspaces123" in line["target"]),
        ("--since", "1h", lambda _: True),
    ],
)
def test_an_option_leaves_what_it_names_and_nothing_else(stopped: Path, option: str, value: str, holds: Any) -> None:
    everything = lines(stopped)
    assert lines(stopped, option, value) == [line for line in everything if holds(line)] != []


def test_since_a_moment_leaves_what_is_younger(stopped: Path) -> None:
    everything = lines(stopped)
    assert lines(stopped, "--since", everything[3]["at"]) == [
        line for line in everything if line["at"] >= everything[3]["at"]
    ]
    assert lines(stopped, "--since", "2999-01-01") == []


def test_options_go_together(stopped: Path) -> None:
    assert lines(stopped, "--deed", "release", "--resource", "nowhere") == []


def test_for_people_an_entry_is_one_line_that_cannot_steer_the_terminal(server: Server) -> None:
    name = "a\u202eb"
    server.owner().get(f"{server.group}x{name}/providers/Microsoft.Storage/storageAccounts/\u009b31m")
    printed = answered("trail", "--data", server.folder, "--resource", "resourcegroups")
    assert len(printed.splitlines()) == printed.count("\n")
    assert [one for one in printed if not one.isprintable() and one != "\n"] == []


def test_the_trail_that_is_printed_holds_no_secret(server: Server) -> None:
    keys = server.owner().post(f"{server.workspace}/listKeys").json()
    printed = answered("trail", "--json", "--data", server.folder)
    assert keys["userStorageKey"] not in printed
    assert server.known["clientSecret"] not in printed


def test_follow_says_what_happens_until_it_is_told_to_stop(server: Server, tmp_path: Path) -> None:
    log, request = tmp_path / "followed", str(uuid4())
    with begun("trail", "--follow", "--json", "--since", "0s", "--data", server.folder, log=log) as process:
        caller = server.owner()

        def followed() -> bool:
            caller.post(f"{server.workspace}/listKeys", headers={"x-ms-correlation-request-id": request})
            return request in log.read_text()

        until(followed, log.read_text)
        assert ended(process, signal.SIGINT) == 0
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--since", "yesterday", "There is no moment 'yesterday'."),
        ("--since", "999999d", "There is no moment '999999d'."),
        ("--deed", "theft", "There is no deed 'theft'. There are release, write, refusal, sign-in."),
    ],
)
def test_an_option_that_cannot_be_read_is_said(stopped: Path, option: str, value: str, said: str) -> None:
    assert refused("trail", option, value, "--data", stopped).startswith(said)


@pytest.mark.parametrize("command", [("trail",), ("trail", "verify")])
def test_without_an_instance_there_is_no_trail(command: tuple[str, ...], tmp_path: Path) -> None:
    assert refused(*command, "--data", tmp_path).startswith(f"There is no instance in {tmp_path}.")


# ── proving ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_untouched_trail_holds_while_a_server_writes_to_it(server: Server) -> None:
    assert answered("trail", "verify", "--data", server.folder).startswith("The trail holds: ")


def test_verify_needs_no_root_key_and_takes_the_folder_on_either_side(copied: Path) -> None:
    (copied / "root.key").unlink()
    assert answered("trail", "verify", "--data", copied) == answered("trail", "--data", copied, "verify")


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE trail SET body = CAST(replace(CAST(body AS TEXT), '200', '403') AS BLOB) WHERE seq = 4", 4),
        ("UPDATE trail SET body = x'00' WHERE seq = 2", 2),
        ("DELETE FROM trail WHERE seq = 3", 3),
        ("UPDATE trail SET at = at + 1 WHERE seq = 5", 5),
        ("DELETE FROM trail WHERE seq = (SELECT max(seq) FROM trail)", None),
    ],
)
def test_damage_is_found_at_its_first_place(copied: Path, statement: str, place: int | None) -> None:
    last = lines(copied)[-1]["place"]
    damage(copied, statement)
    said = refused("trail", "verify", "--data", copied)
    assert said.startswith(f"The trail is broken at place {place or last}:")


def test_an_entry_that_cannot_be_read_is_said_and_where_to_go_on(copied: Path) -> None:
    damage(copied, "UPDATE trail SET body = x'00' WHERE seq = 2")
    found = linarite("trail", "--data", copied)
    assert found.status == 1
    assert "`linarite trail verify`" in found.complaint
    assert "Traceback" not in found.complaint
