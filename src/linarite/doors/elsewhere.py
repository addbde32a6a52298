"""Changes that other servers make in the database that they share with this one: its doors have to hear of them too.

Asked for at short intervals, for nothing portable would tell. A change of this server's own is told before it is
answered, and once more from here, which does no harm. This module knows no door.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from linarite.doors import behind
from linarite.errors import Unavailable

if TYPE_CHECKING:
    from linarite.engine import Follower
    from linarite.store.gate import Gate

EVERY = 1.0
"""Seconds between two questions: for so long a door of another server may take a key that was regenerated."""

log = structlog.get_logger()


async def listen(gate: Gate, version: int, tell: Follower) -> None:
    """Tell what changed after a version of the state, for as long as this is not cancelled."""
    while True:
        await asyncio.sleep(EVERY)
        try:
            (version, changed), _ = await gate.look(partial(behind.changed_since, version=version))
            if changed:
                await tell(changed)
        except Unavailable:
            continue
        except Exception:
            log.exception("the doors could not be told of a change")
