"""user add, list, remove and password: they count at once, and no password is kept, or told twice."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from linarite.model import Principal, PrincipalKind
from linarite.tokens import Authority
from linarite.tokens.minting import delegated_claims
from tests.api.signing import key_of, signed
from tests.cli.program import COMMAND, answered, refused, surroundings
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server import Caller, Server

OWNER = "owner@linarite.onmicrosoft.com"


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server to which users are added."""
    with running(tmp_path_factory.mktemp("user") / "data", "--no-doors") as server:
        yield server


def added(folder: Path, *arguments: str) -> dict[str, str]:
    return dict(json.loads(answered("user", "add", *arguments, "--json", "--data", folder)))


def listed(folder: Path) -> dict[str, Any]:
    """The users, by name."""
    return {row["userPrincipalName"]: row for row in json.loads(answered("user", "list", "--json", "--data", folder))}


def acting_for(server: Server, made: dict[str, str]) -> Caller:
    """A program with a token of this user."""
    user = Principal(made["objectId"], PrincipalKind.USER, made["userPrincipalName"], server.known["tenantId"])
    claims = delegated_claims(
        Authority(server.origin, server.known["tenantId"]),
        user,
        "https://management.azure.com/",
        client="04b07795-8ddb-461a-bbee-02f9e1bf7b46",
        public=True,
        scope="user_impersonation",
        now=datetime.now(UTC),
        lifetime=timedelta(hours=1),
        uti="-",
    )
    caller = server.nobody()
    caller.http.headers["authorization"] = signed(key_of(server), claims)
    return caller


def with_password(password: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """A command that reads a password from its standard input."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments), "--ask-password"],
        input=password + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=surroundings({}),
    )


def test_a_users_role_counts_at_once_for_whoever_acts_for_them_and_refusals_name_the_user(changed: Server) -> None:
    made = added(changed.folder, "Reader@Linarite.onmicrosoft.com", "--role", "reader", "--display-name", "A reader")
    assert made["userPrincipalName"] == "reader@linarite.onmicrosoft.com"
    caller = acting_for(changed, made)
    assert caller.get(changed.workspace).status_code == 200
    refusal = caller.post(f"{changed.workspace}/listKeys")
    assert refusal.status_code == 403
    assert f"The client '{made['userPrincipalName']}' with object id '{made['objectId']}'" in refusal.text
    shown = listed(changed.folder)[made["userPrincipalName"]]
    assert (shown["displayName"], shown["roles"]) == (
        "A reader",
        [{"role": "Reader", "scope": changed.subscription}],
    )


def test_a_removed_user_is_refused_with_the_token_that_somebody_has_of_them(changed: Server) -> None:
    made = added(changed.folder, "leaver", "--role", "Owner")
    caller = acting_for(changed, made)
    assert caller.get(changed.workspace).status_code == 200
    gone = answered("user", "remove", "leaver", "--data", changed.folder)
    assert gone == "Removed leaver@linarite.onmicrosoft.com.\n"
    assert caller.get(changed.workspace).status_code == 401
    assert made["userPrincipalName"] not in listed(changed.folder)


def test_the_first_start_makes_an_owner_and_prints_the_password_once(changed: Server) -> None:
    assert listed(changed.folder)[OWNER]["roles"] == [{"role": "Owner", "scope": "/"}]
    password = changed.password()
    assert len(password) == 27
    kept = [path for path in changed.folder.rglob("*") if path.is_file() and password.encode() in path.read_bytes()]
    assert kept == []


def test_a_second_start_prints_no_password(tmp_path: Path) -> None:
    for _ in range(2):
        with running(tmp_path / "data", "--no-doors", "--seed", "none") as server:
            log = server.log
            server.password()
    assert log.read_text().count(OWNER) == 1


def test_a_password_that_is_asked_for_is_read_from_standard_input_and_not_repeated(changed: Server) -> None:
    answer = with_password("correct horse", "user", "add", "typist", "--json", "--data", changed.folder)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["password"] is None
    assert "correct horse" not in answer.stdout + answer.stderr
    told = json.loads(answered("user", "password", "typist", "--json", "--data", changed.folder))
    assert len(told["password"]) == 27


@pytest.mark.parametrize("password", ["short", "", "x" * 257, "with\ttabs\tin it"])
def test_a_password_that_is_none_is_refused(changed: Server, password: str) -> None:
    answer = with_password(password, "user", "password", OWNER, "--data", changed.folder)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == "A password has 8 to 256 characters that can be printed.\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "owner"], f"There is a user '{OWNER}' already."),
        (["add", "no name"], "A user cannot be called 'no name'."),
        (["add", "somebody", "--role", "Ownr"], "There is no role 'Ownr'. Did you mean Owner"),
        (["add", "somebody", "--scope", "/"], "--scope says what a role is for"),
        (["add", "somebody", "--role", "Owner", "--scope", "/nowhere"], "is no id of a resource"),
        (["add", "somebody", "--display-name", ""], "What people call a user"),
        (["remove", "nobody"], "There is no user 'nobody'."),
        (["password", "nobody"], "There is no user 'nobody'."),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value),
)
def test_what_cannot_be_done_is_refused_with_the_next_step(changed: Server, arguments: list[str], said: str) -> None:
    assert said in refused("user", *arguments, "--data", changed.folder)
