"""A look at a database from outside, for the doctor: whether it can be read, and how long its trail is."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from linarite.store.database import DatabaseTrouble, throwaway_engine
from linarite.store.tables import state


def take(url: str) -> tuple[str, int]:
    """The kind of database, and the number of entries on the trail.

    Raises:
        DatabaseTrouble: it cannot be read.
    """
    engine = throwaway_engine(url)
    try:
        with engine.connect() as connection:
            return engine.dialect.name, connection.execute(select(state.c.seq)).scalar_one()
    except SQLAlchemyError as error:
        detail = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        message = f"It cannot be read: {detail}. See that it runs and that LINARITE_DATABASE names it."
        raise DatabaseTrouble(message) from error
    finally:
        engine.dispose()
