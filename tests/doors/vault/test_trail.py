"""Nothing leaves unrecorded, nothing lies in the clear, and what left was current when it was recorded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from linarite.errors import Unavailable
from linarite.errors.server import server_busy
from linarite.store.gate import Gate
from tests.doors.vault.keeper import OWNER, Keeper

if TYPE_CHECKING:
    from linarite.model import Entry

PEARL = "swordfish-in-the-clear"


def test_releases_changes_and_refusals_are_on_the_trail_and_mere_looks_are_not(keeper: Keeper) -> None:
    version = keeper.set("S", PEARL)["id"].rpartition("/")[2]
    keeper.value("s")
    keeper.get("/secrets")
    keeper.get("/secrets/s/versions")
    keeper.call("PATCH", f"/secrets/s/{version}", {"tags": {}})
    keeper.call("POST", "/secrets/s/backup")
    keeper.call("DELETE", "/secrets/s")
    keeper.get("/deletedsecrets/s")
    keeper.call("POST", "/deletedsecrets/s/recover")
    keeper.refused("GET", "/secrets/other")
    assert keeper.said() == [
        ("write", "setSecret/action", 200),
        ("release", "getSecret/action", 200),
        ("write", "update/action", 200),
        ("release", "backup/action", 200),
        ("write", "delete", 200),
        ("write", "recover/action", 200),
        ("refusal", "getSecret/action", 404),
    ]
    first, release, update, *_, last = keeper.entries()
    assert first.target == f"{keeper.path}/secrets/S"
    assert update.target == f"{keeper.path}/secrets/s/{version}"
    assert (last.target, last.code) == (f"{keeper.path}/secrets/other", "SecretNotFound")
    assert {one.caller for one in keeper.entries()} == {OWNER}
    assert release.version is not None
    assert first.version is None


def test_what_names_no_operation_is_recorded_as_it_came(keeper: Keeper) -> None:
    keeper.refused("GET", "/keys/k")
    entry = keeper.trail()[-1]
    assert (entry.action, entry.target, entry.status) == ("GET /keys/k", f"{keeper.origin}/keys/k", 404)


def test_a_value_lies_sealed_wherever_the_state_is_kept(keeper: Keeper) -> None:
    keeper.set("s", PEARL, contentType="text/plain")
    keeper.value("s")
    keeper.call("DELETE", "/secrets/s")
    keeper.house.close()
    kept = b"".join(path.read_bytes() for path in keeper.house.database.parent.glob("linarite.db*"))
    assert b"text/plain" in kept
    assert PEARL.encode() not in kept


def test_a_value_does_not_print(keeper: Keeper) -> None:
    answers = [keeper.set("s", PEARL), keeper.get("/secrets/s"), keeper.call("POST", "/secrets/s/backup")]
    assert PEARL not in repr(answers)


@pytest.mark.parametrize(("method", "path"), [("GET", "/secrets/s"), ("POST", "/secrets/s/backup")])
def test_what_cannot_be_recorded_does_not_leave(
    keeper: Keeper, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    keeper.set("s", PEARL)

    async def record(*_: Any) -> None:
        raise server_busy()

    monkeypatch.setattr(keeper.house.engine.gate, "record", record)
    assert isinstance(keeper.refused(method, path), Unavailable)


def test_a_change_and_its_entry_stand_in_one_commit(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper.set("s", "old")

    def entry(*_: Any) -> Entry:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(keeper.clerk, "_entry", entry)
        with pytest.raises(Unavailable):
            keeper.set("s", "new")
    assert keeper.value("s") == "old"


def test_a_value_that_changed_while_it_was_read_is_read_again(keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper.set("s", "old")
    call = keeper.prepared("GET", "/secrets/s")
    change = keeper.prepared("PUT", "/secrets/s", {"value": "new"})
    record = Gate.record
    changes = [change]

    async def record_after_a_change(gate: Gate, entry: Entry, version: int | None = None) -> None:
        while changes:
            await keeper.clerk.serve(changes.pop())
        await record(gate, entry, version)

    monkeypatch.setattr(Gate, "record", record_after_a_change)
    answer = keeper.house.runner.run(keeper.clerk.serve(call))
    assert answer.body["value"].reveal() == "new"
    releases = [entry for entry in keeper.entries() if entry.deed == "release"]
    assert len(releases) == 1


def test_of_many_at_once_each_has_an_entry_and_each_version_its_own_value(keeper: Keeper) -> None:
    calls = [keeper.prepared("PUT", "/secrets/s", {"value": str(number)}) for number in range(20)]
    calls += [keeper.prepared("PUT", f"/secrets/t{number}", {"value": "v"}) for number in range(20)]

    async def all_at_once() -> list[Any]:
        return list(await asyncio.gather(*(keeper.clerk.serve(call) for call in calls)))

    answers = keeper.house.runner.run(all_at_once())
    assert len(keeper.entries()) == 40
    for number, answer in enumerate(answers[:20]):
        version = answer.body["id"].rpartition("/")[2]
        assert keeper.get(f"/secrets/s/{version}")["value"].reveal() == str(number)
