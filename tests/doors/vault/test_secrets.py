"""What a vault keeps of its secrets, what it shows of them, and what it refuses, in Azure's shapes and words."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from linarite.errors import Conflict, NotFound
from tests.doors.vault.keeper import Keeper, inner
from tests.unit.kinds.house import START

AT = int(START.timestamp())
DAY = 86_400


def test_a_bundle_has_azures_members_in_azures_order(keeper: Keeper) -> None:
    bundle = keeper.set("Name", "v", tags={"a": "b"}, contentType="text/plain", attributes={"exp": AT + 9, "nbf": AT})
    assert list(bundle) == ["value", "contentType", "id", "attributes", "tags"]
    assert re.fullmatch(re.escape(keeper.origin) + "/secrets/Name/[0-9a-f]{32}", bundle["id"])
    assert bundle["attributes"] == {
        "enabled": True,
        "nbf": AT,
        "exp": AT + 9,
        "created": AT,
        "updated": AT,
        "recoveryLevel": "Recoverable+Purgeable",
        "recoverableDays": 90,
    }
    assert list(keeper.set("bare", "v")) == ["value", "id", "attributes"]


def test_an_update_answers_no_value_and_keeps_when_it_was_created(keeper: Keeper) -> None:
    keeper.set("s", "v")
    keeper.house.now += timedelta(minutes=1)
    body = {"attributes": {"enabled": False, "created": 1, "recoveryLevel": "Purgeable"}}
    changed = keeper.call("PATCH", "/secrets/s", body).body
    assert "value" not in changed
    attributes = changed["attributes"]
    assert (attributes["enabled"], attributes["created"], attributes["updated"]) == (False, AT, AT + 60)
    assert attributes["recoveryLevel"] == "Recoverable+Purgeable"


@pytest.mark.parametrize(
    ("properties", "level", "days"),
    [
        ({}, "Recoverable+Purgeable", 90),
        ({"softDeleteRetentionInDays": 7}, "CustomizedRecoverable+Purgeable", 7),
        ({"enablePurgeProtection": True}, "Recoverable", 90),
        ({"softDeleteRetentionInDays": 30, "enablePurgeProtection": True}, "CustomizedRecoverable", 30),
        ({"enableSoftDelete": False}, "Purgeable", 0),
    ],
)
def test_a_secret_says_how_it_can_be_recovered(
    keeper: Keeper, properties: dict[str, Any], level: str, days: int
) -> None:
    attributes = keeper.beside("other", **properties).set("s", "v")["attributes"]
    assert (attributes["recoveryLevel"], attributes["recoverableDays"]) == (level, days)


def test_what_is_deleted_says_when_it_will_be_gone(keeper: Keeper) -> None:
    version = keeper.set("s", "v")["id"].rpartition("/")[2]
    deleted = keeper.call("DELETE", "/secrets/s").body
    assert list(deleted) == ["recoveryId", "deletedDate", "scheduledPurgeDate", "id", "attributes"]
    assert deleted["recoveryId"] == f"{keeper.origin}/deletedsecrets/s"
    assert deleted["id"] == f"{keeper.origin}/secrets/s/{version}"
    assert (deleted["deletedDate"], deleted["scheduledPurgeDate"]) == (AT, AT + 90 * DAY)
    [item] = keeper.get("/deletedsecrets")["value"]
    assert item == deleted | {"id": f"{keeper.origin}/secrets/s"}
    assert keeper.get("/deletedsecrets/s") == deleted


def test_where_nothing_is_kept_of_what_is_deleted_it_is_gone_at_once(keeper: Keeper) -> None:
    keeper = keeper.beside("forgetful", enableSoftDelete=False)
    keeper.set("s", "old")
    assert "recoveryId" not in keeper.call("DELETE", "/secrets/s").body
    assert keeper.refused("GET", "/deletedsecrets/s").message == "Deleted Secret not found: s"
    keeper.set("s", "new")
    assert len(keeper.names("/secrets/s/versions")) == 1


def test_what_is_deleted_is_gone_when_its_days_are_over_and_not_before(keeper: Keeper) -> None:
    for name in ("early", "late", "kept"):
        keeper.set(name, "v")
    keeper.call("DELETE", "/secrets/early")
    keeper.house.now += timedelta(days=1)
    keeper.call("DELETE", "/secrets/late")
    keeper.house.now = START + timedelta(days=90) - timedelta(seconds=1)
    purge = keeper.clerk.purge_overdue
    assert keeper.house.runner.run(purge()) == 0
    keeper.house.now += timedelta(seconds=1)
    assert keeper.house.runner.run(purge()) == 1
    assert keeper.names("/deletedsecrets") == ["late"]
    assert keeper.value("kept") == "v"
    entry = keeper.entries()[-2]
    assert (entry.action.rpartition("secrets/")[2], entry.target, entry.client) == (
        "purge/action",
        f"{keeper.path}/secrets/early",
        "linarite",
    )


def test_a_protected_vault_purges_nothing_before_its_time(keeper: Keeper) -> None:
    keeper = keeper.beside("protected", enablePurgeProtection=True)
    keeper.set("s", "v")
    keeper.call("DELETE", "/secrets/s")
    refusal = keeper.refused("DELETE", "/deletedsecrets/s")
    assert (refusal.status, refusal.code) == (403, "Forbidden")
    assert refusal.message.startswith('Operation "purge" is not allowed because purge protection is enabled')
    keeper.call("POST", "/deletedsecrets/s/recover")
    assert keeper.value("s") == "v"


def test_a_name_that_is_deleted_is_taken(keeper: Keeper) -> None:
    keeper.set("S", "v")
    backup = keeper.call("POST", "/secrets/s/backup").body["value"].reveal()
    keeper.call("DELETE", "/secrets/s")
    for method, path, body in (
        ("PUT", "/secrets/s", {"value": "w"}),
        ("POST", "/secrets/restore", {"value": backup}),
    ):
        refusal = keeper.refused(method, path, body)
        assert (refusal.status, refusal.code, inner(refusal)) == (409, "Conflict", "ObjectIsDeletedButRecoverable")
        assert refusal.message.startswith("Secret S is currently in a deleted but recoverable state")


def test_a_deleted_secret_is_neither_read_nor_changed_until_it_is_recovered(keeper: Keeper) -> None:
    version = keeper.set("s", "v")["id"].rpartition("/")[2]
    keeper.call("DELETE", "/secrets/s")
    for method, path in (
        ("GET", "/secrets/s"),
        ("GET", f"/secrets/s/{version}"),
        ("GET", "/secrets/s/versions"),
        ("PATCH", "/secrets/s"),
        ("POST", "/secrets/s/backup"),
        ("DELETE", "/secrets/s"),
    ):
        assert keeper.refused(method, path, {} if method == "PATCH" else None).code == "SecretNotFound"
    keeper.call("POST", "/deletedsecrets/s/recover")
    assert keeper.value("s") == "v"


def test_a_backup_knows_which_version_is_the_current_one(keeper: Keeper) -> None:
    for number in range(6):
        keeper.set("s", str(number))
    backup = keeper.call("POST", "/secrets/s/backup").body["value"].reveal()
    versions = keeper.names("/secrets/s/versions")
    keeper.call("DELETE", "/secrets/s")
    keeper.call("DELETE", "/deletedsecrets/s")
    keeper.call("POST", "/secrets/restore", {"value": backup})
    assert keeper.value("s") == "5"
    assert keeper.names("/secrets/s/versions") == versions


def test_a_disabled_secret_shows_neither_its_value_nor_its_remains(keeper: Keeper) -> None:
    keeper.set("s", "v", attributes={"enabled": False})
    assert inner(keeper.refused("GET", "/secrets/s")) == "SecretDisabled"
    keeper.call("DELETE", "/secrets/s")
    refusal = keeper.refused("GET", "/deletedsecrets/s")
    assert refusal.message == "Operation get is not allowed on a disabled secret."
    assert keeper.names("/deletedsecrets") == ["s"]


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("GET", "/secrets/none", "none"),
        ("GET", "/secrets/s/" + 32 * "0", "s/" + 32 * "0"),
        ("GET", "/secrets/none/versions", "none"),
        ("PATCH", "/secrets/none", "none"),
        ("DELETE", "/secrets/none", "none"),
        ("POST", "/secrets/none/backup", "none"),
    ],
)
def test_a_secret_that_is_not_there_is_named(keeper: Keeper, method: str, path: str, named: str) -> None:
    keeper.set("s", "v")
    refusal = keeper.refused(method, path, {} if method == "PATCH" else None)
    assert isinstance(refusal, NotFound)
    assert refusal.code == "SecretNotFound"
    assert refusal.message.startswith(f"A secret with (name/id) {named} was not found in this key vault.")


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("DELETE", ""), ("POST", "/recover")])
def test_a_deleted_secret_that_is_not_there_is_named(keeper: Keeper, method: str, path: str) -> None:
    keeper.set("s", "v")
    refusal = keeper.refused(method, f"/deletedsecrets/s{path}")
    assert (refusal.status, refusal.message) == (404, "Deleted Secret not found: s")


def test_a_secret_of_one_vault_is_none_of_anothers(keeper: Keeper) -> None:
    other = keeper.beside("other")
    keeper.set("s", "mine")
    assert isinstance(other.refused("GET", "/secrets/s"), NotFound)
    other.set("s", "theirs")
    assert (keeper.value("s"), other.value("s")) == ("mine", "theirs")
    assert keeper.names("/secrets") == ["s"]


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_page_has_at_most_25_items_and_a_link_to_the_next(keeper: Keeper) -> None:
    for number in range(26):
        keeper.set(f"s{number:02}", "v")
    page = keeper.get("/secrets")
    assert len(page["value"]) == 25
    assert page["nextLink"].startswith(f"{keeper.origin}/secrets?api-version=7.4&$skiptoken=")
    token = re.search(r"skiptoken=([\w-]+)&", page["nextLink"])
    assert token is not None
    last = keeper.get("/secrets", query={"$skiptoken": token[1]})
    assert ([one["id"] for one in last["value"]], last["nextLink"]) == ([f"{keeper.origin}/secrets/s25"], None)


def test_no_secret_is_shown_with_the_deleted_and_no_deleted_with_the_others(keeper: Keeper) -> None:
    for name in ("a", "b", "c", "d"):
        keeper.set(name, "v")
    for name in ("b", "d"):
        keeper.call("DELETE", f"/secrets/{name}")
    assert keeper.names("/secrets") == ["a", "c"]
    assert keeper.names("/deletedsecrets", query={"maxresults": "1"}) == ["b"]


@pytest.mark.parametrize(
    "query", [{"maxresults": "0"}, {"maxresults": "26"}, {"maxresults": "x"}, {"maxresults": "²"}, {"$skiptoken": "é"}]
)
def test_a_page_that_cannot_be_is_refused(keeper: Keeper, query: dict[str, str]) -> None:
    refusal = keeper.refused("GET", "/secrets", query=query)
    assert (refusal.status, refusal.code) == (400, "BadParameter")


# ── bodies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        b"{",
        b'"\xff"',
        {},
        {"value": 1},
        {"value": "x" * 25_601},
        {"value": "é" * 12_801},
        {"value": "v", "contentType": "x" * 256},
        {"value": "v", "contentType": 1},
        {"value": "v", "tags": []},
        {"value": "v", "tags": {str(number): "" for number in range(16)}},
        {"value": "v", "tags": {"a": 1}},
        {"value": "v", "tags": {"x" * 257: ""}},
        {"value": "v", "attributes": []},
        {"value": "v", "attributes": {"enabled": "yes"}},
        {"value": "v", "attributes": {"exp": True}},
        {"value": "v", "attributes": {"exp": -1}},
        {"value": "v", "attributes": {"nbf": 253_402_300_800}},
        {"value": "v", "attributes": {"nbf": 1.5}},
    ],
    ids=lambda body: repr(body)[:40],
)
def test_a_body_that_cannot_be_is_refused_and_nothing_is_written(keeper: Keeper, body: Any) -> None:
    refusal = keeper.refused("PUT", "/secrets/s", body)
    assert (refusal.status, refusal.code) == (400, "BadParameter")
    assert keeper.names("/secrets") == []
    assert keeper.said() == [("refusal", "setSecret/action", 400)]


@pytest.mark.parametrize("value", ["", "x" * 25_600, "é" * 12_800, '\x00\n"\\', "\U0001f512"])
def test_a_value_comes_back_as_it_was(keeper: Keeper, value: str) -> None:
    keeper.set("s", value)
    assert keeper.value("s") == value


@pytest.mark.parametrize("backup", ["", "AAAA", "é", "A" * 200, 5])
def test_a_backup_that_is_none_is_refused(keeper: Keeper, backup: Any) -> None:
    refusal = keeper.refused("POST", "/secrets/restore", {"value": backup})
    assert (refusal.status, refusal.code) == (400, "BadParameter")


def test_a_secret_that_is_there_is_not_restored_over(keeper: Keeper) -> None:
    keeper.set("s", "old")
    backup = keeper.call("POST", "/secrets/s/backup").body["value"].reveal()
    keeper.set("s", "new")
    assert isinstance(keeper.refused("POST", "/secrets/restore", {"value": backup}), Conflict)
    assert keeper.value("s") == "new"
