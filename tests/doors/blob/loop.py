"""For tests whose clients block: an event loop that turns in a thread of its own, and waiting for what it brings."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

Run = Callable[["Coroutine[Any, Any, Any]"], Any]
"""Runs a coroutine on the loop and returns its result, or raises what it raised."""


@contextlib.contextmanager
def turning_loop(name: str) -> Iterator[Run]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=name, daemon=True)
    thread.start()
    try:
        yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(60)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def eventually(condition: Callable[[], object], within: float = 20.0) -> None:
    """Return once it holds; a failure, if it does not in time."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within} s"
        threading.Event().wait(0.02)
