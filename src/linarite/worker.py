"""Carries out long-running operations: claims what is due by lease, runs it through the engine, sleeps till the next.

Any number of workers may share a database. One that dies keeps its lease until it ends; then another goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from linarite import background
from linarite.errors import Refusal
from linarite.store import operations

if TYPE_CHECKING:
    from datetime import datetime

    from linarite.engine import Engine
    from linarite.model import Operation

LEASE = timedelta(seconds=30)
IDLE = 5.0
"""Seconds after which a worker looks again without being told: for the operations of workers that died."""

_AT_ONCE = 16

log = structlog.get_logger()


class Worker:
    """One worker; `run` it until it is cancelled."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self._name = name
        self._told = asyncio.Event()
        self._due: datetime | None = None
        engine.on_operation = self._told.set

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._told.clear()
            try:
                claimed = await self._claim()
                for operation in claimed:
                    await self._carry_out(operation)
                if not claimed:
                    await self._rest()
            except Refusal as refusal:
                log.warning("long-running operations cannot be carried out now", why=refusal.message)
                await asyncio.sleep(IDLE)

    async def _claim(self) -> list[Operation]:
        now = self._engine.clock()
        self._due, _ = await self._engine.gate.look(lambda view: operations.next_due(view.connection(), now))
        if self._due is None or self._due > now:
            return []
        return await self._engine.gate.commit(
            lambda transaction: operations.claim(transaction.connection(), self._name, now, now + LEASE, _AT_ONCE),
            lambda _: None,
        )

    async def _carry_out(self, operation: Operation) -> None:
        try:
            await background.run(self._engine, operation)
        except Refusal:
            raise
        except Exception:
            log.exception("a long-running operation broke", operation=operation.id, step=operation.step)

    async def _rest(self) -> None:
        """Sleep until something is due, or there is something new."""
        wait = IDLE
        if self._due is not None:
            wait = min(IDLE, max(0.0, (self._due - self._engine.clock()).total_seconds()))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), wait)
