"""The steps from one layout of the tables to the next, run with Alembic.

Alembic is imported only when there is a step to take: a start on an up-to-date database pays for one query.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from linarite.store.database import Database, DatabaseTrouble

if TYPE_CHECKING:
    from sqlalchemy import Connection

NEWEST = "0006"
"""The revision that this version of Linarite reads and writes."""


def bring_up(url: str) -> None:
    """Bring the database at `url` to the newest layout, whole or not at all; an empty one gets all tables.

    Raises:
        DatabaseTrouble: it cannot be reached, or was written by a newer version.
    """
    database = Database(url)
    try:
        if _found(database) == NEWEST:
            return
        with database.writing() as connection:
            upgrade(connection)
    except DatabaseTrouble:
        raise
    except Exception as error:
        if _brought_up_meanwhile(database):
            return
        detail = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        message = f"The database cannot be opened: {detail}. See that it runs, and that --database or --data names it."
        raise DatabaseTrouble(message) from error
    finally:
        database.close()


def _found(database: Database) -> str | None:
    """The layout that the database has, if a step leads on from it."""
    with database.reading() as connection:
        found = revision(connection)
    _known(found)
    return found


def _brought_up_meanwhile(database: Database) -> bool:
    """Whether the steps failed because another process took them at the same time."""
    try:
        return _found(database) == NEWEST
    except SQLAlchemyError:
        return False


def _known(found: str | None) -> None:
    """Refuse a layout that no step leads on from."""
    known = {path.name[:4] for path in Path(__file__).with_name("versions").glob("[0-9]*.py")}
    if found is not None and found not in known:
        message = (
            f"The database was written by another version of Linarite (layout {found}; this version knows {NEWEST}). "
            "Use the version that wrote it, or start with another --data folder."
        )
        raise DatabaseTrouble(message)


def revision(connection: Connection) -> str | None:
    """The layout that the database has; None where it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def upgrade(connection: Connection, revision: str = NEWEST) -> None:
    """Take the steps up to a layout, in an open transaction."""
    command = importlib.import_module("alembic.command")
    config = importlib.import_module("alembic.config").Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
