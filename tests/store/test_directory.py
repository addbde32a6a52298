"""Principals, their credentials, signing keys and facts, as they are written and found again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import IntegrityError

from linarite.model import PrincipalKind, Secret
from linarite.store import directory
from linarite.store.directory import Credential, SigningKey
from tests.store.site import ALICE, NOW

if TYPE_CHECKING:
    from linarite.model import Principal
    from linarite.seal import Keyring
    from linarite.store.transaction import Transaction
    from tests.store.site import Site

PIPELINE = replace(
    ALICE,
    object_id="77777777-0000-0000-0000-000000000001",
    kind=PrincipalKind.SERVICE_PRINCIPAL,
    client="11111111-aaaa-3333-4444-555555555555",
    app_id="11111111-aaaa-3333-4444-555555555555",
    disabled=True,
)
LATER = NOW + timedelta(days=1)


def add(site: Site, *new: Principal) -> None:
    def work(transaction: Transaction) -> None:
        for one in new:
            directory.add_principal(transaction.connection(), one, NOW)

    site.commit(work)


def by_client(site: Site, client: str) -> Principal | None:
    return site.ask(lambda connection: directory.principal_by_client(connection, client))


@pytest.mark.parametrize("one", [ALICE, PIPELINE], ids=lambda one: one.kind)
def test_a_principal_is_found_as_it_was_added(site: Site, one: Principal) -> None:
    add(site, ALICE, PIPELINE)
    assert site.ask(lambda connection: directory.principal(connection, one.object_id)) == one
    assert by_client(site, one.client.upper()) == one


def test_a_name_written_in_capitals_is_kept_in_small_letters(site: Site) -> None:
    add(site, replace(PIPELINE, client="Someone@Linarite.TEST", app_id=str(PIPELINE.app_id).upper()))
    found = by_client(site, "someone@linarite.test")
    assert found is not None
    assert (found.client, found.app_id) == ("someone@linarite.test", PIPELINE.app_id)
    assert by_client(site, str(PIPELINE.app_id)) == found


def test_a_name_belongs_to_one_principal_only(site: Site) -> None:
    add(site, ALICE)
    with pytest.raises(IntegrityError):
        add(site, replace(PIPELINE, client=ALICE.client.upper()))


def test_nobody_is_found_where_there_is_nobody(site: Site) -> None:
    assert by_client(site, ALICE.client) is None
    assert site.ask(lambda connection: directory.principal(connection, ALICE.object_id)) is None


def test_credentials_are_found_as_they_were_added_and_go_one_by_one(site: Site) -> None:
    first = Credential("c1", ALICE.object_id, "hash1", NOW)
    second = Credential("c2", ALICE.object_id, "hash2", NOW, expires=LATER, kind="password")
    other = Credential("c3", PIPELINE.object_id, "hash3", NOW)

    def kept() -> list[Credential]:
        found = site.ask(lambda connection: directory.credentials_of(connection, ALICE.object_id))
        return sorted(found, key=lambda one: one.id)

    add(site, ALICE, PIPELINE)
    for one in (first, second, other):
        site.commit(lambda transaction, one=one: directory.add_credential(transaction.connection(), one))  # type: ignore[misc]
    assert kept() == [first, second]
    site.commit(lambda transaction: directory.remove_credential(transaction.connection(), ALICE.object_id, "c3"))
    site.commit(lambda transaction: directory.remove_credential(transaction.connection(), ALICE.object_id, "c1"))
    assert kept() == [second]
    assert site.ask(lambda connection: directory.credentials_of(connection, PIPELINE.object_id)) == [other]


def test_credentials_go_with_their_principal(site: Site) -> None:
    add(site, ALICE)
    credential = Credential("c1", ALICE.object_id, "hash1", NOW)
    site.commit(lambda transaction: directory.add_credential(transaction.connection(), credential))
    site.commit(lambda transaction: directory.remove_principal(transaction.connection(), ALICE.object_id))
    assert site.ask(lambda connection: directory.credentials_of(connection, ALICE.object_id)) == []


def test_a_credential_needs_its_principal(site: Site) -> None:
    with pytest.raises(IntegrityError):
        site.commit(
            lambda transaction: directory.add_credential(
                transaction.connection(), Credential("c1", ALICE.object_id, "hash1", NOW)
            )
        )


def test_signing_keys_are_found_newest_first_and_verify_until_they_are_removed(site: Site, keyring: Keyring) -> None:
    box = keyring.seal(Secret("private"), "signing-keys", "kid")
    old, new = SigningKey("old", b"{}", box, NOW), SigningKey("new", b"{}", box, LATER)

    def kept() -> list[SigningKey]:
        return site.ask(directory.signing_keys_all)

    for one in (old, new):
        site.commit(lambda transaction, one=one: directory.add_signing_key(transaction.connection(), one))  # type: ignore[misc]
    assert kept() == [new, old]
    site.commit(lambda transaction: directory.retire_signing_key(transaction.connection(), "old", LATER))
    assert kept() == [new, replace(old, retired=LATER)]
    site.commit(lambda transaction: directory.remove_signing_key(transaction.connection(), "old"))
    assert kept() == [new]


def test_a_fact_is_what_was_said_last(site: Site) -> None:
    assert site.ask(lambda connection: directory.fact(connection, "colour")) is None
    for value in (b"green", b"blue \x00\xff"):
        site.commit(lambda transaction, value=value: directory.put_fact(transaction.connection(), "colour", value))  # type: ignore[misc]
    assert site.ask(lambda connection: directory.fact(connection, "colour")) == b"blue \x00\xff"
