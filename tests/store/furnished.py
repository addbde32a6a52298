"""A state with at least one row of everything that a process remembers, and a question about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from linarite.model import Secret
from linarite.store import directory
from linarite.store.directory import Credential, SigningKey
from linarite.store.keys import SIGNING_KEYS
from tests.store.site import ACCOUNT, ALICE, NOW, TEAM, assign_reader, found_group, resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from linarite.ids import ResourceId
    from linarite.store.gate import Gate
    from linarite.store.transaction import Transaction
    from linarite.store.view import View
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
    "locks": lambda view: view.locks(),
    "faults": lambda view: view.faults(),
}


def rewrite(id_: ResourceId, **body: Any) -> Callable[[Transaction], None]:
    """A unit that writes another body of a resource."""

    def work(transaction: Transaction) -> None:
        before = transaction.resource(id_.key)
        assert before is not None
        transaction.rewrite(before, body)

    return work


def remember(site: Site, gate: Gate, *ids: ResourceId) -> None:
    """Have a process read resources, which it remembers then."""
    site.look(lambda view: [view.resource(id_.key) for id_ in ids], gate)
