"""Which keys changed between two versions of the state, as the `changes` table tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linarite.store.driver import execute_of, pipelined
from linarite.store.statements import CHANGED, OLDEST_CHANGE, VERSION

if TYPE_CHECKING:
    from sqlalchemy import Connection


def since(connection: Connection, known: int) -> tuple[int, list[str] | None]:
    """The newest version, and the keys that changed since the one that is known; None for all."""
    execute = execute_of(connection)
    with pipelined(connection):  # with the beginning of the transaction
        [version] = execute(VERSION).fetchone()
    if version == known:
        return version, []
    [oldest] = execute(OLDEST_CHANGE).fetchone()
    if not 0 <= known < version or oldest is None or oldest > known + 1:
        return version, None
    return version, [key for (key,) in execute(CHANGED, (known,)).fetchall()]
