"""Repositories as a whole, and the locks on them, their manifests and their tags.

This module knows no HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from linarite.doors.registry import locks
from linarite.doors.registry.refused import manifest_unknown, refused

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from linarite.doors.registry.content import Content
    from linarite.doors.registry.names import Digest, Repository, Tag
    from linarite.doors.registry.refused import Refused


@dataclass(frozen=True, slots=True)
class Deleted:
    """What went with a repository."""

    manifests: list[str]
    tags: list[str]


async def delete(content: Content, repository: Repository) -> Deleted:
    """Delete a repository with everything in it.

    Raises:
        Refused: there is none, or a lock on it or on anything in it is in the way.
    """

    def unit(connection: sqlite3.Connection) -> Deleted:
        place = _place(connection, repository)
        inside = {
            table: connection.execute(f"SELECT * FROM {table} WHERE repository = ?", (place["id"],)).fetchall()  # noqa: S608
            for table in ("manifest", "tag")
        }
        locks.check("delete", place, *inside["manifest"], *inside["tag"])
        connection.execute("DELETE FROM repository WHERE id = ?", (place["id"],))
        return Deleted([row["digest"] for row in inside["manifest"]], [row["name"] for row in inside["tag"]])

    return await content.index.write(unit)


async def change(content: Content, repository: Repository, document: Any) -> None:
    """Change a repository's locks.

    Raises:
        Refused: there is no such repository, or the document is not one of locks.
    """

    def unit(connection: sqlite3.Connection) -> None:
        place = _place(connection, repository)
        _set(connection, "repository", "id = ?", [place["id"]], locks.changed(locks.of(place), document))

    await content.index.write(unit)


async def change_manifest(content: Content, repository: Repository, digest: Digest, document: Any) -> None:
    """Change a manifest's locks.

    Raises:
        Refused: there is no such manifest, or the document is not one of locks.
    """
    await _change(content, repository, ("manifest", "digest", digest), document, manifest_unknown(repository, digest))


async def change_tag(content: Content, repository: Repository, tag: Tag, document: Any) -> None:
    """Change a tag's locks.

    Raises:
        Refused: there is no such tag, or the document is not one of locks.
    """
    await _change(content, repository, ("tag", "name", tag), document, refused("TAG_UNKNOWN"))


async def _change(
    content: Content, repository: Repository, where: tuple[str, str, str], document: Any, unknown: Refused
) -> None:
    table, column, value = where
    condition = f"repository = ? AND {column} = ?"

    def unit(connection: sqlite3.Connection) -> None:
        keys = [_place(connection, repository)["id"], value]
        row = connection.execute(f"SELECT * FROM {table} WHERE {condition}", keys).fetchone()  # noqa: S608
        if row is None:
            raise unknown
        _set(connection, table, condition, keys, locks.changed(locks.of(row), document))

    await content.index.write(unit)


def _place(connection: sqlite3.Connection, repository: Repository) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM repository WHERE name = ?", (repository,)).fetchone()
    if row is None:
        raise refused("NAME_UNKNOWN", {"name": repository})
    return row


def _set(connection: sqlite3.Connection, table: str, condition: str, keys: Sequence[Any], wanted: locks.Locks) -> None:
    columns = wanted.columns()
    assignments = ", ".join(f"{column} = ?" for column in columns)
    connection.execute(f"UPDATE {table} SET {assignments} WHERE {condition}", [*columns.values(), *keys])  # noqa: S608
