"""What each operation does, over a view or inside a unit of work; like the engine's verbs, it may run twice.

Whoever calls is known and allowed by now. This module knows no roles, no HTTP and no trail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from linarite.doors.vault import asked as names
from linarite.doors.vault import backup, bodies, bundle, shelf
from linarite.doors.vault.refusals import (
    deleted_secret_not_found,
    purge_protected,
    secret_disabled,
    secret_exists,
    secret_is_deleted,
    secret_not_found,
)
from linarite.doors.vault.shelf import Kept
from linarite.model import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from linarite.calls import Call
    from linarite.doors.vault.asked import Asked, Operation
    from linarite.model import Body, Resource, Secret
    from linarite.seal import Keyring
    from linarite.store.transaction import Transaction
    from linarite.store.view import View


@dataclass(frozen=True, slots=True)
class Visit:
    """A request that was let in, and the state that it is answered from."""

    view: View
    vault: Resource
    asked: Asked
    call: Call
    now: datetime
    keyring: Keyring
    new_id: Callable[[], str]
    """Makes the id of a version: 32 hexadecimal digits."""

    @property
    def second(self) -> int:
        return int(self.now.timestamp())

    def standing(self) -> Resource:
        """The secret that was asked for, unless it is deleted."""
        found = shelf.find(self.view, self.vault, self.asked.secret)
        if found is None or found.deleted_at is not None:
            raise secret_not_found(self.asked.secret, self.asked.version)
        return found

    def deleted(self) -> Resource:
        """The secret that was asked for, if it is deleted and can still be recovered."""
        found = shelf.find(self.view, self.vault, self.asked.secret)
        if found is None or found.deleted_at is None:
            raise deleted_secret_not_found(self.asked.secret)
        return found

    def version(self, secret: Resource) -> Resource:
        """The version that was asked for, the current one where none was."""
        if not self.asked.version:
            return shelf.current(self.view, secret)
        found = shelf.version(self.view, secret, self.asked.version)
        if found is None:
            raise secret_not_found(self.asked.secret, self.asked.version)
        return found

    def bundle(self, version: Resource, value: Secret | None = None) -> Body:
        return bundle.bundle(self.asked, self.vault, version, value)


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def get(visit: Visit) -> Answer:
    version = visit.version(visit.standing())
    _enabled(version)
    return Answer(200, visit.bundle(version, shelf.value(visit.view, version)))


def list_(visit: Visit) -> Answer:
    size, found = _page(visit, deleted=False)
    shown = [_item(visit, secret) for secret in found[:size]]
    return Answer(200, _paged(visit, "secrets", found, shown, size))


def versions(visit: Visit) -> Answer:
    secret, size = visit.standing(), names.page_size(visit.call)
    found = shelf.versions(visit.view, secret, after=_after(visit), most=size + 1)
    shown = [bundle.item(visit.asked, visit.vault, one, versioned=True) for one in found[:size]]
    return Answer(200, _paged(visit, f"secrets/{secret.name}/versions", found, shown, size))


def get_deleted(visit: Visit) -> Answer:
    secret = visit.deleted()
    version = shelf.current(visit.view, secret)
    _enabled(version)
    return Answer(200, bundle.deleted(visit.asked, visit.vault, secret, visit.bundle(version)))


def list_deleted(visit: Visit) -> Answer:
    size, found = _page(visit, deleted=True)
    shown = [bundle.deleted(visit.asked, visit.vault, one, _item(visit, one)) for one in found[:size]]
    return Answer(200, _paged(visit, "deletedsecrets", found, shown, size))


def back_up(visit: Visit) -> Answer:
    return Answer(200, {"value": backup.pack(visit.view, visit.keyring, visit.vault, visit.standing())})


def _enabled(version: Resource) -> None:
    """As recorded: the values of disabled secrets are kept back, and so is what is left of deleted ones."""
    if not version.body["attributes"]["enabled"]:
        raise secret_disabled()


def _page(visit: Visit, *, deleted: bool) -> tuple[int, list[Resource]]:
    """How many are shown, and one more than that, which tells whether there is a next page."""
    size = names.page_size(visit.call)
    return size, shelf.page(visit.view, visit.vault, after=_after(visit), most=size + 1, deleted=deleted)


def _after(visit: Visit) -> str:
    return bundle.after(visit.call.query.get("$skiptoken", ""))


def _item(visit: Visit, secret: Resource) -> Body:
    return bundle.item(visit.asked, visit.vault, shelf.current(visit.view, secret), versioned=False)


def _paged(visit: Visit, path: str, found: list[Resource], shown: list[Body], size: int) -> Body:
    version = visit.call.query["api-version"]
    return bundle.page(visit.asked, path, found, shown, size=size, version=version)


# ── changing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def set_(visit: Visit, transaction: Transaction) -> Answer:
    value, draft = bodies.to_set(visit.call.json())
    before = shelf.find(transaction, visit.vault, visit.asked.secret)
    if before is not None and before.deleted_at is not None:
        raise secret_is_deleted(before.name)
    kept = Kept(visit.new_id(), draft.anew(visit.second), value)
    secret = shelf.put(transaction, visit.vault, visit.asked.secret, kept)
    return Answer(200, visit.bundle(shelf.current(transaction, secret), value))


def update(visit: Visit, transaction: Transaction) -> Answer:
    draft = bodies.to_update(visit.call.json())
    version = visit.version(visit.standing())
    changed = transaction.rewrite(version, draft.over(version.body, visit.second))
    return Answer(200, visit.bundle(changed))


def delete(visit: Visit, transaction: Transaction) -> Answer:
    secret = visit.standing()
    shown = visit.bundle(shelf.current(transaction, secret))
    if bundle.keeps_deleted(visit.vault):
        secret = shelf.set_aside(transaction, secret, visit.now)
    else:
        transaction.remove(secret.id)
    return Answer(200, bundle.deleted(visit.asked, visit.vault, secret, shown))


def recover(visit: Visit, transaction: Transaction) -> Answer:
    secret = shelf.set_aside(transaction, visit.deleted(), None)
    return Answer(200, visit.bundle(shelf.current(transaction, secret)))


def purge(visit: Visit, transaction: Transaction) -> Answer:
    secret = visit.deleted()
    if visit.vault.properties.get("enablePurgeProtection"):
        raise purge_protected(f"{visit.vault.name};location={visit.vault.location}")
    transaction.remove(secret.id)
    return Answer(204)


def restore(visit: Visit, transaction: Transaction) -> Answer:
    name, kept = backup.unpack(visit.keyring, visit.vault, bodies.to_restore(visit.call.json()))
    there = shelf.find(transaction, visit.vault, name)
    if there is not None:
        raise secret_is_deleted(there.name) if there.deleted_at else secret_exists(there.name)
    restored = [shelf.put(transaction, visit.vault, name, one) for one in kept]
    return Answer(200, visit.bundle(shelf.current(transaction, restored[-1])))


LOOKING: Mapping[Operation, Callable[[Visit], Answer]] = {
    names.GET: get,
    names.LIST: list_,
    names.VERSIONS: versions,
    names.GET_DELETED: get_deleted,
    names.LIST_DELETED: list_deleted,
    names.BACKUP: back_up,
}
CHANGING: Mapping[Operation, Callable[[Visit, Transaction], Answer]] = {
    names.SET: set_,
    names.UPDATE: update,
    names.DELETE: delete,
    names.RECOVER: recover,
    names.PURGE: purge,
    names.RESTORE: restore,
}
