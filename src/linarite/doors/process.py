"""One life of a process behind a door: orders out, acknowledgements and questions in, and its end for certain.

The line is the process's standard input and output, a JSON object each way a line. To the process: `{"id", "do",
"with"}`, an order, and `{"answer", ...}`. From it: `{"id", "ok", ...}`, an acknowledgement; `{"ask", ...}`, a question.
What they mean is for the door to know, and when to start another process for `keeper`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from os import PathLike

    Answer = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, object]]]
    """Says what is answered to a question, and never raises."""

LONGEST_LINE = 1 << 20


class OrderRefused(Exception):
    """The process is up and could not do what it was told; the message is its own."""


class ChildGone(Exception):
    """The process ended before it acknowledged an order."""

    def __str__(self) -> str:
        return "its process ended"


@dataclass(frozen=True, slots=True)
class Manner:
    """What is particular about a process."""

    name: str
    log: logging.Logger
    leaves_within: float
    """Seconds that it has from the end of its input until it is asked again, or ended."""
    terminates_within: float | None = None
    """Seconds that it has after SIGTERM; None where it is ended without."""
    last_words_within: float | None = None
    """Seconds that its log may be open after its end, as where others write to it; None where nobody else does."""
    shown: Callable[[str], str] = str
    """A line of its log as it may be shown."""


class Child:
    """A running process. `ended` is set once it is gone, whatever the reason."""

    def __init__(self, process: asyncio.subprocess.Process, manner: Manner, answer: Answer) -> None:
        self._process = process
        self._manner = manner
        self._answer = answer
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._answers: set[asyncio.Task[None]] = set()
        self.ended = asyncio.Event()
        self._listener = asyncio.create_task(self._listen())
        self._log = asyncio.create_task(self._pass_on_log())

    @classmethod
    async def launch(
        cls, *command: str | PathLike[str], environment: Mapping[str, str], manner: Manner, answer: Answer
    ) -> Child:
        """Start a process; it serves nothing before it is told to open."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LONGEST_LINE,
            env=dict(environment),
        )
        return cls(process, manner, answer)

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
        """Let it do what it must and leave; then ask harder; then end it. Returns when it is gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        manner = self._manner
        if not await self._leaves(manner.leaves_within) and manner.terminates_within is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            await self._leaves(manner.terminates_within)
        if not self.ended.is_set():
            self.kill()
            await self.ended.wait()

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _leaves(self, within: float) -> bool:
        """Whether it is gone within so many seconds; the log says where it is not."""
        try:
            async with asyncio.timeout(within):
                await self.ended.wait()
        except TimeoutError:
            self._manner.log.warning("%s (process %d) did not leave within %g s.", self._manner.name, self.pid, within)
            return False
        return True

    def _write(self, message: Mapping[str, object]) -> None:
        if self._process.stdin is None or self._process.stdin.is_closing():
            return  # it is leaving: whoever waits for an answer hears of its end
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _listen(self) -> None:
        async for line in _lines(self._process.stdout):
            try:
                message = json.loads(line)
            except ValueError:
                said = "%s said something that is not of the protocol: %.200r"
                self._manner.log.warning(said, self._manner.name, line)
                continue
            if "ask" in message:
                answer = asyncio.create_task(self._reply(message))
                self._answers.add(answer)
                answer.add_done_callback(self._answers.discard)
            elif (waiting := self._waiting.get(message["id"])) is not None and not waiting.done():
                waiting.set_result(message)
        await self._process.wait()
        for answer in self._answers:
            answer.cancel()
        await asyncio.wait([self._log], timeout=self._manner.last_words_within)
        self._log.cancel()
        self.ended.set()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ChildGone())

    async def _reply(self, message: Mapping[str, Any]) -> None:
        self._write({"answer": message["ask"], **await self._answer(message)})

    async def _pass_on_log(self) -> None:
        async for line in _lines(self._process.stderr):
            shown = self._manner.shown(line.decode(errors="replace").rstrip())
            self._manner.log.info("%s: %s", self._manner.name.lower(), shown)


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


def reason(error: Exception) -> str:
    """What went wrong, for a sentence: the message, or the kind of error where there is none."""
    return str(error) or type(error).__name__
