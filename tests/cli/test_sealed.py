"""A server whose root key is missing starts sealed: it says so, gives nothing away, and with its key is as it was."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.program import answered, linarite, refused
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server import Server


@dataclass(frozen=True)
class Taken:
    """The folder of a server whose root key was taken away, and what was there before."""

    folder: Path
    copy: Path
    """The folder once more, for a server with its key."""
    key: str
    known: dict[str, Any]
    shown: dict[str, Any]
    """What listKeys answered."""


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Taken:
    folder = tmp_path_factory.mktemp("sealed") / "data"
    with running(folder, "--no-doors") as server:
        shown = server.owner().post(f"{server.workspace}/listKeys").json()
    key = (folder / "root.key").read_text()
    (folder / "root.key").unlink()
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    return Taken(folder, copy, key, server.known, shown)


@pytest.fixture(scope="module")
def sealed(taken: Taken) -> Iterator[Server]:
    with running(taken.folder, "--no-doors") as server:
        yield server


def test_a_sealed_server_says_that_it_is_healthy_and_sealed(sealed: Server) -> None:
    answer = sealed.nobody().get("/health", version=None)
    assert (answer.status_code, answer.json()) == (200, {"status": "sealed"})


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "POST"])
def test_a_sealed_server_refuses_every_call_in_azures_envelope(sealed: Server, method: str) -> None:
    path = sealed.workspace if method != "POST" else f"{sealed.workspace}/listKeys"
    answer = sealed.nobody().call(method, path, headers={"authorization": "Bearer x.y.z"})
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "ServiceUnavailable"
    assert "root key" in answer.json()["error"]["message"]
    assert answer.headers["retry-after"] == "30"


def test_a_sealed_server_gives_no_token(sealed: Server) -> None:
    form = {"grant_type": "client_credentials", "client_id": sealed.known["clientId"], "client_secret": "x"}
    form["scope"] = f"{sealed.origin}/.default"
    answer = sealed.nobody().http.post(f"/{sealed.known['tenantId']}/oauth2/v2.0/token", data=form)
    assert answer.status_code == 503
    assert answer.json()["error"] == "temporarily_unavailable"
    assert answer.json()["error_description"].startswith("AADSTS")
    assert "access_token" not in answer.json()


def test_a_sealed_server_publishes_no_keys_of_tokens(sealed: Server) -> None:
    assert sealed.nobody().get(f"/{sealed.known['tenantId']}/discovery/v2.0/keys", version=None).status_code == 503


def test_a_sealed_server_knows_no_secret_to_tell(sealed: Server) -> None:
    assert sealed.known["clientSecret"] is None
    assert "sealed" in sealed.log.read_text()


@pytest.mark.parametrize("command", ["env", "keys"])
def test_commands_say_that_the_server_is_sealed(sealed: Server, command: str) -> None:
    assert refused(command, "--data", sealed.folder).startswith("The server is sealed: its root key is not at hand.")


def test_the_doctor_says_that_the_server_is_sealed(sealed: Server) -> None:
    ended = linarite("doctor", "--data", sealed.folder)
    assert ended.status == 1
    assert "The server is sealed" in ended.output
    assert "There is no root key in" in ended.output


def test_with_its_root_key_the_server_is_itself_again(taken: Taken) -> None:
    with running(taken.copy, "--no-doors", LINARITE_ROOT_KEY="env:MY_ROOT_KEY", MY_ROOT_KEY=taken.key) as server:
        assert server.known["clientSecret"] == taken.known["clientSecret"]
        assert server.owner().post(f"{server.workspace}/listKeys").json() == taken.shown
        assert "workspaces123" in answered("env", "--data", taken.copy)
