"""Units of work: what is committed together, and what undoes what."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn

import pytest

from linarite.errors import Conflict
from linarite.model import Deed, Secret
from linarite.store import directory
from tests.store.site import (
    ACCOUNT,
    ALICE,
    HOME,
    NOT_NOW,
    NOW,
    RULE_BROKEN,
    account,
    commits,
    found_group,
    names,
    recorded,
    resource,
    together,
)

if TYPE_CHECKING:
    from linarite.store.transaction import Transaction
    from tests.store.site import Site


class Broken(Exception):
    """A defect in a unit of work."""


def refuse_after_writing(transaction: Transaction) -> NoReturn:
    transaction.add(resource(ACCOUNT))
    transaction.put_secret(ACCOUNT.key, "key1", Secret("k"))
    directory.add_principal(transaction.connection(), ALICE, NOW)
    raise NOT_NOW


def break_after_writing(transaction: Transaction) -> NoReturn:
    transaction.add(resource(ACCOUNT))
    raise Broken


# ── one unit ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_units_writes_and_its_entry_are_one_commit(site: Site) -> None:
    with commits(site.gate) as made:
        site.commit(found_group)
    assert len(made) == 1
    assert site.look(lambda view: view.resource(HOME.key)) is not None
    assert site.entries() == [recorded(None)]


def test_a_unit_answers_what_its_work_answered(site: Site) -> None:
    assert site.commit(lambda _: "done") == "done"


def test_the_entry_is_made_of_what_the_unit_answered(site: Site) -> None:
    site.run(site.gate.commit(lambda _: "made", lambda answer: recorded(None, f"Linarite/{answer}")))
    assert [entry.action for entry in site.entries()] == ["Linarite/made"]


def test_a_unit_may_leave_entries_of_its_own_before_its_last_one(site: Site) -> None:
    def work(transaction: Transaction) -> None:
        transaction.entries.append(recorded(None, "Linarite/first"))

    site.commit(work)
    assert [entry.action for entry in site.entries()] == ["Linarite/first", "Linarite/test"]


def test_a_unit_without_an_entry_leaves_none(site: Site) -> None:
    site.run(site.gate.commit(found_group, lambda _: None))
    assert site.entries() == []
    assert site.version() == 1


def test_a_unit_sees_its_own_writes(site: Site) -> None:
    def work(transaction: Transaction) -> list[object]:
        transaction.add(resource(HOME, {"written": 1}))
        first = transaction.resource(HOME.key)
        assert first is not None
        transaction.rewrite(first, {"written": 2})
        second = transaction.resource(HOME.key)
        transaction.remove(HOME)
        return [first.body, second and second.body, transaction.resource(HOME.key)]

    assert site.commit(work) == [{"written": 1}, {"written": 2}, None]


def test_what_is_written_carries_the_version_that_the_unit_makes(site: Site) -> None:
    site.commit(found_group)
    written = site.commit(lambda transaction: transaction.add(resource(ACCOUNT)))
    assert written.version == site.version() == 2


def test_a_unit_that_writes_nothing_makes_no_version(site: Site) -> None:
    site.commit(found_group)
    site.commit(lambda transaction: transaction.resource(HOME.key))
    assert site.version() == 1
    assert len(site.entries()) == 2


def test_a_unit_that_refuses_leaves_nothing_but_its_refusal(site: Site) -> None:
    site.commit(found_group)
    with pytest.raises(Conflict, match="Not now"):
        site.commit(refuse_after_writing)
    assert site.look(lambda view: view.resource(ACCOUNT.key)) is None
    assert site.look(lambda view: view.secrets(ACCOUNT.key)) == {}
    assert site.look(lambda view: view.principal(ALICE.object_id)) is None
    assert site.version() == 1
    assert [(entry.deed, entry.status, entry.code) for entry in site.entries()[1:]] == [(Deed.REFUSAL, 409, "Conflict")]


def test_entries_of_a_unit_that_refuses_are_undone_with_it(site: Site) -> None:
    def work(transaction: Transaction) -> NoReturn:
        transaction.entries.append(recorded(None, "Linarite/undone"))
        raise NOT_NOW

    with pytest.raises(Conflict):
        site.commit(work)
    assert [entry.action for entry in site.entries()] == ["Linarite/test"]


# ── units together ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_units_that_arrive_together_share_one_commit(site: Site) -> None:
    site.commit(found_group)
    with commits(site.gate) as made:
        site.run(together(site.gate, *(account(f"st{number}") for number in range(50))))
    assert len(made) == 1
    assert len(site.ask(names)) == 50
    assert site.version() == 51
    assert len(site.entries()) == 51


def test_units_run_in_the_order_in_which_they_came_and_see_one_another(site: Site) -> None:
    def count(transaction: Transaction) -> int:
        seen = len(names(transaction.connection()))
        transaction.add(resource(ACCOUNT.parent.child(ACCOUNT.type, f"st{seen}")))  # type: ignore[union-attr]
        return seen

    site.commit(found_group)
    assert site.run(together(site.gate, *[count] * 5)) == [0, 1, 2, 3, 4]


def test_a_unit_that_refuses_undoes_none_of_its_neighbours(site: Site) -> None:
    site.commit(found_group)
    with commits(site.gate) as made:
        outcomes = site.run(together(site.gate, account("before"), refuse_after_writing, account("after")))
    assert len(made) == 1
    assert outcomes[1] is NOT_NOW
    assert site.ask(names) == {"before", "after"}
    assert [entry.deed for entry in site.entries()[1:]] == [Deed.WRITE, Deed.REFUSAL, Deed.WRITE]


def test_a_unit_that_breaks_undoes_itself_alone(site: Site) -> None:
    site.commit(found_group)
    with commits(site.gate) as made:
        outcomes = site.run(together(site.gate, account("before"), break_after_writing, account("after")))
    assert len(made) == 1
    assert isinstance(outcomes[1], Broken)
    assert site.ask(names) == {"before", "after"}
    assert len(site.entries()) == 3
    assert site.first_broken() is None


def test_a_unit_that_breaks_a_rule_of_the_tables_undoes_itself_alone(site: Site) -> None:
    site.commit(found_group)
    outcomes = site.run(together(site.gate, account("st1"), account("st1"), account("st2")))
    assert isinstance(outcomes[1], RULE_BROKEN)
    assert site.ask(names) == {"st1", "st2"}
    assert len(site.entries()) == 3


def test_what_a_database_complains_of_does_not_print_what_was_to_be_written(site: Site) -> None:
    with pytest.raises(RULE_BROKEN) as caught:
        site.commit(lambda transaction: transaction.add(resource(ACCOUNT, {"private": "words"})))
    assert "words" not in str(caught.value)


def test_a_waiter_that_goes_away_takes_nothing_with_it(site: Site) -> None:
    async def leave() -> None:
        leaver = asyncio.ensure_future(site.gate.commit(account("left"), recorded))
        await asyncio.sleep(0)
        stayer = asyncio.ensure_future(site.gate.commit(account("stayed"), recorded))
        await asyncio.sleep(0)
        leaver.cancel()
        await stayer

    site.commit(found_group)
    site.run(leave())
    assert site.ask(names) == {"left", "stayed"}


def test_more_than_fit_into_one_batch_are_written_in_several(site: Site) -> None:
    async def record(count: int) -> None:
        await asyncio.gather(*(site.gate.record(recorded(None, f"Linarite/{number}")) for number in range(count)))

    with commits(site.gate) as made:
        site.run(record(1200))
    assert 1 < len(made) < 6
    assert [entry.action for entry in site.entries()] == [f"Linarite/{number}" for number in range(1200)]
    assert site.first_broken() is None


def test_a_gate_that_closes_writes_what_is_waiting_first(site: Site) -> None:
    async def close() -> None:
        gate = site.another()
        waiting = [asyncio.ensure_future(gate.record(recorded(None))) for _ in range(3)]
        await asyncio.sleep(0)
        await gate.close()
        await asyncio.gather(*waiting)

    site.run(site.gate.record(recorded(None)))
    site.run(close())
    site.gates.pop()  # closed already
    assert len(site.entries()) == 4
