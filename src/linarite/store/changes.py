"""Which keys changed between two versions of the state, as the `changes` table tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from linarite.store.tables import changes, state

if TYPE_CHECKING:
    from sqlalchemy import Connection


def since(connection: Connection, known: int) -> tuple[int, list[str] | None]:
    """The newest version, and the keys that changed since the one that is known; None for all."""
    version = connection.execute(select(state.c.version)).scalar_one()
    if version == known:
        return version, []
    oldest = connection.execute(select(func.min(changes.c.version))).scalar()
    if known < 0 or oldest is None or oldest > known + 1:
        return version, None
    return version, list(connection.execute(select(changes.c.key).where(changes.c.version > known)).scalars())
