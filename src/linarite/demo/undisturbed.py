"""What must be done to its end, whatever signal comes meanwhile."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end a program."""


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Hold back the signals that end a program, unless they are ignored, and let the last one through at the end.

    They are caught and not blocked: a process that is started meanwhile would inherit that it may not be stopped.
    """
    held: list[int] = []

    def hold(number: int, _: Any) -> None:
        held.append(number)

    before = {number: signal.signal(number, hold) for number in ENDING if signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if held:
            signal.raise_signal(held[-1])
