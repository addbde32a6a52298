"""What was tried in vain, over one connection: how often, under a digest of who or what it was tried at, for a while.

The table is bounded: what has ended goes with the next try, and where it is full, what was tried least gives way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, select, update

from linarite.store.driver import execute_of
from linarite.store.statements import FORGET_TRIES, TRIED
from linarite.store.tables import stamp, tries

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

MOST = 10_000
"""Digests that are counted at the same time."""


def times(connection: Connection, digest: bytes, now: datetime) -> int:
    """How often it was tried; a count that has ended is none."""
    row = execute_of(connection)(TRIED, (digest, stamp(now))).fetchone()
    return row[0] if row else 0


def add(connection: Connection, digest: bytes, now: datetime, until: datetime) -> None:
    """Count one more; if there is no other until then, the count ends."""
    connection.execute(delete(tries).where(tries.c.until <= stamp(now)))
    more = update(tries).where(tries.c.digest == digest).values(times=tries.c.times + 1, until=stamp(until))
    if connection.execute(more).rowcount == 0:
        _make_room(connection)
        connection.execute(insert(tries).values(digest=digest, times=1, until=stamp(until)))


def _make_room(connection: Connection) -> None:
    """Forget what was tried least, and of that the oldest: who tries at ever new names is the first to be forgotten."""
    if connection.execute(select(func.count()).select_from(tries)).scalar_one() >= MOST:
        least = select(tries.c.digest).order_by(tries.c.times, tries.c.until).limit(1).scalar_subquery()
        connection.execute(delete(tries).where(tries.c.digest == least))


def take_back(connection: Connection, digest: bytes) -> None:
    """Count one less."""
    connection.execute(update(tries).where(tries.c.digest == digest, tries.c.times > 0).values(times=tries.c.times - 1))


def forget(connection: Connection, digest: bytes) -> None:
    """Begin to count anew."""
    execute_of(connection)(FORGET_TRIES, (digest,))
