"""The line to the server, as the process behind the notebook door sees it: doors/process.py has its other end.

It is this process's standard input and output, taken away from everything else that runs here: a kernel that writes to
its standard output, or is still there when Jupyter is gone, has nothing of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ANSWERED_WITHIN = 10.0
LEAVES_WITHIN = 10.0
"""Seconds from the end of the line until the process is gone, whatever it is doing."""


class Unanswered(Exception):
    """The server did not say: it is gone, or cannot read its state now."""


class Channel:
    """Orders in, acknowledgements and questions out; `ask` and `say` are for the event loop of `listen`."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source = source
        self._sink = sink
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    @classmethod
    def take_over(cls) -> Channel:
        """Make standard input and output the line, and standard error the log, for this very process alone.

        Descriptors that `dup` makes are not inherited, and children get /dev/null for all three.
        """
        source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
        sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace")
        sys.stdout = sys.stderr
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        return cls(source, sink)

    def first(self) -> dict[str, Any] | None:
        """The first order, before there is an event loop; None where the line has ended already."""
        line = self._source.readline()
        return json.loads(line) if line else None

    def listen(self, obey: Callable[[dict[str, Any]], None], end: Callable[[], None]) -> None:
        """Give what comes from here on to `obey`, and call `end` when the line ends, as it does with the server.

        A thread of its own reads, so that the end is seen even where the event loop is stuck.
        """
        loop = asyncio.get_running_loop()

        def read() -> None:
            for line in self._source:
                loop.call_soon_threadsafe(self._take, json.loads(line), obey)
            with contextlib.suppress(RuntimeError):  # the loop is closed: it is leaving already
                loop.call_soon_threadsafe(end)
            time.sleep(LEAVES_WITHIN)
            os._exit(1)

        threading.Thread(target=read, name="channel", daemon=True).start()

    def say(self, message: Mapping[str, object]) -> None:
        """Write a line; in vain where nobody listens any more."""
        with contextlib.suppress(OSError):
            self._sink.write(json.dumps(message).encode() + b"\n")
            self._sink.flush()

    async def ask(self, question: Mapping[str, object]) -> dict[str, Any]:
        """The server's answer.

        Raises:
            Unanswered: there is none in time, or it says that it cannot tell.
        """
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        self.say({"ask": number, **question})
        try:
            answer = await asyncio.wait_for(self._waiting[number], ANSWERED_WITHIN)
        except TimeoutError as error:
            raise Unanswered from error
        finally:
            del self._waiting[number]
        if answer.keys() == {"answer"}:
            raise Unanswered
        return answer

    def _take(self, message: dict[str, Any], obey: Callable[[dict[str, Any]], None]) -> None:
        if "do" in message:
            obey(message)
        elif (waiting := self._waiting.get(message["answer"])) is not None and not waiting.done():
            waiting.set_result(message)
