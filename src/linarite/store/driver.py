"""The way past SQLAlchemy, to the driver of either database, for what is run at every request.

It works within a transaction that somebody else opened; it knows no connection's beginning or end, and no table.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

Execute = Callable[..., Any]
"""Runs a statement, whose parameters are written as `?`; the answer has `fetchone` and `fetchall`, of plain tuples."""

_RETRYABLE = {"40001", "40P01"}
"""SQLSTATE of a serialization failure and of a deadlock."""


def execute_of(connection: Connection) -> Execute:
    """The way past SQLAlchemy within its open transaction, for statements that are run at every request.

    On SQLite its errors are the driver's own.
    """
    if connection.dialect.name == "sqlite":
        run: Execute = connection.connection.driver_connection.execute  # type: ignore[union-attr]
        return run

    def marked(statement: str, parameters: tuple[Any, ...] = ()) -> Any:
        return connection.exec_driver_sql(statement.replace("?", "%s"), parameters)

    return marked


@contextlib.contextmanager
def savepoint(connection: Connection) -> Iterator[None]:
    """A part of a transaction that an exception undoes alone. It may have such parts itself."""
    execute = execute_of(connection)
    execute("SAVEPOINT part")
    try:
        yield
    except BaseException:
        if not connection.invalidated:
            execute("ROLLBACK TO SAVEPOINT part")
            execute("RELEASE SAVEPOINT part")
        raise
    execute("RELEASE SAVEPOINT part")


def passing(error: Exception) -> bool:
    """Whether the same transaction may well succeed when it is tried again."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    invalidated = isinstance(error, DBAPIError) and error.connection_invalidated
    return state in _RETRYABLE or invalidated or (isinstance(cause, sqlite3.Error) and "is locked" in str(cause))
