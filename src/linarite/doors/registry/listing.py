"""Lists: repositories, tags and manifests, page by page, in the order and with the attributes of Azure's metadata API.

This module reads the index and makes JSON documents; it knows no HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import orjson

from linarite.doors.registry import locks
from linarite.doors.registry.refused import manifest_unknown, refused

if TYPE_CHECKING:
    import sqlite3

    from linarite.doors.registry.content import Content
    from linarite.doors.registry.names import Digest, Repository, Tag

Order = Literal["", "timeasc", "timedesc"]
"""By name or digest, or by the time of the last update."""

_CATALOG = """
SELECT name FROM repository WHERE name > ? AND can_list
AND EXISTS (SELECT 1 FROM manifest WHERE manifest.repository = repository.id)
ORDER BY name LIMIT ?
"""
_COUNTS = """
SELECT (SELECT count(*) FROM manifest WHERE repository = :id) AS manifests,
(SELECT count(*) FROM tag WHERE repository = :id) AS tags
"""
_KEYS = {"tag": "name", "manifest": "digest"}
_ORDERS: dict[Order, tuple[str, str]] = {
    "": ("{key} > :last", "{key}"),
    "timeasc": ("(updated, {key}) > (:since, :last)", "updated, {key}"),
    "timedesc": ("(:since = '' OR (updated, {key}) < (:since, :last))", "updated DESC, {key} DESC"),
}
"""For each order: which rows come after the last one seen, and the ORDER BY."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list is wanted: at most so many, after the last one seen.

    In the orders by time, `since` is the update time of that last one: it may be gone by the time its page is followed
    by the next, as when a client deletes what it lists.
    """

    most: int
    last: str = ""
    order: Order = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list. `next` is the window after it, or None at the end."""

    entries: list[Any]
    next: Window | None


def catalog(content: Content, window: Window) -> Page:
    """Names of the repositories that hold a manifest."""
    rows = content.index.rows(_CATALOG, window.last, window.most + 1)
    return _page(rows, window, "name", lambda row: row["name"])


def tag_names(content: Content, repository: Repository, window: Window) -> Page:
    """Tags of a repository.

    Raises:
        Refused: there is no such repository.
    """
    rows = _rows(content, "tag", _known(content, repository)["id"], window)
    return _page(rows, window, "name", lambda row: row["name"])


def tags(content: Content, repository: Repository, window: Window, digest: str | None) -> Page:
    """Tags with their attributes, perhaps only those of one manifest.

    Raises:
        Refused: there is no such repository.
    """
    rows = _rows(content, "tag", _known(content, repository)["id"], window, digest)
    return _page(rows, window, "name", tag_document)


def manifests(content: Content, repository: Repository, window: Window) -> Page:
    """Manifests with their attributes and tags.

    Raises:
        Refused: there is no such repository.
    """
    id_ = _known(content, repository)["id"]
    rows = _rows(content, "manifest", id_, window)
    return _page(rows, window, "digest", lambda row: manifest_document(row, _tags_of(content, row)))


def repository_properties(content: Content, repository: Repository) -> dict[str, Any]:
    """A repository's attributes.

    Raises:
        Refused: there is no such repository.
    """
    row = _known(content, repository)
    (counts,) = content.index.rows(_COUNTS, id=row["id"])
    return {
        "imageName": repository,
        "createdTime": row["created"],
        "lastUpdateTime": row["updated"],
        "manifestCount": counts["manifests"],
        "tagCount": counts["tags"],
        "changeableAttributes": locks.of(row).document(),
    }


def tag_properties(content: Content, repository: Repository, tag: Tag) -> dict[str, Any]:
    """A tag's attributes.

    Raises:
        Refused: there is no such repository or no such tag.
    """
    id_ = _known(content, repository)["id"]
    row = content.index.row("SELECT * FROM tag WHERE repository = ? AND name = ?", id_, tag)
    if row is None:
        raise refused("TAG_UNKNOWN")
    return tag_document(row)


def manifest_properties(content: Content, repository: Repository, digest: Digest) -> dict[str, Any]:
    """A manifest's attributes.

    Raises:
        Refused: there is no such repository or no such manifest.
    """
    id_ = _known(content, repository)["id"]
    row = content.index.row("SELECT * FROM manifest WHERE repository = ? AND digest = ?", id_, digest)
    if row is None:
        raise manifest_unknown(repository, digest)
    return manifest_document(row, _tags_of(content, row))


def tag_document(row: sqlite3.Row) -> dict[str, Any]:
    return {
        "name": row["name"],
        "digest": row["digest"],
        "createdTime": row["created"],
        "lastUpdateTime": row["updated"],
        "signed": False,
        "changeableAttributes": locks.of(row).document(),
    }


def manifest_document(row: sqlite3.Row, tags: list[str]) -> dict[str, Any]:
    told = orjson.loads(row["attributes"])
    references = {"references": told.pop("references")} if "references" in told else {}
    return {
        "digest": row["digest"],
        "imageSize": told.pop("imageSize"),
        "createdTime": row["created"],
        "lastUpdateTime": row["updated"],
        **told,
        **({"tags": tags} if tags else {}),
        "changeableAttributes": locks.of(row).document(),
        **references,
    }


def _known(content: Content, repository: Repository) -> sqlite3.Row:
    row = content.index.row("SELECT * FROM repository WHERE name = ?", repository)
    if row is None:
        raise refused("NAME_UNKNOWN", {"name": repository})
    return row


def _rows(
    content: Content, table: Literal["tag", "manifest"], repository: int, window: Window, digest: str | None = None
) -> list[sqlite3.Row]:
    key = _KEYS[table]
    after, by = (text.format(key=key) for text in _ORDERS[window.order])
    sql = (
        f"SELECT * FROM {table} WHERE repository = :repository AND can_list "  # noqa: S608 - words from this module
        f"AND (:digest IS NULL OR digest = :digest) AND {after} ORDER BY {by} LIMIT :most"
    )
    return content.index.rows(
        sql, repository=repository, digest=digest, last=window.last, since=window.since, most=window.most + 1
    )


def _page(rows: list[sqlite3.Row], window: Window, key: str, document: Any) -> Page:
    """One row more than wanted was read: it tells whether there is a next page."""
    shown = rows[: window.most]
    if len(rows) <= window.most or not shown:
        return Page([document(row) for row in shown], None)
    since = shown[-1]["updated"] if window.order else ""
    following = Window(window.most, shown[-1][key], window.order, since)
    return Page([document(row) for row in shown], following)


def _tags_of(content: Content, row: sqlite3.Row) -> list[str]:
    sql = "SELECT name FROM tag WHERE repository = ? AND digest = ? ORDER BY name"
    return [found["name"] for found in content.index.rows(sql, row["repository"], row["digest"])]
