"""Keeps the process behind a door: starts it, starts another one when it dies, until it dies too often, and ends it.

What the process is told and what it asks is for the door to know; `process` has the one life of it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from linarite.doors.process import ChildGone, OrderRefused, reason

if TYPE_CHECKING:
    import logging
    from collections.abc import Awaitable, Callable

    from linarite.doors.process import Child

    Launch = Callable[[], Awaitable[Child]]
    Opening = Callable[[Child], Awaitable[str]]
    """Opens the door by a new process, and says at which address."""

OPENS_WITHIN = 60.0
"""Seconds a process may take from its start until its ports answer."""

_NOT_STARTED = (ChildGone, OrderRefused, TimeoutError, OSError)


class DoorDown(Exception):
    """The door cannot be opened or does not answer; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Restarts:
    """How often a dead process is replaced: after `first` seconds, then twice that, up to `longest`."""

    first: float = 0.1
    longest: float = 5.0
    attempts: int = 8
    """So often in a row, each within `settled` seconds of its birth; one more death closes the door for good."""
    settled: float = 30.0

    def delay(self, death: int) -> float:
        """Seconds to wait after the `death`-th death in a row, counted from 1."""
        return min(self.first * 2.0 ** (death - 1), self.longest)


GENTLE = Restarts()


class Keeper:
    """The process of one door, from `start` until `stop`."""

    def __init__(self, door: str, program: str, log: logging.Logger, restarts: Restarts) -> None:
        """`door` and `program` are what sentences call them: `The blob door`, `Azurite`."""
        self._door = door
        self._program = program
        self._log = log
        self._restarts = restarts
        self.fault: str | None = f"{door} was not started."
        """Why the door is closed, in a sentence; None while it is open, or is being opened again."""
        self.child: Child | None = None
        """The newest process, which may be opening still, or have ended."""
        self._settled = asyncio.Event()  # clear while a process is being started: one serves, or there is a fault
        self._settled.set()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def serving(self) -> Child | None:
        """The process that serves, or None while there is none."""
        child = self.child if self._settled.is_set() and self.fault is None else None
        return child if child is not None and not child.ended.is_set() else None

    @property
    def pid(self) -> int | None:
        """Its number."""
        return self.serving.pid if self.serving is not None else None

    async def start(self, launch: Launch, opening: Opening) -> None:
        """Start the process, and have it open the door.

        Raises:
            DoorDown: it did not.
        """
        begin = partial(self._begin, launch, opening)
        try:
            await begin()
        except _NOT_STARTED as error:
            raise self.failed(error) from error
        self._keeping = asyncio.create_task(self._keep(begin))

    def failed(self, error: Exception) -> DoorDown:
        """Note what keeps the door closed at its start."""
        self.fault = f"{self._program} did not start: {reason(error)}"
        return DoorDown(self.fault)

    async def stop(self) -> None:
        """Close the door; no process is left when this returns."""
        self.fault = f"{self._door} was stopped."
        self._settled.set()
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
            self._keeping = None
        if self.child is not None:
            await self.child.stop()
            self.child = None

    async def order(self, verb: str, given: object, *, within: float) -> None:
        """Tell whichever process serves; where it dies of it, its successor, so the order has to bear repetition.

        Raises:
            DoorDown: it was not acknowledged within so many seconds; a process that is silent is ended.
            OrderRefused: the process could not.
        """
        deadline = asyncio.get_running_loop().time() + within
        while True:
            child = await self._served(deadline, within)
            try:
                await child.order(verb, given, within=within)
            except ChildGone:
                continue
            except TimeoutError as error:
                child.kill()
                message = f"{self._door} did not acknowledge within {within:g} s; its process was ended."
                raise DoorDown(message) from error
            return

    async def _served(self, deadline: float, within: float) -> Child:
        """The process that serves, as soon as one does."""
        if self.fault is None and self.serving is None:
            self._settled.clear()  # it ended just now
        try:
            async with asyncio.timeout_at(deadline):
                await self._settled.wait()
        except TimeoutError as error:
            message = f"{self._door} did not come back within {within:g} s."
            raise DoorDown(message) from error
        if self.fault is not None or self.child is None:
            raise DoorDown(self.fault or f"{self._door} is closed.")
        return self.child

    async def _begin(self, launch: Launch, opening: Opening) -> None:
        self.child = child = await launch()
        try:
            where = await opening(child)
        except BaseException:
            child.kill()
            await child.ended.wait()
            raise
        self.fault = None
        self._settled.set()
        self._log.info("%s is open at %s (process %d).", self._door, where, child.pid)

    async def _keep(self, begin: Callable[[], Awaitable[None]]) -> None:
        """Replace the process each time it dies, until it has died too often."""
        clock = asyncio.get_running_loop().time
        deaths = 0
        while self.child is not None:
            born = clock()
            await self.child.ended.wait()  # as it has already where it did not start
            self._settled.clear()
            deaths = 1 if clock() - born >= self._restarts.settled else deaths + 1
            if deaths > self._restarts.attempts:
                self._give_up(deaths)
                return
            said = "%s ended; it is started again (%d of %d)."
            self._log.warning(said, self._program, deaths, self._restarts.attempts)
            await asyncio.sleep(self._restarts.delay(deaths))
            try:
                await begin()
            except _NOT_STARTED as error:
                self._log.warning("%s did not start: %s", self._program, reason(error))

    def _give_up(self, deaths: int) -> None:
        self.fault = f"{self._door} is closed: {self._program} ended {deaths} times in a row. See its log."
        self._settled.set()
        self._log.error("%s", self.fault)


class KeptDoor:
    """A door with a process of its own, as far as that goes."""

    _keeper: Keeper

    @property
    def pid(self) -> int | None:
        """The process that serves, or None while there is none."""
        return self._keeper.pid

    @property
    def fault(self) -> str | None:
        """Why the door is closed, in a sentence; None while it is open, or is being opened again."""
        return self._keeper.fault

    async def stop(self) -> None:
        """Close the door; what was stored is saved, and no process is left when this returns."""
        await self._keeper.stop()
