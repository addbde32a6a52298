"""Very many rows at once, for data that a bench makes up: no unit of work, no entry, no change noted.

Only for a database that no server has open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert

from linarite.store import tables
from linarite.store.directory import principal_row
from linarite.store.resources import keep_sealed, row

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from linarite.model import Assignment, Principal, Resource
    from linarite.seal import Sealed


def add_resources(connection: Connection, many: Iterable[Resource]) -> None:
    if rows := [row(one) for one in many]:
        connection.execute(insert(tables.resources), rows)


def add_sealed(connection: Connection, many: Iterable[tuple[str, Mapping[str, Sealed]]]) -> None:
    """Sealed values by name, with the key of the resource that they belong to."""
    for owner, sealed in many:
        keep_sealed(connection, owner, {name: one.column for name, one in sealed.items()})


def add_principals(connection: Connection, many: Iterable[Principal], created: datetime) -> None:
    if rows := [principal_row(one, created) for one in many]:
        connection.execute(insert(tables.principals), rows)


def add_assignments(connection: Connection, many: Iterable[tuple[str, Assignment]]) -> None:
    """Roles that count, each with the key of its resource."""
    rows = [{"key": key, "principal": one.principal, "role": one.role, "scope": one.scope} for key, one in many]
    if rows:
        connection.execute(insert(tables.assignments), rows)
