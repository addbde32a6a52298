"""The trail: every release, write and refusal, in order, each entry's hash covering the one before it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import select

from linarite.model import Entry
from linarite.store.tables import stamp, state, trail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection

GENESIS = hashlib.sha256(b"linarite trail").digest()
"""What the first entry's hash covers."""


_encode_into: Callable[[Entry, bytearray], None] = msgspec.json.Encoder().encode_into


def encode(entry: Entry) -> bytearray:
    """The entry as it is kept and hashed; no `bytes`, for which Python's sqlite3 looks for an adapter each time."""
    body = bytearray()
    _encode_into(entry, body)
    return body


def decode(body: bytes) -> Entry:
    """The entry that `encode` wrote."""
    return msgspec.json.decode(body, type=Entry)


Row = tuple[int, int, bytearray, bytearray]


def chain(entries: Iterable[Entry], seq: int, last: bytes) -> list[Row]:
    """The rows of `trail` for entries that follow place `seq` with hash `last`: `seq, at, body, hash`."""
    rows: list[Row] = []
    for entry in entries:
        seq += 1
        body = encode(entry)
        last = hashlib.sha256(last + body).digest()
        rows.append((seq, stamp(entry.at), body, bytearray(last)))
    return rows


def entries(connection: Connection, after: int, most: int) -> list[tuple[int, Entry]]:
    """Entries behind a place, oldest first, with their places."""
    query = select(trail.c.seq, trail.c.body).where(trail.c.seq > after).order_by(trail.c.seq).limit(most)
    return [(row.seq, decode(row.body)) for row in connection.execute(query)]


def entries_before(connection: Connection, before: int | None, most: int) -> list[tuple[int, Entry]]:
    """Entries before a place, or the last ones of all, newest first, with their places."""
    query = select(trail.c.seq, trail.c.body).order_by(trail.c.seq.desc()).limit(most)
    if before is not None:
        query = query.where(trail.c.seq < before)
    return [(row.seq, decode(row.body)) for row in connection.execute(query)]


def length(connection: Connection) -> int:
    """How many entries there are, by what the row of `state` says."""
    return int(connection.execute(select(state.c.seq)).scalar_one())


def holds(connection: Connection, place: int, hash_: bytes | bytearray) -> bool:
    """Whether the entry at a place has that hash, which says the same of every entry before it."""
    return (
        connection.execute(select(trail.c.seq).where(trail.c.seq == place, trail.c.hash == hash_)).first() is not None
    )


def first_broken(connection: Connection, step: int = 10_000) -> int | None:
    """The first place whose entry was changed, removed, inserted or reordered; None where the whole trail holds.

    The connection sees one state, in which the row of `state` says how the trail ends.
    """
    end = connection.execute(select(state.c.seq, state.c.hash)).one()
    last, place = GENESIS, 0
    while True:
        query = select(trail).where(trail.c.seq > place).order_by(trail.c.seq).limit(step)
        rows = connection.execute(query).all()
        if not rows:
            break
        for row in rows:
            last = hashlib.sha256(last + row.body).digest()
            if row.seq != place + 1 or row.hash != last or row.at != stamp(decode(row.body).at):
                return place + 1
            place += 1
    if place != end.seq:
        return int(min(place, end.seq)) + 1
    return None if last == end.hash else max(place, 1)
