"""One thread that does what coroutines hand to it, in order. It knows no database.

A change of thread through an executor costs 85 microseconds, through this queue 55 (`docs/performance.md`).
"""

from __future__ import annotations

import asyncio
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Hand:
    """Works from its first piece of work until `close`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._given: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = SimpleQueue()
        self._thread: Thread | None = None

    async def do(self, work: Callable[[], T]) -> T:
        """Answer what the work answers; it is done also if nobody waits any more."""
        if self._thread is None:
            self._thread = Thread(target=self._work, name=self._name)
            self._thread.start()
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._given.put((work, done))
        return await done

    def close(self) -> None:
        """Let it end what it was given, and wait for that."""
        if self._thread is not None:
            self._given.put(None)
            self._thread.join()
            self._thread = None

    def _work(self) -> None:
        while (given := self._given.get()) is not None:
            work, done = given
            outcome: Any = None
            error: BaseException | None = None
            try:
                outcome = work()
            except BaseException as broken:  # noqa: BLE001 - whoever waits raises it
                error = broken
            done.get_loop().call_soon_threadsafe(_settle, done, outcome, error)
            del given, work, done, outcome, error  # nothing is kept while it waits


def _settle(done: asyncio.Future[Any], outcome: Any, error: BaseException | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(outcome)
    else:
        done.set_exception(error)
