"""Somebody else than the owner: an application without any role, written into the database of a running server.

There is no API to make one yet. Several processes may share a database, so this one joins for a moment.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from linarite import first_start, seal
from linarite.grants import add_application
from linarite.store import keyring
from linarite.store.database import Database
from linarite.store.gate import Gate
from linarite.store.memory import Memory

if TYPE_CHECKING:
    from linarite.model import Principal, Secret
    from tests.server import Server


@dataclass(frozen=True)
class Application:
    """An application that may sign in."""

    client_id: str
    object_id: str
    secret: str


def join(server: Server) -> Application:
    """A new application of the server's tenant, which holds no role."""
    made, secret = asyncio.run(_join(server))
    return Application(made.client, made.object_id, secret.reveal())


async def _join(server: Server) -> tuple[Principal, Secret]:
    database = Database(f"sqlite:///{server.folder / 'linarite.db'}")
    ring = keyring.unwrapped(database, seal.root_key(f"file:{server.folder / 'root.key'}", {}))
    gate = Gate(database, Memory(100), ring)
    add = partial(add_application, name="tester", tenant=first_start.TENANT, now=datetime.now(UTC))
    try:
        return await gate.commit(add, lambda _: None)
    finally:
        await gate.close()
