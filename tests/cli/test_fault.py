"""fault: set on an instance whose server runs, counting for the very next request, and cleared again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.program import answered, linarite, refused
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server import Server


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that is disturbed."""
    with running(tmp_path_factory.mktemp("fault") / "data", "--no-doors") as server:
        yield server


def test_a_fault_counts_for_the_next_request_and_is_cleared(disturbed: Server) -> None:
    owner, here = disturbed.owner(), ("--data", disturbed.folder)
    options = ("--path", "*/listKeys", "--method", "POST", "--count", "2", "--seconds", "0.5", "--name", "busy")
    assert answered("fault", "add", "429", *options, *here) == "busy\n"
    refused_once = owner.post(f"{disturbed.workspace}/listKeys")
    assert (refused_once.status_code, refused_once.headers["retry-after"]) == (429, "1")
    assert json.loads(answered("fault", "list", "--json", *here)) == [
        {
            "name": "busy",
            "fault": "429",
            "path": "*/listKeys",
            "method": "POST",
            "chance": 100,
            "count": 2,
            "seconds": 0.5,
            "struck": 1,
        }
    ]
    assert "busy" in answered("fault", "list", *here)
    assert answered("fault", "clear", "BUSY", *here) == "Cleared busy.\n"
    assert owner.post(f"{disturbed.workspace}/listKeys").status_code == 200
    assert answered("fault", "clear", *here) == "There was none.\n"


def test_a_fault_that_forbids_to_sign_in_can_be_cleared_all_the_same(disturbed: Server) -> None:
    here = ("--data", disturbed.folder)
    name = answered("fault", "add", "503", *here).strip()
    assert disturbed.nobody().http.post("/adfs/oauth2/token", data={}).status_code == 503
    assert linarite("keys", *here).status == 1
    assert answered("fault", "clear", *here) == f"Cleared {name}.\n"
    assert linarite("keys", *here).status == 0


def test_a_server_that_starts_says_which_faults_are_set(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running(folder, "--no-doors", "--seed", "none"):
        pass
    answered("fault", "add", "503", "--name", "left-over", "--path", "/subscriptions", "--data", folder)
    with running(folder, "--no-doors") as server:
        said = server.log.read_text()
        assert server.owner().get("/subscriptions", version="2022-12-01").status_code == 503
    assert "faults on purpose are set" in said
    assert "left-over" in said


def test_what_is_no_fault_is_refused(disturbed: Server) -> None:
    here = ("--data", disturbed.folder)
    assert "'418' is not a value of 'properties.fault'" in refused("fault", "add", "418", *here)
    assert "There is no fault 'x'" in refused("fault", "clear", "x", *here)


def test_an_instance_that_is_not_there_has_no_faults(tmp_path: Path) -> None:
    assert "There is no instance" in refused("fault", "list", "--data", tmp_path / "nowhere")
