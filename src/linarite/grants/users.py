"""Users and their passwords: what an operator makes and takes away, as units of work."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

from linarite.grants.proofs import hash_secret
from linarite.ids import new_guid
from linarite.model import Principal, PrincipalKind, Secret
from linarite.store import directory, tickets
from linarite.store.directory import Credential
from linarite.store.keys import principal_key

if TYPE_CHECKING:
    from datetime import datetime

    from linarite.seal import Random
    from linarite.store.transaction import Transaction

PASSWORD = "password"  # noqa: S105 - the kind of credential that a user has
SHORTEST, LONGEST = 8, 256
"""Characters of a password, as in Entra."""

_PASSWORD_BYTES = 15
_GROUP = 6


def add_user(
    transaction: Transaction,
    name: str,
    password: Secret,
    *,
    tenant: str,
    now: datetime,
    shown: str = "",
    object_id: str = "",
    random: Random = os.urandom,
) -> Principal:
    """Register a user under a user principal name; `shown` is what people call them."""
    made = Principal(object_id or new_guid(random), PrincipalKind.USER, name.lower(), tenant, shown or name)
    directory.add_principal(transaction.connection(), made, now)
    set_password(transaction, made, password, now=now, random=random)
    return made


def set_password(
    transaction: Transaction, user: Principal, password: Secret, *, now: datetime, random: Random = os.urandom
) -> None:
    """Give a user this password and no other; what came of signing in with an older one counts no more."""
    connection = transaction.connection()
    for old in directory.credentials_of(connection, user.object_id):
        directory.remove_credential(connection, user.object_id, old.id)
    tickets.spend_all_of(connection, user.object_id)
    new = Credential(new_guid(random), user.object_id, hash_secret(password), now, kind=PASSWORD)
    directory.add_credential(connection, new)
    transaction.note(principal_key(user.object_id))


def new_password(random: Random = os.urandom) -> Secret:
    """A password that nobody can guess and anybody can type: 120 bits as four groups of small letters and digits."""
    text = base64.b32encode(random(_PASSWORD_BYTES)).decode().lower()
    return Secret("-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP)))
