"""Blobs: content by digest, kept once for a registry and given out to the repositories that have it.

A blob becomes visible in one transaction, after its file is whole, verified and on disk. Deleting takes it from one
repository; the file goes when nobody has it any more, and not at once: see `collection`. This module knows no HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from linarite.doors.registry import locks
from linarite.doors.registry.refused import refused
from linarite.whole import sync_folder

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from linarite.doors.registry.content import Content
    from linarite.doors.registry.names import Digest, Repository

_FIND = """
SELECT blob.*, can_read, can_delete, can_write FROM blob JOIN repository ON repository.id = blob.repository
WHERE name = ? AND digest = ?
"""


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob that may be read."""

    digest: Digest
    size: int
    path: Path
    seen: str
    """When a client last pushed it or made sure of it."""


def find(content: Content, repository: Repository, digest: Digest) -> Blob:
    """The blob, where the repository has it.

    Raises:
        Refused: it has not, or its content may not be read.
    """
    row = content.index.row(_FIND, repository, digest)
    path = content.blob_path(digest)
    if row is None or not path.exists():
        raise refused("BLOB_UNKNOWN", {"digest": digest})
    locks.check("read", row)
    return Blob(digest, row["size"], path, row["seen"])


async def place(content: Content, repository: Repository, digest: Digest, file: Path, size: int) -> None:
    """Move a verified, synced file to its place and give the blob to the repository, at once or not at all.

    The move is inside the transaction, for the collection of unused files also is: so none of them can take the file
    of a blob that is just coming back.

    Raises:
        Refused: the repository may not be written.
    """
    path = content.blob_path(digest)
    stamp = content.stamp()

    def unit(connection: sqlite3.Connection) -> None:
        id_ = writable(connection, repository, stamp)
        file.replace(path)
        sync_folder(path.parent)
        _give(connection, id_, digest, size, stamp)

    await content.index.write(unit)


async def mount(content: Content, repository: Repository, digest: Digest, source: Repository) -> bool:
    """Give a blob of `source` to `repository` too; False where `source` has no such blob.

    Raises:
        Refused: a lock on one of the two is in the way.
    """
    stamp = content.stamp()

    def unit(connection: sqlite3.Connection) -> bool:
        row = connection.execute(_FIND, (source, digest)).fetchone()
        if row is None:
            return False
        locks.check("read", row)
        _give(connection, writable(connection, repository, stamp), digest, row["size"], stamp)
        return True

    return await content.index.write(unit)


async def touch(content: Content, repository: Repository, digest: Digest) -> None:
    """Note that a client has just made sure of the blob and may count on it: it stays for another period of grace."""
    stamp = content.stamp()
    sql = "UPDATE blob SET seen = ? WHERE digest = ? AND repository = (SELECT id FROM repository WHERE name = ?)"
    await content.index.write(lambda connection: connection.execute(sql, (stamp, digest, repository)))


async def delete(content: Content, repository: Repository, digest: Digest) -> None:
    """Take the blob from the repository, even if a manifest refers to it, as the specification allows.

    Raises:
        Refused: the repository has no such blob, or may not lose it.
    """

    def unit(connection: sqlite3.Connection) -> None:
        row = connection.execute(_FIND, (repository, digest)).fetchone()
        if row is None:
            raise refused("BLOB_UNKNOWN", {"digest": digest})
        locks.check("delete", row)
        connection.execute("DELETE FROM blob WHERE repository = ? AND digest = ?", (row["repository"], digest))

    await content.index.write(unit)


def writable(connection: sqlite3.Connection, repository: Repository, stamp: str) -> int:
    """The row id of a repository that may be written; it is made where there is none.

    Raises:
        Refused: it may not be written.
    """
    connection.execute(
        "INSERT INTO repository (name, created, updated) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (repository, stamp, stamp),
    )
    row: sqlite3.Row = connection.execute("SELECT * FROM repository WHERE name = ?", (repository,)).fetchone()
    locks.check("write", row)
    id_: int = row["id"]
    return id_


def _give(connection: sqlite3.Connection, repository: int, digest: Digest, size: int, stamp: str) -> None:
    connection.execute(
        "INSERT INTO blob (repository, digest, size, seen) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET seen = excluded.seen",
        (repository, digest, size, stamp),
    )
