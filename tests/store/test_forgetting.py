"""What a process forgets: what changed and nothing else, and what is more than it may remember."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from linarite.model import Secret
from linarite.store import batch, directory
from linarite.store.keys import SIGNING_KEYS, principal_key
from linarite.store.memory import Memory
from tests.store.furnished import QUESTIONS, furnish, remember, rewrite
from tests.store.site import ACCOUNT, ALICE, HOME, STORAGE, TEAM, account, found_group

if TYPE_CHECKING:
    import pytest

    from linarite.store.transaction import Transaction
    from tests.store.site import Site


def test_only_what_another_process_changed_is_forgotten(site: Site) -> None:
    other = site.another()
    site.commit(furnish)
    remember(site, site.gate, HOME, TEAM, ACCOUNT)
    site.commit(rewrite(ACCOUNT, number=1), other)
    site.look(lambda _: None)
    assert set(site.gate.memory.rows.keys()) == {HOME.key, TEAM.key}
    assert site.gate.memory.version == 2


def test_only_what_a_process_changed_itself_is_forgotten(site: Site) -> None:
    site.commit(furnish)
    remember(site, site.gate, HOME, TEAM, ACCOUNT)
    site.commit(rewrite(ACCOUNT, number=1))
    assert set(site.gate.memory.rows.keys()) == {HOME.key, TEAM.key}
    assert site.gate.memory.version == 2


def test_a_resource_is_remembered_as_it_was_read_once_it_is_asked_for_again(site: Site) -> None:
    site.commit(furnish)
    gate = site.another(most=8)
    remember(site, gate, HOME, TEAM)
    assert not gate.memory.resources
    remember(site, gate, HOME)
    remember(site, gate, TEAM)
    assert set(gate.memory.resources.keys()) == {TEAM.key}, "one in eight"
    found = site.look(lambda view: view.resource(TEAM.key), gate)
    assert found is site.look(lambda view: view.resource(TEAM.key), gate)
    site.commit(rewrite(TEAM, number=1))
    assert site.look(lambda view: view.resource(TEAM.key), gate) == replace(found, version=2, body={"number": 1})


def test_a_secret_that_changes_is_forgotten_with_its_resource_alone(site: Site) -> None:
    site.commit(furnish)
    site.look(lambda view: [question(view) for question in QUESTIONS.values()])
    site.commit(lambda transaction: transaction.put_secret(ACCOUNT.key, "key1", Secret("new")), site.another())
    site.look(lambda _: None)
    memory = site.gate.memory
    assert ACCOUNT.key not in memory.rows
    assert TEAM.key in memory.rows
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
    assert memory.rows
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
    monkeypatch.setattr(batch, "_PRUNE_EVERY", 1)
    monkeypatch.setattr(batch, "_CHANGES_KEPT", 3)
    other = site.another()
    site.commit(furnish)
    remember(site, site.gate, HOME, TEAM, ACCOUNT)
    for number in range(3):
        site.commit(rewrite(ACCOUNT, number=number), other)
    site.look(lambda _: None)
    assert set(site.gate.memory.rows.keys()) == {HOME.key, TEAM.key}, "what is kept reaches back just far enough"
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
    monkeypatch.setattr(batch, "_PRUNE_EVERY", 4)
    monkeypatch.setattr(batch, "_CHANGES_KEPT", 2)
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
            assert len(gate.memory.rows) <= 3
    assert set(gate.memory.rows.keys()) == {id_.key for id_ in ids[-3:]}, "the oldest go first"


def test_one_answer_of_more_rows_than_may_be_remembered_is_whole(site: Site) -> None:
    gate = site.another(most=3)
    site.commit(found_group, gate)
    found = site.look(lambda view: [view.resource(f"/{number}") for number in range(10)], gate)
    assert found == [None] * 10
    assert len(gate.memory.rows) == 3


def test_the_row_that_was_asked_for_longest_ago_is_forgotten_first(site: Site) -> None:
    gate = site.another(most=2)
    for key in ("/a", "/b", "/a", "/c"):
        site.look(lambda view, key=key: view.resource(key), gate)  # type: ignore[misc]
    assert set(gate.memory.rows.keys()) == {"/a", "/c"}


def test_a_row_that_is_remembered_is_not_read_again_beside_one_that_is_not(sqlite_site: Site) -> None:
    site = sqlite_site
    site.look(lambda view: view.resource("/a"))
    statements: list[str] = []
    site.gate.database.here.set_trace_callback(statements.append)
    site.look(lambda view: (view.resource("/a"), view.resource("/b")))
    assert sum("resources" in statement for statement in statements) == 1


def test_what_was_read_at_another_version_is_not_remembered() -> None:
    own, other = Memory(10), Memory(10)
    own.version, other.version = 2, 1
    other.rows["/a"] = None
    own.take(other)
    assert not own.rows
    other.version = 2
    own.take(other)
    assert own.rows.items() == [("/a", None)]
