"""The header by which a program proves that it stands where a resource stands, as an operator has it printed.

One for each resource, made when it is first asked for, sealed with the resource, and gone with it. That it left is on
the trail like any release.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from linarite.grants import HEADER, new_secret
from linarite.identities import has_any
from linarite.ids import parse_id
from linarite.membership import Unfit, noted
from linarite.model import Deed

if TYPE_CHECKING:
    from datetime import datetime

    from linarite.model import Secret
    from linarite.seal import Random
    from linarite.store.gate import Gate
    from linarite.store.transaction import Transaction


async def shown(gate: Gate, resource: str, *, now: datetime, random: Random = os.urandom) -> tuple[str, Secret]:
    """A resource's id as it is spelled, and its header.

    Raises:
        Unfit: there is no such resource, or it has no identity.
    """

    def work(transaction: Transaction) -> tuple[str, Secret]:
        id_ = parse_id(resource)
        found = transaction.resource(id_.key) if id_ else None
        if found is None or found.deleted_at is not None:
            raise Unfit(
                f"There is no resource '{resource}'. Name a workspace as NAME or GROUP/NAME, others by full id."
            )
        if not has_any(found):
            raise Unfit(f"The resource '{resource}' has no managed identity. Give it one: see its `identity`.")
        header = transaction.secrets(found.key).get(HEADER)
        if header is None:
            header = new_secret(random)
            transaction.put_secret(found.key, HEADER, header)
        entry = noted("Linarite/identities/header/action", found.id.text, now, random)
        transaction.entries.append(msgspec.structs.replace(entry, deed=Deed.RELEASE))
        return found.id.text, header

    return await gate.commit(work, lambda _: None)
