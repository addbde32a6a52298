"""The Node process behind the blob door: how it is started, how long it may take to leave, and what it asks.

host.cjs describes the line to it from the other end. When to start another one, and what the orders mean, is not known
here.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linarite.doors.blob.accounts import Question, TurnedAway
from linarite.doors.process import Child, Manner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from linarite.doors.blob.accounts import BlobDesk

HOST = Path(__file__).with_name("host.cjs")
LEAVES_WITHIN = 20.0
"""Seconds from closing its stdin until the process is asked again, by SIGTERM; it gives itself 15 to save."""
TERMINATES_WITHIN = 3.0

log = logging.getLogger("linarite.doors.blob")


async def launch(node: Path, environment: Mapping[str, str], desk: BlobDesk) -> Child:
    """Start the host; nothing is served before it is told to open."""

    async def answer(message: Mapping[str, Any]) -> Mapping[str, object]:
        return {"allowed": await _allowed(desk, message)}

    manner = Manner("Azurite", log, LEAVES_WITHIN, TERMINATES_WITHIN)
    return await Child.launch(node, HOST, environment=environment, manner=manner, answer=answer)


async def _allowed(desk: BlobDesk, message: Mapping[str, Any]) -> bool | None:
    """What the desk says; None where it cannot say anything now, which makes the door busy."""
    try:
        if "refused" in message:
            await desk.turned_away(TurnedAway(**message["refused"]))
            return True
        actions = tuple(message["actions"])
        return await desk.may(Question(message["account"], message["service"], message["oid"], actions))
    except Exception:
        log.exception("The desk could not answer: %s", message)
        return None
