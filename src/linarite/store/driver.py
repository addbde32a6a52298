"""The way past SQLAlchemy, to the driver of either database, for what is run at every request.

It works within a transaction that somebody else opened; it knows no connection's beginning or end, and no table.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

Execute = Callable[..., Any]
"""Runs a statement, whose parameters are written as `?`; the answer has `fetchone` and `fetchall`, of plain tuples."""

_AS_EVER = contextlib.nullcontext()

_RETRYABLE = {"40001", "40P01"}
"""SQLSTATE of a serialization failure and of a deadlock."""


def execute_of(connection: Connection) -> Execute:
    """The way past SQLAlchemy within its open transaction, for statements that are run at every request.

    Errors are the driver's own on SQLite, and SQLAlchemy's on PostgreSQL.
    """
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        run: Execute = driver.execute
        return run

    error_of_driver = connection.dialect.loaded_dbapi.Error

    def run_marked(statement: str, parameters: tuple[Any, ...] = ()) -> Any:
        try:
            return driver.execute(_marked(statement), parameters)
        except error_of_driver as error:
            raise _sqlalchemys(connection, error, statement) from error

    return run_marked


def pipelined(connection: Connection | None) -> AbstractContextManager[None]:
    """Statements that PostgreSQL is sent at once, without waiting for it after each; none of them may be SQLAlchemy's.

    An error of one comes when a later one's rows are asked for, or in the end. None is for SQLite's own connection.
    """
    if connection is None or connection.dialect.name == "sqlite":
        return _AS_EVER
    return _pipeline(connection)


@contextlib.contextmanager
def _pipeline(connection: Connection) -> Iterator[None]:
    driver: Any = connection.connection.driver_connection
    try:
        with driver.pipeline():
            yield
    except connection.dialect.loaded_dbapi.Error as error:
        raise _sqlalchemys(connection, error) from error


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


@cache
def _marked(statement: str) -> str:
    """With parameters as psycopg marks them."""
    return statement.replace("?", "%s")


def _sqlalchemys(connection: Connection, error: Any, statement: str | None = None) -> BaseException:
    """What SQLAlchemy makes of an error of PostgreSQL's driver; a connection that has ended is given up."""
    dialect = connection.dialect
    gone = dialect.is_disconnect(error, connection.connection.driver_connection, None)
    if gone:
        connection.invalidate(error)
    made: BaseException = DBAPIError.instance(
        statement,
        None,
        error,
        dialect.loaded_dbapi.Error,
        connection_invalidated=gone,
        dialect=dialect,
    )
    return made


def passing(error: Exception) -> bool:
    """Whether the same transaction may well succeed when it is tried again."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    invalidated = isinstance(error, DBAPIError) and error.connection_invalidated
    return state in _RETRYABLE or invalidated or (isinstance(cause, sqlite3.Error) and "is locked" in str(cause))
