"""One life of the process behind the notebook door: orders out, acknowledgements and questions in.

The line is the process's standard input and output, a JSON object each way a line. To the process: `{"id", "do",
"with"}`, an order, and `{"answer", ...}`. From it: `{"id", "ok", ...}`, an acknowledgement; `{"ask", "token" | "pass",
"visit"}`, a question. It knows that line, and how to end the process for certain; not when to start another one.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import re
import sys
from typing import TYPE_CHECKING, Any

from linarite.doors.notebook.desk import Pass, Visit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from linarite.doors.notebook.desk import NotebookDesk

PROGRAM = "linarite.doors.notebook"
LONGEST_LINE = 1 << 20
LEAVES_WITHIN = 12.0
"""Seconds from closing its input until the process is ended; it gives itself ten for its kernels."""
LAST_WORDS_WITHIN = 1.0

_QUERY = re.compile(r"\?\S+")

log = logging.getLogger("linarite.doors.notebook")


class NotebookDoorDown(Exception):
    """The door cannot be opened or does not answer; the message is a sentence that says why."""


class OrderRefused(Exception):
    """The process could not do what it was told; the message is a sentence of its own."""


class ChildGone(Exception):
    """The process ended before it acknowledged an order."""

    def __str__(self) -> str:
        return "its process ended"


class Child:
    """A running process. `ended` is set once it is gone, whatever the reason."""

    def __init__(self, process: asyncio.subprocess.Process, desk: NotebookDesk) -> None:
        self._process = process
        self._desk = desk
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._answers: set[asyncio.Task[None]] = set()
        self.ended = asyncio.Event()
        self._listener = asyncio.create_task(self._listen())
        self._log = asyncio.create_task(self._pass_on_log())

    @classmethod
    async def launch(cls, environment: Mapping[str, str], desk: NotebookDesk) -> Child:
        """Start the process; it serves nothing before it is told to open."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # nothing is imported from the folder where the server was started
            "-m",
            PROGRAM,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
            env=dict(environment),
        )
        return cls(process, desk)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    async def order(self, verb: str, given: object = None, *, within: float) -> dict[str, Any]:
        """Tell it something; returns its acknowledgement, after the order is in force.

        Raises:
            ChildGone: it ended first. OrderRefused: it could not. TimeoutError: no word within so many seconds.
        """
        if self.ended.is_set():
            raise ChildGone
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._write({"id": number, "do": verb, "with": given})
            answer = await asyncio.wait_for(self._waiting[number], within)
        finally:
            del self._waiting[number]
        if not answer.get("ok"):
            raise OrderRefused(str(answer.get("error")))
        return answer

    async def stop(self) -> None:
        """Let it end its kernels and leave; then end it. Returns when it is gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(LEAVES_WITHIN):
                await self.ended.wait()
        except TimeoutError:
            log.warning("Jupyter (process %d) did not leave within %g s.", self.pid, LEAVES_WITHIN)
            self.kill()
            await self.ended.wait()

    def kill(self) -> None:
        """End it at once; its kernels see that it is gone and leave."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def _write(self, message: Mapping[str, object]) -> None:
        if self._process.stdin is None or self._process.stdin.is_closing():
            return  # it is leaving: whoever waits for an answer hears of its end
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _listen(self) -> None:
        async for line in _lines(self._process.stdout):
            try:
                message = json.loads(line)
            except ValueError:
                log.warning("Jupyter said something that is not of the protocol: %.200r", line)
                continue
            if "ask" in message:
                answer = asyncio.create_task(self._answer(message))
                self._answers.add(answer)
                answer.add_done_callback(self._answers.discard)
            elif (waiting := self._waiting.get(message["id"])) is not None and not waiting.done():
                waiting.set_result(message)
        await self._process.wait()
        for answer in self._answers:
            answer.cancel()
        await asyncio.wait([self._log], timeout=LAST_WORDS_WITHIN)
        self._log.cancel()
        self.ended.set()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ChildGone())

    async def _answer(self, message: Mapping[str, Any]) -> None:
        """Ask the desk; where it cannot say, the answer has no `pass` and no `good`, and nobody is let in."""
        answer: dict[str, object] = {}
        try:
            visit = Visit(**message["visit"]) if message["visit"] else None
            if "token" in message and visit is not None:
                found = await self._desk.admit(message["token"], visit)
                answer = {"pass": found.wire() if found else None}
            elif (shown := Pass.from_wire(message.get("pass"))) is not None:
                answer = {"good": await self._desk.still(shown, visit)}
        except Exception:
            log.exception("The desk could not say who may use the notebooks.")
        self._write({"answer": message["ask"], **answer})

    async def _pass_on_log(self) -> None:
        """Tornado names whole addresses where a request fails, and a query may hold a key."""
        async for line in _lines(self._process.stderr):
            log.info("jupyter: %s", _QUERY.sub("?…", line.decode(errors="replace").rstrip()))


async def _lines(stream: asyncio.StreamReader | None) -> AsyncIterator[bytes]:
    """Line by line until the end; one too long to hold is skipped."""
    while stream is not None:
        try:
            line = await stream.readline()
        except ValueError:
            continue
        if not line:
            return
        yield line
