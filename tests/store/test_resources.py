"""Resources, what hangs on them, and what goes with them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from psycopg import sql
from sqlalchemy import func, insert, select

from linarite.ids import GROUP, ROOT
from linarite.model import Resource, Secret
from linarite.store import resources, tables
from linarite.store.migrations import bring_up
from tests.store.site import (
    ACCOUNT,
    ALICE,
    ASSIGNMENT,
    HOME,
    NOW,
    RULE_BROKEN,
    STORAGE,
    TEAM,
    account,
    assign_reader,
    found_group,
    names,
    opened,
    resource,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Table

    from linarite.ids import ResourceId
    from linarite.seal import Keyring
    from linarite.store.transaction import Transaction
    from tests.postgres import Cluster
    from tests.store.site import Site

MANY = 33_000
"""More than a statement of SQLite may have parameters (SQLITE_MAX_VARIABLE_NUMBER)."""

SERVICE = ACCOUNT.child(f"{STORAGE}/blobServices", "default")


def furnish(transaction: Transaction) -> None:
    """A group with an account and all that can hang on it, and a group beside it whose name begins alike."""
    found_group(transaction)
    transaction.add(resource(HOME.child(GROUP, f"{TEAM.name}-2")))
    for id_ in (ACCOUNT, SERVICE):
        transaction.add(resource(id_))
        transaction.put_secret(id_.key, "key1", Secret("k"))
    for scope, name in ((HOME, "home"), (TEAM, "team"), (SERVICE, "service")):
        assign_reader(scope, name)(transaction)


def rows(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def texts(found: list[Resource]) -> list[str]:
    return [one.id.text for one in found]


# ── removal ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_group_that_is_removed_takes_everything_below_it(site: Site) -> None:
    site.commit(furnish)
    site.commit(lambda transaction: transaction.remove(TEAM))

    def left(connection: Connection) -> list[object]:
        keys = connection.execute(select(tables.resources.c.key).order_by(tables.resources.c.key)).scalars()
        return [set(keys), rows(connection, tables.assignments)]

    beside = HOME.child(GROUP, f"{TEAM.name}-2")
    assert site.ask(left) == [{HOME.key, beside.key, HOME.child(ASSIGNMENT, "home").key}, 1]


def test_roles_that_go_with_a_group_stop_counting_everywhere_at_once(site: Site) -> None:
    other = site.another()

    def held() -> set[str]:
        return {one.scope for one in site.look(lambda view: view.assignments_of(ALICE.object_id), other)}

    site.commit(furnish)
    assert held() == {HOME.key, TEAM.key, SERVICE.key}
    site.commit(lambda transaction: transaction.remove(ACCOUNT))
    assert held() == {HOME.key, TEAM.key}
    site.commit(lambda transaction: transaction.remove(TEAM))
    assert held() == {HOME.key}


def test_secrets_that_go_with_a_group_are_gone_everywhere_at_once(site: Site) -> None:
    other = site.another()
    site.commit(furnish)
    assert site.look(lambda view: view.secrets(SERVICE.key), other) == {"key1": Secret("k")}
    site.commit(lambda transaction: transaction.remove(TEAM))
    assert site.look(lambda view: view.secrets(SERVICE.key), other) == {}
    assert site.look(lambda view: view.resource(SERVICE.key), other) is None


def test_a_resource_that_is_written_again_keeps_its_secrets(site: Site) -> None:
    def rewrite(transaction: Transaction) -> None:
        found = transaction.resource(ACCOUNT.key)
        assert found is not None
        transaction.rewrite(found, {"tags": {}})

    site.commit(furnish)
    site.commit(rewrite)
    assert site.look(lambda view: view.secrets(ACCOUNT.key), site.another()) == {"key1": Secret("k")}


def test_what_is_made_again_under_an_old_name_has_nothing_of_the_old_one(site: Site) -> None:
    def again(transaction: Transaction) -> None:
        transaction.remove(TEAM)
        transaction.add(resource(TEAM))
        transaction.add(resource(ACCOUNT))

    site.commit(furnish)
    site.commit(again)
    assert site.look(lambda view: view.secrets(ACCOUNT.key)) == {}
    assert site.ask(names) == {ACCOUNT.name}


def test_a_group_of_more_resources_than_a_statement_has_parameters_can_be_removed(sqlite_site: Site) -> None:
    def fill(transaction: Transaction) -> None:
        found_group(transaction)
        row = {"parent": TEAM.key, "subscription": "", "type": "t", "name": "n", "id": "/", "body": b"{}", "version": 1}
        many = [{"key": f"{TEAM.key}/{number}", **row} for number in range(MANY)]
        transaction.connection().execute(insert(tables.resources), many)

    sqlite_site.commit(fill)
    sqlite_site.commit(lambda transaction: transaction.remove(TEAM))
    assert sqlite_site.ask(lambda connection: rows(connection, tables.resources)) == 1


def test_what_is_not_there_can_be_removed(site: Site) -> None:
    site.commit(furnish)
    site.commit(lambda transaction: transaction.remove(TEAM.child(STORAGE, "none")))
    assert site.version() == 1


def test_a_resource_needs_the_one_above_it(site: Site) -> None:
    with pytest.raises(RULE_BROKEN):
        site.commit(lambda transaction: transaction.add(resource(ACCOUNT)))


def test_a_secret_needs_its_resource(site: Site) -> None:
    with pytest.raises(LookupError):
        site.commit(lambda transaction: transaction.put_secret(ACCOUNT.key, "key1", Secret("k")))


# ── soft deletion ───────────────────────────────────────────────────────────────────────────────────────────────────


def delete_softly(id_: ResourceId) -> Callable[[Transaction], None]:
    def work(transaction: Transaction) -> None:
        found = transaction.resource(id_.key)
        assert found is not None
        transaction.rewrite(replace(found, deleted_at=NOW))

    return work


def test_what_was_softly_deleted_is_kept_and_in_no_list(site: Site) -> None:
    site.commit(furnish)
    site.commit(delete_softly(ACCOUNT))
    found = site.look(lambda view: view.resource(ACCOUNT.key))
    assert found is not None
    assert found.deleted_at == NOW
    assert site.look(lambda view: view.secrets(ACCOUNT.key)) == {"key1": Secret("k")}
    assert site.ask(names) == set()
    assert site.ask(lambda connection: resources.named(connection, STORAGE, ACCOUNT.name)) == []


# ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_list_goes_on_where_the_page_before_it_ended(site: Site) -> None:
    wanted = {f"st{number}" for number in range(25)}

    def page(connection: Connection) -> list[Resource]:
        after = seen[-1].key if seen else ""
        found = resources.children(
            connection, parent=TEAM.key, subscription=None, type_=STORAGE.upper(), after=after, most=10
        )
        return list(found)

    site.commit(found_group)
    for name in wanted:
        site.commit(account(name))
    seen: list[Resource] = []
    while found := site.ask(page):
        assert len(found) <= 10
        seen += found
    assert {one.name for one in seen} == wanted
    assert len(seen) == 25


def test_a_subscriptions_list_reaches_into_every_group_and_into_no_other_subscription(site: Site) -> None:
    elsewhere = ROOT.child(HOME.type, "ffffffff-bbbb-cccc-dddd-eeeeeeeeeeee")
    beside = HOME.child(GROUP, f"{TEAM.name}-2").child(STORAGE, "st2")

    def fill(transaction: Transaction) -> None:
        furnish(transaction)
        transaction.add(resource(beside))
        for id_ in (elsewhere, elsewhere.child(GROUP, "g"), elsewhere.child(GROUP, "g").child(STORAGE, "st3")):
            transaction.add(resource(id_))

    def listed(connection: Connection) -> list[Resource]:
        subscription = HOME.name.lower()
        found = resources.children(connection, parent=None, subscription=subscription, type_=STORAGE, after="", most=10)
        return list(found)

    site.commit(fill)
    assert set(texts(site.ask(listed))) == {ACCOUNT.text, beside.text}


def test_a_name_is_found_anywhere_and_in_any_case(site: Site) -> None:
    site.commit(furnish)
    found = site.ask(lambda connection: resources.named(connection, STORAGE.upper(), "ST1"))
    assert texts(found) == [ACCOUNT.text]


def test_assignments_right_at_a_scope_are_told_from_those_below_it(site: Site) -> None:
    def fill(transaction: Transaction) -> None:
        furnish(transaction)
        assign_reader(ROOT, "root")(transaction)

    def right_at(scope: ResourceId) -> list[str]:
        return texts(site.ask(lambda connection: resources.at(connection, ASSIGNMENT, scope.key)))

    site.commit(fill)
    for scope, name in ((ROOT, "root"), (HOME, "home"), (TEAM, "team"), (SERVICE, "service")):
        assert right_at(scope) == [scope.child(ASSIGNMENT, name).text]
    assert right_at(ACCOUNT) == []


LIKE_TEAM = HOME.child(GROUP, TEAM.name.replace("t", "_"))
"""Its name, taken for a pattern of SQL, matches the group's."""


def fill_with_neighbours(transaction: Transaction) -> None:
    """Assignments in the group, and in groups whose names stand close to it in any order of texts."""
    furnish(transaction)
    for neighbour in (f"{TEAM.name}0", LIKE_TEAM.name, "TestRg12", "TestRg.123"):
        group = HOME.child(GROUP, neighbour)
        transaction.add(resource(group))
        assign_reader(group, "beside")(transaction)


def assigned_below(site: Site, scope: ResourceId) -> set[str]:
    return set(texts(site.ask(lambda connection: resources.below(connection, ASSIGNMENT, scope.key))))


INSIDE = {TEAM.child(ASSIGNMENT, "team").text, SERVICE.child(ASSIGNMENT, "service").text}


def test_what_is_below_a_scope_is_told_from_what_is_beside_it(site: Site) -> None:
    site.commit(fill_with_neighbours)
    assert assigned_below(site, TEAM) == INSIDE
    assert assigned_below(site, ACCOUNT) == {SERVICE.child(ASSIGNMENT, "service").text}
    assert assigned_below(site, LIKE_TEAM) == {LIKE_TEAM.child(ASSIGNMENT, "beside").text}
    assert len(assigned_below(site, ROOT)) == 7


@pytest.fixture
def english_url(postgres: Cluster) -> Iterator[str]:
    """A database that orders texts as a dictionary does, which passes over slashes."""
    name = "ordered_by_dictionary"
    postgres._administer(
        sql.SQL("CREATE DATABASE {} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US-u-ka-shifted'").format(
            sql.Identifier(name)
        )
    )
    bring_up(postgres.url(name))
    yield postgres.url(name)
    postgres.drop_database(name)


def test_what_is_below_a_scope_does_not_depend_on_the_databases_language(english_url: str, keyring: Keyring) -> None:
    with opened(english_url, keyring) as site:
        site.commit(fill_with_neighbours)
        assert assigned_below(site, TEAM) == INSIDE
