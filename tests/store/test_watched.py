"""A view that is watched: it says the same, and under which keys a change of what was looked at will be noted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from linarite.ids import ROOT
from linarite.model import Secret
from linarite.store import directory
from linarite.store.directory import Credential
from linarite.store.keys import EVERYTHING, SIGNING_KEYS, principal_key
from linarite.store.secrets import Secrets
from linarite.store.watched import Watched
from tests.store.furnished import QUESTIONS, furnish, rewrite
from tests.store.site import ACCOUNT, ALICE, NOW, STORAGE, TEAM, assign_reader, resource

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from linarite.ids import ResourceId
    from linarite.store.transaction import Transaction
    from linarite.store.view import View
    from tests.store.site import Site

NEW = replace(ALICE, object_id="66666666-0000-0000-0000-000000000002", client="nobody")
FAULT = {"fault": "503", "path": "*", "method": "", "chance": 1, "struck": 0}

Work = Callable[["Transaction"], object]


def add(id_: ResourceId, **properties: object) -> Work:
    return lambda transaction: transaction.add(resource(id_, {"properties": properties}))


def give_credential(transaction: Transaction) -> None:
    directory.add_credential(transaction.connection(), Credential("c2", ALICE.object_id, "argon", NOW))
    transaction.note(principal_key(ALICE.object_id))


def retire_keys(transaction: Transaction) -> None:
    directory.retire_signing_key(transaction.connection(), "kid", NOW)
    transaction.note(SIGNING_KEYS)


CHANGES: dict[str, Work] = {
    "a resource": rewrite(ACCOUNT, number=1),
    "no resource": add(TEAM.child(STORAGE, "none")),
    "secrets": lambda transaction: transaction.put_secret(ACCOUNT.key, "key1", Secret("new")),
    "no secrets": lambda transaction: transaction.put_secret(TEAM.key, "key1", Secret("new")),
    "a principal": lambda transaction: transaction.dismiss(ALICE.object_id),
    "no principal": lambda transaction: transaction.employ(replace(NEW, object_id="nobody"), NOW),
    "an object id": lambda transaction: transaction.dismiss(ALICE.object_id),
    "no object id": lambda transaction: transaction.employ(NEW, NOW),
    "credentials": give_credential,
    "roles": assign_reader(ACCOUNT, "second"),
    "signing keys": retire_keys,
    "locks": add(TEAM.child("Microsoft.Authorization/locks", "l"), level="ReadOnly"),
    "faults": add(ROOT.child("Linarite.Testing/faults", "f"), **FAULT),
}
"""For each question, a unit that has it answered differently."""

ASKED = QUESTIONS | {"no resource": lambda view: view.resource(TEAM.child(STORAGE, "none").key)}


def looked_at(asked: str, view: View) -> tuple[object, set[str]]:
    """What a question is answered, and what was looked at for that."""
    watched = Watched(view)
    answer = ASKED[asked](watched)
    return dict(answer) if isinstance(answer, Secrets) else answer, watched.sources


@pytest.mark.parametrize("asked", ASKED)
def test_what_is_watched_is_answered_the_same(site: Site, asked: str) -> None:
    site.commit(furnish)
    answer, sources = site.look(partial(looked_at, asked))
    assert answer == site.look(ASKED[asked])
    assert len(sources) == 1


@pytest.mark.parametrize("asked", ASKED)
def test_a_change_that_matters_touches_what_was_looked_at(site: Site, asked: str) -> None:
    site.commit(furnish)
    before, sources = site.look(partial(looked_at, asked))
    told: list[tuple[int, AbstractSet[str]]] = []
    site.gate.memory.followers.append(lambda *step: told.append(step))
    site.commit(CHANGES[asked], site.another())
    after, _ = site.look(partial(looked_at, asked))
    assert after != before
    [(version, changed)] = told
    assert version == 2
    assert changed & sources


@pytest.mark.parametrize("asked", [asked for asked in ASKED if asked != "no secrets"])
def test_a_change_that_does_not_matter_touches_nothing_of_it(site: Site, asked: str) -> None:
    site.commit(furnish)
    _, sources = site.look(partial(looked_at, asked))
    told: list[AbstractSet[str]] = []
    site.gate.memory.followers.append(lambda _, changed: told.append(changed))
    site.commit(rewrite(TEAM, number=1), site.another())
    site.look(lambda _: None)
    assert told == [{TEAM.key}]
    assert not told[0] & sources


def test_who_asks_for_a_version_or_a_connection_has_looked_at_everything(site: Site) -> None:
    def ask(view: View) -> list[set[str]]:
        found = []
        for question in (lambda one: one.version, lambda one: one.connection()):
            watched = Watched(view)
            question(watched)
            found.append(watched.sources)
        return found

    assert site.look(ask) == [{EVERYTHING}, {EVERYTHING}]


def test_whoever_follows_is_told_of_every_version_once(site: Site) -> None:
    told: list[tuple[int, AbstractSet[str]]] = []
    site.look(lambda _: None)
    site.gate.memory.followers.append(lambda *step: told.append(step))
    other = site.another()
    site.commit(furnish)
    site.commit(rewrite(ACCOUNT, number=1), other)
    site.commit(lambda transaction: transaction.note_everything(), other)
    site.look(lambda _: None)
    site.look(lambda _: None)
    assert [version for version, _ in told] == [1, 3]
    assert {ACCOUNT.key, EVERYTHING} <= told[1][1]
