"""Long-running operations over one connection: started, claimed by lease, ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from linarite.ids import scope_of
from linarite.model import Operation, OperationState
from linarite.store.driver import execute_of
from linarite.store.statements import (
    BEGIN_OPERATION,
    END_OPERATION,
    FIND_OPERATION,
    FREE,
    KEEP_OPERATION,
    LEASE,
    RUNNING,
    RUNNING_ON,
)
from linarite.store.tables import moment, stamp

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


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


def _operation(row: tuple[Any, ...]) -> Operation:
    id_, state, due, attempts, kept = row
    body = orjson.loads(kept)
    ended = body.pop("ended")
    return Operation(
        id=id_,
        state=OperationState(state),
        due=moment(due),
        attempts=attempts,
        target=scope_of(body.pop("target")),
        started=moment(body.pop("started")),
        ended=moment(ended) if ended is not None else None,
        **body,
    )


def add(connection: Connection, operation: Operation) -> None:
    row = (operation.id, operation.target.key, operation.state, stamp(operation.due), _body(operation))
    execute_of(connection)(BEGIN_OPERATION, row)


def find(connection: Connection, id_: str) -> Operation | None:
    row = execute_of(connection)(FIND_OPERATION, (id_,)).fetchone()
    return _operation(row) if row else None


def running_on(connection: Connection, target: str) -> Operation | None:
    """The operation that is under way on a resource, if any."""
    row = execute_of(connection)(RUNNING_ON, (target, OperationState.RUNNING)).fetchone()
    return _operation(row) if row else None


def claim(connection: Connection, worker: str, now: datetime, until: datetime, most: int) -> list[Operation]:
    """Take up to `most` operations that are due and that no living worker holds, oldest first."""
    execute = execute_of(connection)
    free = execute(FREE, (OperationState.RUNNING, stamp(now), stamp(now), most)).fetchall()
    claimed = [_operation(row) for row in free]
    for one in claimed:
        execute(LEASE, (worker, stamp(until), one.id))
    return [replace(one, attempts=one.attempts + 1) for one in claimed]


def next_due(connection: Connection, now: datetime) -> datetime | None:
    """When the next operation may be claimed: when it is due, or when the lease on it ends."""
    running = execute_of(connection)(RUNNING, (OperationState.RUNNING,)).fetchall()
    times = [max(due, lease_until or 0) for due, lease_until in running]
    return moment(max(min(times), stamp(now))) if times else None


def keep(connection: Connection, operation: Operation) -> None:
    """Write how it went; for everybody else it is still running, and whoever holds it goes on holding it."""
    execute_of(connection)(KEEP_OPERATION, (_body(operation), operation.id))


def end(connection: Connection, operation: Operation) -> None:
    """Write the final state."""
    execute_of(connection)(END_OPERATION, (operation.state, _body(operation), operation.id))
