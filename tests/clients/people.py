"""Somebody else than the owner: an application without any role, written into the database of a running server.

There is no API to make one yet. Several processes may share a database, so this one joins for a moment.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from linarite import first_start, seal
from linarite.grants import hash_secret, new_secret
from linarite.model import Principal, PrincipalKind
from linarite.store import directory, keyring
from linarite.store.database import Database
from linarite.store.directory import Credential
from linarite.store.gate import Gate
from linarite.store.memory import Memory, principal_key

if TYPE_CHECKING:
    from linarite.store.view import Transaction
    from tests.server import Server


@dataclass(frozen=True)
class Application:
    """An application that may sign in."""

    client_id: str
    object_id: str
    secret: str


def join(server: Server) -> Application:
    """A new application of the server's tenant, which holds no role."""
    now, secret = datetime.now(UTC), new_secret()
    new = Application(str(uuid4()), str(uuid4()), secret.reveal())
    principal = Principal(
        new.object_id, PrincipalKind.SERVICE_PRINCIPAL, new.client_id, first_start.TENANT, "tester", new.client_id
    )

    def work(transaction: Transaction) -> None:
        connection = transaction.connection()
        directory.add_principal(connection, principal, now)
        directory.add_credential(connection, Credential(str(uuid4()), new.object_id, hash_secret(secret), now))
        transaction.note(principal_key(new.object_id))

    asyncio.run(_commit(server, work))
    return new


async def _commit(server: Server, work: object) -> None:
    database = Database(f"sqlite:///{server.folder / 'linarite.db'}")
    ring = keyring.unwrapped(database, seal.root_key(f"file:{server.folder / 'root.key'}", {}))
    gate = Gate(database, Memory(100), ring)
    await gate.commit(work, lambda _: None)  # type: ignore[arg-type]
    await gate.close()
