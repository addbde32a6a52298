"""What a process remembers: never older than the newest commit of any process, and never more than it may."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from linarite.model import Secret
from linarite.store import directory
from linarite.store import gate as gates
from linarite.store.directory import Credential, SigningKey
from linarite.store.gate import Stale
from linarite.store.memory import SIGNING_KEYS, Memory, principal_key
from tests.store.site import (
    ACCOUNT,
    ALICE,
    HOME,
    NOW,
    READER,
    STORAGE,
    TEAM,
    account,
    assign_reader,
    found_group,
    recorded,
    resource,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.ids import ResourceId
    from linarite.store.gate import Gate
    from linarite.store.view import Transaction, View
    from tests.store.site import Site


def furnish(transaction: Transaction) -> None:
    """Write at least one row of everything that is remembered."""
    found_group(transaction)
    transaction.add(resource(ACCOUNT, {"tags": {"a": "b"}}))
    transaction.put_secret(ACCOUNT.key, "key1", Secret("k"))
    assign_reader(TEAM, "reader")(transaction)
    connection = transaction.connection()
    directory.add_principal(connection, ALICE, NOW)
    directory.add_credential(connection, Credential("c1", ALICE.object_id, "argon", NOW))
    box = transaction.keyring.seal(Secret("private"), SIGNING_KEYS, "kid")
    directory.add_signing_key(connection, SigningKey("kid", b"{}", box, NOW))
    transaction.note(SIGNING_KEYS)


QUESTIONS: dict[str, Callable[[View], Any]] = {
    "a resource": lambda view: view.resource(ACCOUNT.key),
    "no resource": lambda view: view.resource("/nowhere"),
    "secrets": lambda view: view.secrets(ACCOUNT.key),
    "no secrets": lambda view: view.secrets(TEAM.key),
    "a principal": lambda view: view.principal(ALICE.object_id),
    "no principal": lambda view: view.principal("nobody"),
    "an object id": lambda view: view.object_id(ALICE.client),
    "no object id": lambda view: view.object_id("nobody"),
    "credentials": lambda view: view.credentials_of(ALICE.object_id),
    "roles": lambda view: view.assignments_of(ALICE.object_id),
    "signing keys": lambda view: view.signing_keys(),
}


def rewrite(id_: ResourceId, **body: Any) -> Callable[[Transaction], None]:
    """A unit that writes another body of a resource."""

    def work(transaction: Transaction) -> None:
        before = transaction.resource(id_.key)
        assert before is not None
        transaction.rewrite(before, body)

    return work


def remember(site: Site, gate: Gate, *ids: ResourceId) -> None:
    site.look(lambda view: [view.resource(id_.key) for id_ in ids], gate)


# ── the newest state ────────────────────────────────────────────────────────────────────────────────────────────────


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


def test_what_was_not_there_is_found_once_it_is(site: Site) -> None:
    other = site.another()
    site.commit(found_group)
    assert site.look(lambda view: view.resource(ACCOUNT.key)) is None
    site.commit(account("st1"), other)
    assert site.look(lambda view: view.resource(ACCOUNT.key)) is not None


def test_processes_that_write_and_look_in_any_order_always_see_the_newest(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "_PRUNE_EVERY", 7)
    monkeypatch.setattr(gates, "_CHANGES_KEPT", 5)
    chance = Random(20261124)
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


# ── what is forgotten ───────────────────────────────────────────────────────────────────────────────────────────────


def test_only_what_another_process_changed_is_forgotten(site: Site) -> None:
    other = site.another()
    site.commit(furnish)
    remember(site, site.gate, HOME, TEAM, ACCOUNT)
    site.commit(rewrite(ACCOUNT, number=1), other)
    site.look(lambda _: None)
    assert site.gate.memory.resources.keys() == {HOME.key, TEAM.key}
    assert site.gate.memory.version == 2


def test_only_what_a_process_changed_itself_is_forgotten(site: Site) -> None:
    site.commit(furnish)
    remember(site, site.gate, HOME, TEAM, ACCOUNT)
    site.commit(rewrite(ACCOUNT, number=1))
    assert site.gate.memory.resources.keys() == {HOME.key, TEAM.key}
    assert site.gate.memory.version == 2


def test_a_secret_that_changes_is_forgotten_with_its_resource_alone(site: Site) -> None:
    site.commit(furnish)
    site.look(lambda view: [question(view) for question in QUESTIONS.values()])
    site.commit(lambda transaction: transaction.put_secret(ACCOUNT.key, "key1", Secret("new")), site.another())
    site.look(lambda _: None)
    memory = site.gate.memory
    assert ACCOUNT.key not in memory.secrets
    assert ACCOUNT.key not in memory.resources
    assert TEAM.key in memory.secrets
    assert ALICE.object_id in memory.principals
    assert site.look(lambda view: view.secrets(ACCOUNT.key)) == {"key1": Secret("new")}


def test_a_principal_that_changes_is_forgotten_with_all_that_is_known_of_it(site: Site) -> None:
    def remove(transaction: Transaction) -> None:
        directory.remove_principal(transaction.connection(), ALICE.object_id)
        transaction.note(principal_key(ALICE.object_id))

    site.commit(furnish)
    site.look(lambda view: [question(view) for question in QUESTIONS.values()])
    site.commit(remove, site.another())
    site.look(lambda _: None)
    memory = site.gate.memory
    for table in (memory.principals, memory.credentials, memory.assignments, memory.clients):
        assert ALICE.object_id not in table
        assert ALICE.client not in table
    assert memory.resources
    assert site.look(lambda view: (view.principal(ALICE.object_id), view.object_id(ALICE.client))) == (None, None)


def test_signing_keys_are_the_same_object_until_they_change(site: Site) -> None:
    site.commit(furnish)
    before = site.look(QUESTIONS["signing keys"])
    site.commit(rewrite(ACCOUNT, number=1), site.another())
    assert site.look(QUESTIONS["signing keys"]) is before
    site.commit(lambda transaction: transaction.note(SIGNING_KEYS), site.another())
    assert site.look(QUESTIONS["signing keys"]) is not before


def test_everything_is_forgotten_where_a_unit_says_so(site: Site) -> None:
    site.commit(furnish)
    site.look(lambda view: [question(view) for question in QUESTIONS.values()])
    site.commit(lambda transaction: transaction.note_everything(), site.another())
    site.look(lambda _: None)
    assert not any(site.gate.memory._tables())


def test_everything_is_forgotten_where_the_log_of_changes_was_cut_off(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "_PRUNE_EVERY", 1)
    monkeypatch.setattr(gates, "_CHANGES_KEPT", 3)
    other = site.another()
    site.commit(furnish)
    remember(site, site.gate, HOME, TEAM, ACCOUNT)
    for number in range(3):
        site.commit(rewrite(ACCOUNT, number=number), other)
    site.look(lambda _: None)
    assert site.gate.memory.resources.keys() == {HOME.key, TEAM.key}, "what is kept reaches back just far enough"
    remember(site, site.gate, ACCOUNT)
    site.commit(rewrite(TEAM, number=3), other)
    for number in range(4, 7):
        site.commit(rewrite(ACCOUNT, number=number), other)
    assert site.look(lambda view: view.version) == 8
    assert not any(site.gate.memory._tables())
    team = site.look(lambda view: view.resource(TEAM.key))
    assert team is not None
    assert team.body == {"number": 3}


def test_the_log_of_changes_is_cut_off_now_and_then(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "_PRUNE_EVERY", 4)
    monkeypatch.setattr(gates, "_CHANGES_KEPT", 2)
    site.commit(furnish)
    for number in range(8):
        site.commit(rewrite(ACCOUNT, number=number))
    kept = site.ask(lambda connection: list(connection.exec_driver_sql("SELECT version FROM changes").scalars()))
    assert sorted(kept) == [7, 8, 9]


# ── the bound ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_more_is_remembered_than_may_be(site: Site) -> None:
    gate = site.another(most=3)
    ids = [TEAM.child(STORAGE, f"st{number}") for number in range(10)]
    site.commit(found_group, gate)
    for id_ in ids:
        site.commit(account(id_.name), gate)
    for _ in range(2):
        for id_ in ids:
            found = site.look(lambda view, key=id_.key: view.resource(key), gate)  # type: ignore[misc]
            assert found is not None
            assert found.name == id_.name
            assert len(gate.memory.resources) <= 3
    assert list(gate.memory.resources) == [id_.key for id_ in ids[-3:]], "the oldest go first"


def test_one_answer_of_more_rows_than_may_be_remembered_is_whole(site: Site) -> None:
    gate = site.another(most=3)
    site.commit(found_group, gate)
    found = site.look(lambda view: [view.resource(f"/{number}") for number in range(10)], gate)
    assert found == [None] * 10
    assert len(gate.memory.resources) == 3


def test_what_was_read_at_another_version_is_not_remembered() -> None:
    own, other = Memory(10), Memory(10)
    own.version, other.version = 2, 1
    other.resources["/a"] = None
    own.take(other)
    assert own.resources == {}
    other.version = 2
    own.take(other)
    assert own.resources == {"/a": None}
