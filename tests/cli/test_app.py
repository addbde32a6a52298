"""app add, list and remove: they count at once, with a server or without, and are on the trail in the same commit."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from linarite.store import trail
from tests.api.browser import browser_of
from tests.cli.program import answered, refused
from tests.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server import Server


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server to which applications are added."""
    with running(tmp_path_factory.mktemp("app") / "data", "--no-doors") as server:
        yield server


def added(folder: Path, *arguments: str) -> dict[str, str]:
    return dict(json.loads(answered("app", "add", *arguments, "--json", "--data", folder)))


def listed(folder: Path) -> dict[str, Any]:
    """The applications, by client id."""
    return {row["clientId"]: row for row in json.loads(answered("app", "list", "--json", "--data", folder))}


def written(folder: Path) -> list[str]:
    """Every entry of the trail as it is kept."""
    with sqlite3.connect(folder / "linarite.db") as connection:
        return [row[0].decode() for row in connection.execute("SELECT body FROM trail ORDER BY seq")]


def test_an_application_signs_in_and_its_role_counts_at_once_on_a_running_server(changed: Server) -> None:
    made = added(changed.folder, "reader", "--role", "reader")
    assert made.keys() == {"clientId", "clientSecret", "objectId"}
    caller = changed.signed_in(made["clientId"], made["clientSecret"])
    assert caller.get(changed.workspace).status_code == 200
    assert caller.post(f"{changed.workspace}/listKeys").status_code == 403


def test_a_role_at_a_scope_counts_there_and_below_and_shows_over_the_api(changed: Server) -> None:
    made = added(
        changed.folder, "narrow", "--role", "b24988ac-6180-42a0-ab88-20f7382dd24c", "--scope", changed.workspace
    )
    caller = changed.signed_in(made["clientId"], made["clientSecret"])
    assert caller.post(f"{changed.workspace}/listKeys").status_code == 200
    assert caller.get(changed.group, version="2021-04-01").status_code == 403
    path = f"{changed.workspace}/providers/Microsoft.Authorization/roleAssignments"
    found = changed.owner().get(path, version="2022-04-01", params={"$filter": f"principalId eq '{made['objectId']}'"})
    [assignment] = found.json()["value"]
    assert assignment["properties"]["scope"] == changed.workspace
    assert listed(changed.folder)[made["clientId"]]["roles"] == [
        {"role": "Contributor", "scope": changed.workspace.lower()}
    ]


def test_an_application_of_ones_own_signs_users_in_who_consent_once(changed: Server) -> None:
    made = added(changed.folder, "tool", "--public", "--redirect", "http://localhost")
    assert made["clientSecret"] is None
    browser = browser_of(changed)
    page = browser.sign_in(browser.ask(client_id=made["clientId"]), changed.password())
    assert "tool asks for your consent" in page.form.text
    assert "user_impersonation" in page.form.text
    declined = browser.press(page, "decline").brought
    assert (declined["error"], declined["state"]) == ("access_denied", "a state & more")
    assert browser.ask(client_id=made["clientId"], prompt="none").brought["error"] == "consent_required"
    page = browser.press(browser.ask(client_id=made["clientId"]), "consent")
    answer = browser.redeem(page.brought["code"], client_id=made["clientId"])
    assert answer.json()["token_type"] == "Bearer"
    assert "code" in browser.ask(client_id=made["clientId"], prompt="none").brought


@pytest.mark.parametrize("redirect", ["http://site.example.org/", "javascript:alert(1)", "https://a b", ""])
def test_an_address_that_is_neither_over_tls_nor_on_the_users_machine_is_refused(
    changed: Server, redirect: str
) -> None:
    said = refused("app", "add", "tool", "--redirect", redirect, "--data", changed.folder)
    assert said.startswith("Answers cannot be sent to")


def test_an_application_without_a_role_may_sign_in_and_nothing_else(changed: Server) -> None:
    made = added(changed.folder, "nothing")
    caller = changed.signed_in(made["clientId"], made["clientSecret"])
    assert caller.get(changed.workspace).status_code == 403


def test_a_removed_application_is_refused_with_the_token_that_it_has(changed: Server) -> None:
    made = added(changed.folder, "leaver", "--role", "Owner")
    caller = changed.signed_in(made["clientId"], made["clientSecret"])
    assert caller.get(changed.workspace).status_code == 200
    assert answered("app", "remove", "leaver", "--data", changed.folder) == "Removed leaver.\n"
    assert caller.get(changed.workspace).status_code == 401
    with pytest.raises(httpx.HTTPStatusError):
        changed.signed_in(made["clientId"], made["clientSecret"])
    assert made["clientId"] not in listed(changed.folder)
    held = changed.owner().get(
        f"{changed.subscription}/providers/Microsoft.Authorization/roleAssignments", version="2022-04-01"
    )
    assert made["objectId"] not in held.text


def test_what_the_operator_did_is_on_the_trail_without_the_secret(changed: Server) -> None:
    before = len(written(changed.folder))
    made = added(changed.folder, "traced", "--role", "AcrPull")
    answered("app", "remove", made["objectId"], "--data", changed.folder)
    entries = written(changed.folder)[before:]
    told = [(entry.action, entry.client) for entry in map(trail.decode, (body.encode() for body in entries))]
    assert told == [
        ("Linarite/applications/write", "linarite"),
        ("Microsoft.Authorization/roleAssignments/write", "linarite"),
        ("Microsoft.Authorization/roleAssignments/delete", "linarite"),
        ("Linarite/applications/delete", "linarite"),
    ]
    assert [body for body in entries if made["clientSecret"] in body] == []


def test_an_application_is_added_while_no_server_runs(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with running(folder, "--no-doors"):
        pass
    made = added(folder, "early", "--role", "Owner", "--scope", "/")
    with running(folder, "--no-doors") as server:
        caller = server.signed_in(made["clientId"], made["clientSecret"])
        assert caller.post(f"{server.workspace}/listKeys").status_code == 200


def test_the_table_shows_the_secret_once_and_the_list_never(changed: Server) -> None:
    printed = answered("app", "add", "shown", "--data", changed.folder)
    secret = next(line.split("│")[2].strip() for line in printed.splitlines() if "clientSecret" in line)
    assert len(secret) > 20
    later = answered("app", "list", "--data", changed.folder)
    assert "shown" in later
    assert secret not in later


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("x", "--role", "Contributer"), "There is no role 'Contributer'. Did you mean Contributor"),
        (("x", "--role", "Owner", "--scope", "testrg123"), "The scope 'testrg123' is no id of a resource."),
        (("x", "--role", "Owner", "--scope", "/subscriptions/no/resourceGroups/g"), "is no id of a resource."),
        (("x", "--role", "Owner", "--scope", f"/subscriptions/{'a' * 8}-1-1-1-1"), "is no id of a resource."),
        (("x", "--scope", "/"), "--scope says what a role is for: give --role too."),
        ((" ",), "A name is 1 to 120 characters that can be printed."),
        (("a\nb",), "A name is 1 to 120 characters that can be printed."),
    ],
)
def test_what_cannot_be_added_is_said_and_nothing_is_written(
    changed: Server, arguments: tuple[str, ...], said: str
) -> None:
    before = written(changed.folder)
    assert said in refused("app", "add", *arguments, "--data", changed.folder)
    assert written(changed.folder) == before


def test_a_scope_at_which_nothing_is_leaves_no_application_behind(changed: Server) -> None:
    before = listed(changed.folder), written(changed.folder)
    said = refused("app", "add", "x", "--role", "Owner", "--scope", f"{changed.group}x", "--data", changed.folder)
    assert said.startswith(f"There is nothing at the scope {changed.group}x.")
    assert (listed(changed.folder), written(changed.folder)) == before


def test_the_owner_cannot_be_removed(changed: Server) -> None:
    assert refused("app", "remove", "owner", "--data", changed.folder).startswith("The owner cannot be removed")
    assert changed.owner().get(changed.workspace).status_code == 200


def test_a_name_that_two_applications_have_is_not_enough_to_remove_one(changed: Server) -> None:
    one, other = added(changed.folder, "twin"), added(changed.folder, "twin")
    said = refused("app", "remove", "twin", "--data", changed.folder)
    assert one["clientId"] in said
    assert other["clientId"] in said
    answered("app", "remove", one["clientId"], "--data", changed.folder)
    assert other["clientId"] in listed(changed.folder)


def test_removing_who_is_not_there_says_how_to_see_who_is(changed: Server) -> None:
    assert "`linarite app list`" in refused("app", "remove", "nobody", "--data", changed.folder)


def test_without_an_instance_no_database_is_made(tmp_path: Path) -> None:
    assert refused("app", "add", "x", "--data", tmp_path).startswith(f"There is no instance in {tmp_path}.")
    assert list(tmp_path.glob("linarite*")) == []


def test_without_the_root_key_nothing_is_added(changed: Server) -> None:
    before = written(changed.folder)
    said = refused("app", "add", "x", "--data", changed.folder, LINARITE_ROOT_KEY=f"file:{changed.folder}/none.key")
    assert "root key" in said
    assert written(changed.folder) == before
