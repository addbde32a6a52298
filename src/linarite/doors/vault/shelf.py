"""Where secrets lie: resources below their vault, versions below their secret, and the sealed value with its version.

    {vault}/secrets/{name}                      {"current": version}; soft-deleted while it can be recovered
    {vault}/secrets/{name}/versions/{version}   {"attributes", "contentType"?, "tags"?}, and the secret `value`

Each hangs on the one above by a foreign key, so they go together, and all of them with the vault. A value is sealed for
the id of its version, which names the vault. This module knows no caller, and shows nothing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from linarite.model import Body, Resource, Secret
from linarite.store import resources

if TYPE_CHECKING:
    from datetime import datetime

    from linarite.ids import ResourceId
    from linarite.store.transaction import Transaction
    from linarite.store.view import View

SECRETS = "Microsoft.KeyVault/vaults/secrets"
VERSIONS = f"{SECRETS}/versions"

_VALUE = "value"
_MOST = 100_000


class Kept(NamedTuple):
    """A version of a secret as it is kept."""

    id: str
    body: Body
    value: Secret


def id_of(vault: Resource, name: str) -> ResourceId:
    return vault.id.child(SECRETS, name)


def find(view: View, vault: Resource, name: str) -> Resource | None:
    """A secret, deleted or not; letters of its name count in any case."""
    return view.resource(id_of(vault, name).key)


def version(view: View, secret: Resource, id_: str) -> Resource | None:
    return view.resource(secret.id.child(VERSIONS, id_).key)


def current(view: View, secret: Resource) -> Resource:
    """The version that is answered where none is named."""
    found = version(view, secret, secret.body["current"])
    if found is None:
        message = f"the current version of {secret.id} is not there"
        raise LookupError(message)
    return found


def value(view: View, version: Resource) -> Secret:
    return view.secrets(version.key)[_VALUE]


def page(view: View, vault: Resource, *, after: str = "", most: int = _MOST, deleted: bool = False) -> list[Resource]:
    """Secrets of a vault, those that stand or those that are deleted, in the order of their keys."""
    found = resources.children(
        view.connection(),
        parent=vault.key,
        subscription=None,
        type_=SECRETS,
        after=after,
        most=most,
        deleted=deleted,
    )
    return list(found)


def versions(view: View, secret: Resource, *, after: str = "", most: int = _MOST) -> list[Resource]:
    """Versions of a secret, in the order of their keys."""
    found = resources.children(
        view.connection(), parent=secret.key, subscription=None, type_=VERSIONS, after=after, most=most
    )
    return list(found)


def put(transaction: Transaction, vault: Resource, name: str, kept: Kept) -> Resource:
    """Keep one more version, which is the current one from now on; answers the secret."""
    body = {"current": kept.id}
    before = find(transaction, vault, name)
    if before is None:
        secret = transaction.add(Resource(id_of(vault, name), body, 0))
    else:
        secret = transaction.rewrite(before, body)
    made = transaction.add(Resource(secret.id.child(VERSIONS, kept.id), kept.body, 0))
    transaction.put_secret(made.key, _VALUE, kept.value)
    return secret


def set_aside(transaction: Transaction, secret: Resource, now: datetime | None) -> Resource:
    """Soft-delete a secret, or with None bring it back."""
    return transaction.rewrite(replace(secret, deleted_at=now))
