"""Reading and writing resources, their secrets and the roles that hang on them, over one connection."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
import orjson
from sqlalchemy import delete, insert, select

from linarite.ids import scope_of
from linarite.model import Assignment, Fault, Lock, Resource
from linarite.store.driver import execute_of
from linarite.store.statements import ADD, FIND, FIND_AT, HELD, KEEP, REWRITE, page
from linarite.store.tables import assignments, moment, resources, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection, Select

    from linarite.ids import ResourceId
    from linarite.model import Body
    from linarite.store.driver import Execute

_COLUMNS = (resources.c.id, resources.c.body, resources.c.version, resources.c.deleted_at)


Row = tuple[str, bytes, int, int | None, bytes | None]
"""Of a resource: its id, its body as JSON, its version, the stamp of its end if it is soft-deleted, and its secrets."""

_Boxes = dict[str, bytes]
_unpack = msgspec.msgpack.Decoder(_Boxes).decode


def resource_of(row: Row | Any) -> Resource:
    """What a row says."""
    id_, body, version, deleted_at = row[:4]
    return Resource(scope_of(id_), orjson.loads(body), version, moment(deleted_at) if deleted_at is not None else None)


def row_of(connection: Connection, key: str) -> Row | None:
    """The row of the resource with that key, soft-deleted ones included."""
    found: Row | None = execute_of(connection)(FIND, (key,)).fetchone()
    return found


def row_at(execute: Execute, key: str) -> tuple[int, Row | None]:
    """The version of the committed state and the row there, without a transaction."""
    version, *columns = execute(FIND_AT, (key,)).fetchone()
    return version, None if columns[0] is None else tuple(columns)


def find(connection: Connection, key: str) -> Resource | None:
    """The resource with that key, soft-deleted ones included."""
    row = row_of(connection, key)
    return resource_of(row) if row else None


def children(
    connection: Connection,
    *,
    parent: str | None,
    subscription: str | None,
    type_: str,
    after: str,
    most: int,
    deleted: bool = False,
) -> Iterator[Resource]:
    """Resources of one type, by key, after the given key: directly below a parent, or anywhere in a subscription.

    `type_` may be empty for all types. Soft-deleted ones are left out, or with `deleted` everything else is. Each is
    made of its row when it is its turn: a thousand at once are ten megabytes, and lie in no cache.
    """
    named = {"parent": parent, "subscription": subscription, "type": type_.lower() or None}
    where = {column: value for column, value in named.items() if value is not None}
    statement = page(tuple(where), deleted=deleted)
    return map(resource_of, execute_of(connection)(statement, (*where.values(), after, most)).fetchall())


def below(connection: Connection, type_: str, scope: str) -> list[Resource]:
    """Resources of a type at a scope or anywhere below it, by key."""
    prefix = scope.rstrip("/") + "/"
    # Not a range of keys: PostgreSQL may order texts by a language's rules, which pass over slashes.
    query = select(*_COLUMNS).where(
        resources.c.type == type_.lower(), resources.c.key.startswith(prefix, autoescape=True)
    )
    return [resource_of(row) for row in connection.execute(query.order_by(resources.c.key))]


def at(connection: Connection, type_: str, scope: str) -> list[Resource]:
    """Resources of an extension type right at a scope, `/` for the tenant's root."""
    parent = resources.c.parent.is_(None) if scope == "/" else resources.c.parent == scope
    query = select(*_COLUMNS).where(parent, resources.c.type == type_.lower()).order_by(resources.c.key)
    return [resource_of(row) for row in connection.execute(query)]


def named(connection: Connection, type_: str, name: str) -> list[Resource]:
    """Resources of a type with that name, anywhere, soft-deleted ones left out."""
    query = select(*_COLUMNS).where(
        resources.c.type == type_.lower(), resources.c.name == name.lower(), resources.c.deleted_at.is_(None)
    )
    return [resource_of(row) for row in connection.execute(query)]


def locks(connection: Connection) -> list[Lock]:
    """Every lock, with the scope that it stands at."""
    query = select(*_COLUMNS).where(resources.c.type == "microsoft.authorization/locks")
    found = [resource_of(row) for row in connection.execute(query)]
    return [Lock(one.id.text, one.id.parent.key if one.id.parent else "/", one.properties["level"]) for one in found]


def faults(connection: Connection) -> list[Fault]:
    """The faults on purpose that may still strike, by name."""
    query = select(*_COLUMNS).where(resources.c.type == "linarite.testing/faults").order_by(resources.c.name)
    found = [resource_of(row) for row in connection.execute(query)]
    return [_fault(one.id, one.properties) for one in found if not is_spent(one)]


def is_spent(fault: Resource) -> bool:
    """Whether a fault has struck as often as it may."""
    count = fault.properties.get("count")
    return count is not None and fault.properties["struck"] >= count


def _fault(id_: ResourceId, properties: Body) -> Fault:
    return Fault(
        id_,
        what=properties["fault"],
        path=properties["path"],
        method=properties["method"].upper(),
        client=properties.get("client", "").lower(),
        chance=properties["chance"],
        seconds=properties.get("seconds"),
        claims=properties.get("claims", ""),
    )


def add(connection: Connection, resource: Resource) -> None:
    """Write a new resource; its parent must be there, unless it is a subscription or stands at the tenant's root."""
    execute_of(connection)(ADD, tuple(row(resource).values()))


def row(resource: Resource) -> dict[str, Any]:
    """A new resource as its table has it, in the order of the statement that adds it."""
    parent = resource.id.parent
    return {
        "key": resource.key,
        "parent": parent.key if parent and parent.parent else None,
        "subscription": (resource.id.subscription or "").lower(),
        "type": resource.type.lower(),
        "name": resource.name.lower(),
        "id": resource.id.text,
        "body": orjson.dumps(resource.body),
        "version": resource.version,
    }


def rewrite(connection: Connection, resource: Resource) -> tuple[bytes, int, int | None]:
    """Write a resource again; answers what its row has between its id and its secrets."""
    written = orjson.dumps(resource.body), resource.version, stamp(resource.deleted_at) if resource.deleted_at else None
    execute_of(connection)(REWRITE, (*written, resource.key))
    return written


def _subtree(key: str) -> Select[str]:
    below = select(resources.c.key).where(resources.c.key == key).cte("below", recursive=True)
    below = below.union_all(select(resources.c.key).join(below, resources.c.parent == below.c.key))
    return select(below.c.key)


def subtree(connection: Connection, key: str) -> list[str]:
    """Keys of a resource and of everything below it."""
    return list(connection.execute(_subtree(key)).scalars())


def remove(connection: Connection, key: str) -> None:
    """Delete a resource; what hangs on it goes with it."""
    connection.execute(delete(resources).where(resources.c.key == key))


def boxes_of(row: Row | None) -> Mapping[str, bytes]:
    """All sealed values of a resource, by name, as they are in its row."""
    return _boxes(row[4]) if row and row[4] else {}


@lru_cache(maxsize=64)
def _boxes(sealed: bytes) -> Mapping[str, bytes]:
    """What somebody wants of it is asked for one by one."""
    return _unpack(sealed)


def keep_sealed(connection: Connection, owner: str, boxes: Mapping[str, bytes]) -> bytes | None:
    """Write all sealed values of a resource; answers them as its row has them."""
    sealed = msgspec.msgpack.encode(boxes) if boxes else None
    execute_of(connection)(KEEP, (sealed, owner))
    return sealed


def put_assignment(connection: Connection, key: str, assignment: Assignment) -> None:
    connection.execute(delete(assignments).where(assignments.c.key == key))
    connection.execute(
        insert(assignments).values(
            key=key, principal=assignment.principal, role=assignment.role, scope=assignment.scope
        )
    )


def assignments_of(connection: Connection, principal: str) -> tuple[Assignment, ...]:
    """The roles a principal holds, anywhere."""
    return tuple(Assignment(*row) for row in execute_of(connection)(HELD, (principal,)).fetchall())


def assignment_keys(connection: Connection, principal: str) -> list[str]:
    """Keys of the roleAssignments resources that make a principal's roles count."""
    query = select(assignments.c.key).where(assignments.c.principal == principal).order_by(assignments.c.key)
    return list(connection.execute(query).scalars())


def assigned(connection: Connection, role: str) -> dict[str, Assignment]:
    """Who holds a role, by the keys of the roleAssignments resources."""
    rows = connection.execute(select(assignments).where(assignments.c.role == role).order_by(assignments.c.key))
    return {row.key: Assignment(row.principal, row.role, row.scope) for row in rows}


def holders(connection: Connection) -> set[str]:
    """Who holds any role anywhere, in the directory or not."""
    return set(connection.execute(select(assignments.c.principal)).scalars())


def assigned_principals(connection: Connection, key: str) -> set[str]:
    """Who holds roles that go with a resource: assignments at it, and at everything below it."""
    query = select(assignments.c.principal).where(assignments.c.key.in_(_subtree(key)))
    return set(connection.execute(query).scalars())
