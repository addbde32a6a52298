"""Manifests and tags of a repository: pushing, pulling, deleting, and finding those that refer to another.

A push is one transaction: the manifest, what it refers to, its tag, its place among the referrers. This module knows
no HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from linarite.doors.registry import locks
from linarite.doors.registry.attributes import attributes
from linarite.doors.registry.blobs import writable
from linarite.doors.registry.names import Tag, algorithm, digest_of, find_digest
from linarite.doors.registry.refused import disallowed, manifest_unknown, refused, refused_for_each

if TYPE_CHECKING:
    import sqlite3

    from linarite.doors.registry.content import Content
    from linarite.doors.registry.manifest import Manifest
    from linarite.doors.registry.names import Digest, Repository

_BY_DIGEST = """
SELECT manifest.*, repository.can_read AS repository_read
FROM manifest JOIN repository ON repository.id = manifest.repository
WHERE name = ? AND digest = ?
"""
_BY_TAG = """
SELECT manifest.*, repository.can_read AND tag.can_read AS repository_read
FROM tag JOIN repository ON repository.id = tag.repository
JOIN manifest ON manifest.repository = tag.repository AND manifest.digest = tag.digest
WHERE repository.name = ? AND tag.name = ?
"""
_REFERRERS = """
SELECT digest, media_type, artifact_type, annotations, size
FROM manifest JOIN repository ON repository.id = manifest.repository
WHERE name = ? AND subject = ? AND digest > ? AND (? IS NULL OR artifact_type = ?)
ORDER BY digest LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A manifest as it was pushed."""

    digest: Digest
    media_type: str
    body: bytes


def find(content: Content, repository: Repository, reference: Tag | Digest) -> Stored:
    """The manifest of a digest, or the one that a tag names now.

    Raises:
        Refused: there is none, or it may not be read.
    """
    row = content.index.row(_BY_DIGEST if find_digest(reference) else _BY_TAG, repository, reference)
    if row is None:
        raise manifest_unknown(repository, reference)
    if not (row["can_read"] and row["repository_read"]):
        raise disallowed()
    return Stored(row["digest"], row["media_type"], row["body"])


async def put(content: Content, repository: Repository, reference: Tag | Digest, manifest: Manifest) -> Digest:
    """Keep a manifest, under a tag or under its digest alone, and return the digest.

    Raises:
        Refused: the digest is not the body's, something the manifest refers to is not here, or a lock is in the way.
    """
    asked = find_digest(reference)
    digest = digest_of(manifest.body, algorithm(asked)) if asked else digest_of(manifest.body)
    if asked not in {None, digest}:
        raise refused("DIGEST_INVALID", {"digest": asked})
    stamp = content.stamp()

    def unit(connection: sqlite3.Connection) -> None:
        id_ = writable(connection, repository, stamp)
        _check_references(connection, id_, manifest)
        _keep(connection, id_, digest, manifest, told=attributes(content, manifest), stamp=stamp)
        if asked is None:
            _point(connection, id_, Tag(reference), digest, stamp)
        connection.execute("UPDATE repository SET updated = ? WHERE id = ?", (stamp, id_))

    await content.index.write(unit)
    return digest


async def delete(content: Content, repository: Repository, digest: Digest) -> None:
    """Delete a manifest and all its tags. What it referred to stays until it is collected.

    Raises:
        Refused: there is no such manifest, or a lock is in the way.
    """

    def unit(connection: sqlite3.Connection) -> None:
        place = _repository(connection, repository)
        found = place and _row(connection, "SELECT * FROM manifest", place["id"], "digest", digest)
        if place is None or found is None:
            raise manifest_unknown(repository, digest)
        tags = connection.execute("SELECT * FROM tag WHERE repository = ? AND digest = ?", (place["id"], digest))
        locks.check("delete", place, found, *tags.fetchall())
        connection.execute("DELETE FROM manifest WHERE repository = ? AND digest = ?", (place["id"], digest))
        _updated(connection, place, content.stamp())

    await content.index.write(unit)


async def untag(content: Content, repository: Repository, tag: Tag) -> Digest | None:
    """Delete a tag, leave the manifest, and return the manifest's digest; None where there is no such tag.

    Raises:
        Refused: a lock is in the way.
    """

    def unit(connection: sqlite3.Connection) -> Digest | None:
        place = _repository(connection, repository)
        found = place and _row(connection, "SELECT * FROM tag", place["id"], "name", tag)
        if place is None or found is None:
            return None
        locks.check("delete", place, found)
        connection.execute("DELETE FROM tag WHERE repository = ? AND name = ?", (place["id"], tag))
        _updated(connection, place, content.stamp())
        digest: Digest = found["digest"]
        return digest

    return await content.index.write(unit)


def referrers(
    content: Content, repository: Repository, subject: Digest, *, artifact_type: str | None, after: str, most: int
) -> list[dict[str, Any]]:
    """Descriptors of the manifests that have this subject, by digest, beginning after one, at most `most`.

    Neither repository nor subject need exist: the specification wants an empty list then.
    """
    rows = content.index.rows(_REFERRERS, repository, subject, after, artifact_type, artifact_type, most)
    return [_referrer(row) for row in rows]


def _referrer(row: sqlite3.Row) -> dict[str, Any]:
    descriptor: dict[str, Any] = {"mediaType": row["media_type"], "digest": row["digest"], "size": row["size"]}
    if row["artifact_type"] is not None:
        descriptor["artifactType"] = row["artifact_type"]
    annotations = orjson.loads(row["annotations"])
    return {**descriptor, "annotations": annotations} if annotations else descriptor


def _check_references(connection: sqlite3.Connection, repository: int, manifest: Manifest) -> None:
    """The subject may be missing, so that a manifest and its referrers may come in either order."""
    missing = [
        descriptor.digest
        for table, descriptors in (("blob", manifest.blobs), ("manifest", manifest.manifests))
        for descriptor in descriptors
        if not descriptor.elsewhere
        and _row(connection, f"SELECT 1 FROM {table}", repository, "digest", descriptor.digest) is None  # noqa: S608
    ]
    if missing:
        raise refused_for_each("MANIFEST_BLOB_UNKNOWN", [{"digest": digest} for digest in dict.fromkeys(missing)])


def _keep(
    connection: sqlite3.Connection,
    repository: int,
    digest: Digest,
    manifest: Manifest,
    *,
    told: dict[str, Any],
    stamp: str,
) -> None:
    connection.execute(
        "INSERT INTO manifest (repository, digest, media_type, artifact_type, subject, annotations, attributes, size,"
        " body, created, updated) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET media_type = excluded.media_type, updated = excluded.updated",
        (
            repository,
            digest,
            manifest.media_type,
            manifest.artifact_type,
            manifest.subject.digest if manifest.subject else None,
            orjson.dumps(manifest.annotations).decode(),
            orjson.dumps(told).decode(),
            len(manifest.body),
            manifest.body,
            stamp,
            stamp,
        ),
    )
    connection.executemany(
        "INSERT INTO reference (repository, manifest, blob) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(repository, digest, descriptor.digest) for descriptor in manifest.blobs],
    )


def _point(connection: sqlite3.Connection, repository: int, tag: Tag, digest: Digest, stamp: str) -> None:
    """Let a tag name a manifest; a locked tag may only be pushed again as it is."""
    found = _row(connection, "SELECT * FROM tag", repository, "name", tag)
    if found is not None and found["digest"] != digest:
        locks.check("write", found)
    connection.execute(
        "INSERT INTO tag (repository, name, digest, created, updated) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET digest = excluded.digest, updated = excluded.updated",
        (repository, tag, digest, stamp, stamp),
    )


def _repository(connection: sqlite3.Connection, name: Repository) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM repository WHERE name = ?", (name,)).fetchone()
    return row


def _row(connection: sqlite3.Connection, select: str, repository: int, column: str, value: str) -> sqlite3.Row | None:
    sql = f"{select} WHERE repository = ? AND {column} = ?"
    row: sqlite3.Row | None = connection.execute(sql, (repository, value)).fetchone()
    return row


def _updated(connection: sqlite3.Connection, repository: sqlite3.Row, stamp: str) -> None:
    connection.execute("UPDATE repository SET updated = ? WHERE id = ?", (stamp, repository["id"]))
