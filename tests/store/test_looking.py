"""Looking: whatever a process remembers, it answers from the newest commit of any process."""

from __future__ import annotations

import asyncio
import sqlite3
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from linarite.errors import Unavailable
from linarite.model import Secret
from linarite.store import batch, gate
from linarite.store.gate import Stale
from tests.store.furnished import QUESTIONS, furnish, remember, rewrite
from tests.store.site import ACCOUNT, ALICE, HOME, READER, TEAM, account, found_group, recorded

if TYPE_CHECKING:
    from linarite.store.transaction import Transaction
    from linarite.store.view import View
    from tests.store.site import Site


@pytest.mark.parametrize("asked", QUESTIONS)
def test_what_is_remembered_is_what_was_read(site: Site, monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    site.commit(furnish)
    read = site.look(QUESTIONS[asked])
    monkeypatch.setattr(site.gate.database, "read", None)  # from here on the database is not asked
    remembered, version = site.run(site.gate.peek(QUESTIONS[asked]))
    assert remembered == read
    assert version == 1


def test_what_was_furnished_is_found(site: Site) -> None:
    site.commit(furnish)
    found = {name: site.look(question) for name, question in QUESTIONS.items()}
    assert found["a resource"].body == {"tags": {"a": "b"}}
    assert found["a resource"].id.text == ACCOUNT.text
    assert found["secrets"] == {"key1": Secret("k")}
    assert found["a principal"] == ALICE
    assert found["an object id"] == ALICE.object_id
    assert [one.hash for one in found["credentials"]] == ["argon"]
    assert [(one.role, one.scope) for one in found["roles"]] == [(READER, TEAM.key)]
    assert [one.kid for one in found["signing keys"]] == ["kid"]
    assert [found[name] for name in found if name.startswith("no ")] == [None, {}, None, None]


def test_a_look_sees_what_another_process_committed_the_very_next_time(site: Site) -> None:
    other = site.another()
    site.commit(furnish)
    for number in range(20):
        remember(site, site.gate, ACCOUNT)
        site.commit(rewrite(ACCOUNT, number=number), other)
        found = site.look(lambda view: view.resource(ACCOUNT.key))
        assert found is not None
        assert found.body == {"number": number}


def test_a_look_that_joins_others_does_not_settle_for_their_older_answer(site: Site) -> None:
    other = site.another()

    async def overtake() -> list[int]:
        early = [asyncio.ensure_future(site.gate.look(lambda view: view.resource(ACCOUNT.key))) for _ in range(5)]
        await asyncio.sleep(0)
        await other.commit(rewrite(ACCOUNT, number=1), recorded)
        late = [site.gate.look(lambda view: view.resource(ACCOUNT.key)) for _ in range(5)]
        answers = await asyncio.gather(*late)
        await asyncio.gather(*early)
        return [version for _, version in answers]

    site.commit(furnish)
    remember(site, site.gate, ACCOUNT)
    for version in range(2, 12):
        assert site.run(overtake()) == [version] * 5


def test_looks_at_once_are_answered_by_few_questions(postgres_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site = postgres_site
    site.commit(furnish)
    remember(site, site.gate, ACCOUNT)
    asked = []
    read = site.gate.database.read

    async def counted(question: Any) -> Any:
        asked.append(question)
        return await read(question)

    async def look() -> None:
        await asyncio.gather(*(site.gate.look(lambda view: view.resource(ACCOUNT.key)) for _ in range(100)))

    monkeypatch.setattr(site.gate.database, "read", counted)
    site.run(look())
    assert len(asked) <= 2


def test_a_looker_that_gives_up_does_not_hold_up_those_behind_it(site: Site) -> None:
    async def give_up() -> object:
        first = asyncio.ensure_future(site.gate.look(lambda view: view.resource(HOME.key)))
        await asyncio.sleep(0)
        others = [asyncio.ensure_future(site.gate.look(lambda view: view.resource(HOME.key))) for _ in range(3)]
        await asyncio.sleep(0)
        first.cancel()
        others[0].cancel()
        return await asyncio.wait_for(asyncio.gather(*others[1:]), 10)

    site.commit(found_group)
    assert site.run(give_up())


def test_a_peek_may_be_old_and_recording_says_so(site: Site) -> None:
    other = site.another()
    site.commit(furnish)
    remember(site, site.gate, ACCOUNT)
    site.commit(rewrite(ACCOUNT, number=1), other)
    old, version = site.run(site.gate.peek(lambda view: view.resource(ACCOUNT.key)))
    assert old is not None
    assert old.body == {"tags": {"a": "b"}}
    with pytest.raises(Stale):
        site.run(site.gate.record(recorded(None), version))
    new, version = site.run(site.gate.look(lambda view: view.resource(ACCOUNT.key)))
    assert new is not None
    assert new.body == {"number": 1}
    site.run(site.gate.record(recorded(None), version))


def test_a_first_peek_asks_the_database(site: Site) -> None:
    site.commit(furnish)
    found, version = site.run(site.another().peek(lambda view: view.resource(ACCOUNT.key)))
    assert found is not None
    assert version == 1


def test_a_peek_answers_from_one_state_though_half_of_it_is_remembered(site: Site) -> None:
    def numbers(view: View) -> list[Any]:
        found = (view.resource(TEAM.key), view.resource(ACCOUNT.key))
        return [one and one.body.get("number") for one in found]

    def rewrite_both(transaction: Transaction) -> None:
        for id_ in (TEAM, ACCOUNT):
            rewrite(id_, number=2)(transaction)

    site.commit(furnish)
    remember(site, site.gate, TEAM)
    site.commit(rewrite_both, site.another())
    assert site.run(site.gate.peek(numbers)) == ([2, 2], 2)


def test_what_is_not_remembered_is_not_read_in_another_state(site: Site) -> None:
    def number_and_holders(view: View) -> tuple[Any, int]:
        found = view.resource(TEAM.key)
        return found and found.body.get("number"), len(view.assignments_of("nobody"))

    site.commit(furnish)
    remember(site, site.gate, TEAM)
    site.commit(rewrite(TEAM, number=2), site.another())
    assert site.run(site.gate.peek(number_and_holders)) == ((2, 0), 2)


def test_what_was_not_there_is_found_once_it_is(site: Site) -> None:
    other = site.another()
    site.commit(found_group)
    assert site.look(lambda view: view.resource(ACCOUNT.key)) is None
    site.commit(account("st1"), other)
    assert site.look(lambda view: view.resource(ACCOUNT.key)) is not None


def test_processes_that_write_and_look_in_any_order_always_see_the_newest(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_PRUNE_EVERY", 7)
    monkeypatch.setattr(batch, "_CHANGES_KEPT", 5)
    chance = Random(20261124)  # noqa: S311 - draws steps, no keys
    processes = [site.gate, site.another(), site.another(most=2)]
    ids = [HOME, TEAM, ACCOUNT]
    site.commit(furnish)
    newest: dict[str, Any] = {}
    for number in range(150):
        id_, gate = chance.choice(ids), chance.choice(processes)
        if chance.random() < 0.4:
            site.commit(rewrite(id_, number=number), gate)
            newest[id_.key] = {"number": number}
        else:
            found = site.look(lambda view, key=id_.key: view.resource(key), gate)  # type: ignore[misc]
            assert found is not None
            assert found.body == newest.get(id_.key, found.body)


def test_a_database_that_could_not_be_read_once_is_read_the_next_time(
    sqlite_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> Any:
        raise sqlite3.OperationalError("disk I/O error")

    sqlite_site.commit(found_group)
    with monkeypatch.context() as patched:
        patched.setattr(gate, "execute_of", fail)  # after the transaction was begun
        with pytest.raises(Unavailable):
            sqlite_site.run(sqlite_site.gate.peek(lambda view: view.resource(HOME.key)))
    assert sqlite_site.look(lambda view: view.resource(HOME.key)) is not None
