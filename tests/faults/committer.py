"""A process that commits for as long as it lives: `python committer.py URL NAME`.

Each unit makes a subscription's resource with a secret, and leaves an entry that names it; its name is printed once the
commit is acknowledged, and never before.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from linarite.ids import ROOT
from linarite.model import Deed, Entry, Resource, Secret
from linarite.store import keyring
from linarite.store.database import Database
from linarite.store.gate import Gate
from linarite.store.memory import Memory

if TYPE_CHECKING:
    from linarite.store.transaction import Transaction

ROOT_KEY = bytes(range(32))
TYPE = "Linarite.Test/things"
AT_ONCE = 5
"""Units under way at the same time, so that commits are shared."""


def entry(name: str) -> Entry:
    return Entry(
        at=datetime.now(UTC),
        deed=Deed.WRITE,
        action=f"{TYPE}/write",
        target="/",
        caller="",
        client="",
        status=200,
        code="",
        request=name,
        correlation="",
        address="",
    )


async def commit(gate: Gate, worker: str) -> None:
    """Commit one unit after the other."""
    for number in itertools.count():
        name = f"{worker}-{number}"

        def work(transaction: Transaction, name: str = name) -> None:
            made = transaction.add(Resource(ROOT.child(TYPE, name), {}, 0))
            transaction.put_secret(made.key, "key", Secret(name))

        await gate.commit(work, lambda _, name=name: entry(name))  # type: ignore[misc]
        os.write(sys.stdout.fileno(), f"{name}\n".encode())


async def main(url: str, name: str) -> None:
    database = Database(url)
    gate = Gate(database, Memory(1000), keyring.unwrapped(database, ROOT_KEY))
    await asyncio.gather(*(commit(gate, f"{name}-{worker}") for worker in range(AT_ONCE)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
