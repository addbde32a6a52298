"""Long-running operations over one connection: started, claimed by lease, ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import insert, or_, select, update

from linarite.ids import parse
from linarite.model import Operation, OperationState
from linarite.store.tables import moment, operations, stamp

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row


def _body(operation: Operation) -> bytes:
    return orjson.dumps(
        {
            "target": operation.target.text,
            "step": operation.step,
            "started": stamp(operation.started),
            "caller": operation.caller,
            "correlation": operation.correlation,
            "api_version": operation.api_version,
            "input": operation.input,
            "result": operation.result,
            "error": operation.error,
            "ended": stamp(operation.ended) if operation.ended else None,
        }
    )


def _operation(row: Row[Any]) -> Operation:
    body = orjson.loads(row.body)
    ended = body.pop("ended")
    return Operation(
        id=row.id,
        state=OperationState(row.state),
        due=moment(row.due),
        attempts=row.attempts,
        target=parse(body.pop("target")).scope,
        started=moment(body.pop("started")),
        ended=moment(ended) if ended is not None else None,
        **body,
    )


def add(connection: Connection, operation: Operation) -> None:
    connection.execute(
        insert(operations).values(
            id=operation.id,
            target=operation.target.key,
            state=operation.state,
            due=stamp(operation.due),
            attempts=0,
            body=_body(operation),
        )
    )


def find(connection: Connection, id_: str) -> Operation | None:
    row = connection.execute(select(operations).where(operations.c.id == id_)).first()
    return _operation(row) if row else None


def running_on(connection: Connection, target: str) -> Operation | None:
    """The operation that is under way on a resource, if any."""
    query = select(operations).where(operations.c.target == target, operations.c.state == OperationState.RUNNING)
    row = connection.execute(query).first()
    return _operation(row) if row else None


def claim(connection: Connection, worker: str, now: datetime, until: datetime, most: int) -> list[Operation]:
    """Take up to `most` operations that are due and that no living worker holds, oldest first."""
    free = or_(operations.c.lease_until.is_(None), operations.c.lease_until <= stamp(now))
    query = (
        select(operations)
        .where(operations.c.state == OperationState.RUNNING, operations.c.due <= stamp(now), free)
        .order_by(operations.c.due)
        .limit(most)
    )
    rows = connection.execute(query).all()
    if rows:
        connection.execute(
            update(operations)
            .where(operations.c.id.in_([row.id for row in rows]))
            .values(lease=worker, lease_until=stamp(until), attempts=operations.c.attempts + 1)
        )
    return [replace(found, attempts=found.attempts + 1) for found in map(_operation, rows)]


def next_due(connection: Connection, now: datetime) -> datetime | None:
    """When the next operation may be claimed: when it is due, or when the lease on it ends."""
    query = select(operations.c.due, operations.c.lease_until).where(operations.c.state == OperationState.RUNNING)
    times = [max(row.due, row.lease_until or 0) for row in connection.execute(query)]
    return moment(max(min(times), stamp(now))) if times else None


def keep(connection: Connection, operation: Operation) -> None:
    """Write how it went; for everybody else it is still running, and whoever holds it goes on holding it."""
    connection.execute(update(operations).where(operations.c.id == operation.id).values(body=_body(operation)))


def end(connection: Connection, operation: Operation) -> None:
    """Write the final state."""
    connection.execute(
        update(operations)
        .where(operations.c.id == operation.id)
        .values(state=operation.state, lease=None, lease_until=None, body=_body(operation))
    )
