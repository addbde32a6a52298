"""Locks: the four attributes that Azure lets one change on a repository, a manifest or a tag.

Each says whether something may still be done to it: deleted, written, read, listed. A manifest or tag is also bound by
the locks of its repository. This module knows no HTTP and no tables beyond the four columns.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from linarite.doors.registry.refused import disallowed, refused

if TYPE_CHECKING:
    import sqlite3

Deed = Literal["delete", "write", "read", "list"]

_MEMBERS = {
    "deleteEnabled": "can_delete",
    "writeEnabled": "can_write",
    "readEnabled": "can_read",
    "listEnabled": "can_list",
}


@dataclass(frozen=True, slots=True)
class Locks:
    """What may be done. The fields are the columns of the same names."""

    can_delete: bool = True
    can_write: bool = True
    can_read: bool = True
    can_list: bool = True

    def document(self) -> dict[str, bool]:
        """`changeableAttributes` of Azure's metadata API."""
        return {member: getattr(self, column) for member, column in _MEMBERS.items()}

    def columns(self) -> dict[str, bool]:
        return asdict(self)


def of(row: sqlite3.Row) -> Locks:
    """The locks in a row that has the four columns."""
    return Locks(*(bool(row[column]) for column in ("can_delete", "can_write", "can_read", "can_list")))


def changed(locks: Locks, document: Any) -> Locks:
    """`locks` with the members of a PATCH body; what is left out, null or unknown changes nothing.

    Raises:
        Refused: the body is no object, or a member is no boolean.
    """
    if not isinstance(document, dict):
        raise refused("UNSUPPORTED", status=400, message="the body must be a JSON object")
    wanted = {column: document[member] for member, column in _MEMBERS.items() if document.get(member) is not None}
    if not all(isinstance(value, bool) for value in wanted.values()):
        raise refused("UNSUPPORTED", status=400, message=f"{', '.join(_MEMBERS)} must be true or false")
    return replace(locks, **wanted)


def check(deed: Deed, *rows: sqlite3.Row | None) -> None:
    """Raises `Refused` where a lock of one of these rows is in the way."""
    if any(row is not None and not row[f"can_{deed}"] for row in rows):
        raise disallowed()
