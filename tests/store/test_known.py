"""What units of work know of one another's reading, so that the database is not asked again, and what they do not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from linarite.errors import Conflict
from linarite.model import Secret
from linarite.store import directory, resources
from linarite.store.keys import SIGNING_KEYS, principal_key
from tests.store.furnished import QUESTIONS, furnish
from tests.store.site import (
    ACCOUNT,
    ALICE,
    HOME,
    NOT_NOW,
    NOW,
    TEAM,
    found_group,
    in_one_batch,
    recorded,
    resource,
    together,
    turned_away,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.store.transaction import Transaction
    from linarite.store.view import View
    from tests.store.site import Site


class Broken(Exception):
    """A defect in a unit of work."""


def ask_everything(view: View) -> list[Any]:
    return [question(view) for question in QUESTIONS.values()]


def change_everything(transaction: Transaction) -> None:
    """Let every question have another answer."""
    transaction.remove(HOME)
    directory.remove_principal(transaction.connection(), ALICE.object_id)
    transaction.note(principal_key(ALICE.object_id))
    directory.remove_signing_key(transaction.connection(), "kid")
    transaction.note(SIGNING_KEYS)


def is_there(transaction: Transaction) -> bool:
    return transaction.resource(ACCOUNT.key) is not None


def add_account(transaction: Transaction) -> None:
    transaction.add(resource(ACCOUNT))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keys of the resources that the database is asked for."""
    keys: list[str] = []
    row_of = resources.row_of

    def noted(connection: Any, key: str) -> Any:
        keys.append(key)
        return row_of(connection, key)

    monkeypatch.setattr(resources, "row_of", noted)
    return keys


def test_what_one_unit_has_read_the_next_ones_know(site: Site, asked: list[str]) -> None:
    def read(transaction: Transaction) -> None:
        assert transaction.resource(TEAM.key) is not None

    site.commit(found_group)
    asked.clear()
    site.commit(read)
    site.run(together(site.gate, read, read, add_account))
    site.commit(read)
    assert asked == [TEAM.key]


def test_what_a_unit_wrote_it_knows_itself(site: Site, asked: list[str]) -> None:
    def work(transaction: Transaction) -> tuple[Any, dict[str, Secret]]:
        transaction.put_secret(ACCOUNT.key, "key1", Secret("first"))
        transaction.put_secret(ACCOUNT.key, "key2", Secret("second"))
        found = transaction.resource(ACCOUNT.key)
        assert found is not None
        transaction.rewrite(replace(found, deleted_at=NOW), {"number": 1})
        transaction.put_secret(ACCOUNT.key, "key1", None)
        return transaction.resource(ACCOUNT.key), dict(transaction.secrets(ACCOUNT.key))

    site.commit(furnish)
    asked.clear()
    written = site.commit(work)
    assert asked == [ACCOUNT.key]
    found, secrets = site.look(lambda view: (view.resource(ACCOUNT.key), dict(view.secrets(ACCOUNT.key))))
    assert written == (found, secrets)
    assert found is not None
    assert (found.body, found.deleted_at, secrets) == ({"number": 1}, NOW, {"key2": Secret("second")})


def test_nobody_has_secrets_who_is_not_there(site: Site) -> None:
    with pytest.raises(LookupError):
        site.commit(lambda transaction: transaction.put_secret("/nowhere", "key1", Secret("k")))


def test_what_another_process_changed_is_known_no_more(site: Site) -> None:
    site.commit(furnish)
    before = site.commit(ask_everything)
    site.commit(change_everything, site.another())
    after = site.commit(ask_everything)
    assert after == site.look(ask_everything, site.another()) != before


def test_what_was_changed_too_often_to_be_followed_is_known_no_more(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("linarite.store.batch._PRUNE_EVERY", 1)
    monkeypatch.setattr("linarite.store.batch._CHANGES_KEPT", 1)
    site.commit(furnish)
    site.commit(ask_everything)
    other = site.another()
    site.commit(change_everything, other)
    site.commit(found_group, other)
    site.commit(found_nothing, other)
    assert site.commit(ask_everything) == site.look(ask_everything, site.another())


def found_nothing(transaction: Transaction) -> None:
    """Make a version."""
    transaction.note("/nothing")


def refuse(transaction: Transaction) -> NoReturn:
    add_account(transaction)
    assert is_there(transaction)
    raise NOT_NOW


def break_(transaction: Transaction) -> NoReturn:
    add_account(transaction)
    assert is_there(transaction)
    raise Broken


@pytest.mark.parametrize(("undone", "error"), [(refuse, Conflict), (break_, Broken)])
def test_what_was_undone_is_known_to_nobody(
    site: Site, undone: Callable[[Transaction], NoReturn], error: type[Exception]
) -> None:
    site.commit(found_group)
    with pytest.raises(error):
        site.commit(undone)
    assert site.commit(is_there) is False


def test_what_a_batch_read_that_could_not_be_written_is_known_to_nobody(site: Site) -> None:
    def unrecordable(_: object) -> Any:
        return object()

    async def fail() -> list[Any]:
        gate = site.gate
        return await in_one_batch(gate, gate.commit(add_account, recorded), gate.commit(is_there, unrecordable))

    site.commit(found_group)
    assert all(map(turned_away, site.run(fail())))
    site.commit(found_nothing, site.another())  # makes the version that the batch would have made
    assert site.commit(is_there) is False


def test_what_a_unit_wrote_the_next_one_reads_as_the_database_has_it(site: Site) -> None:
    site.commit(found_group)
    site.commit(lambda transaction: transaction.add(resource(ACCOUNT, {"list": (1, 2)})))
    found = site.commit(lambda transaction: transaction.resource(ACCOUNT.key))
    assert found is not None
    assert found.body == {"list": [1, 2]}
