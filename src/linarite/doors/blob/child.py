"""One life of the Node process behind the blob door: orders out, acknowledgements and questions in.

It knows the line protocol that host.cjs describes, and how to end the process for certain. It does not know when to
start another one, nor what the orders mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linarite.doors.blob.accounts import Question, TurnedAway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from linarite.doors.blob.accounts import BlobDesk

HOST = Path(__file__).with_name("host.cjs")
LONGEST_LINE = 1 << 20
LEAVES_WITHIN = 20.0
"""Seconds from closing its stdin until the process is asked again, by SIGTERM; it gives itself 15 to save."""
TERMINATES_WITHIN = 3.0

log = logging.getLogger("linarite.doors.blob")


class BlobDoorDown(Exception):
    """The door does not answer; the message is a sentence that says why."""


class OrderRefused(Exception):
    """The door is up and could not do what it was told; the message is its own."""


class ChildGone(Exception):
    """The process ended before it acknowledged an order."""

    def __str__(self) -> str:
        return "its process ended"


class Child:
    """A running Node process. `ended` is set once it is gone, whatever the reason."""

    def __init__(self, process: asyncio.subprocess.Process, desk: BlobDesk) -> None:
        self._process = process
        self._desk = desk
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._answers: set[asyncio.Task[None]] = set()
        self.ended = asyncio.Event()
        self._listener = asyncio.create_task(self._listen())
        self._log = asyncio.create_task(self._pass_on_log())

    @classmethod
    async def launch(cls, node: Path, environment: Mapping[str, str], desk: BlobDesk) -> Child:
        """Start the host; nothing is served before it is told to open."""
        process = await asyncio.create_subprocess_exec(
            node,
            HOST,
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

    async def order(self, verb: str, given: object, *, within: float) -> dict[str, Any]:
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
        """Let it save and leave; then ask harder; then end it. Returns when it is gone."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        for patience, harder in ((LEAVES_WITHIN, self._terminate), (TERMINATES_WITHIN, self.kill)):
            try:
                async with asyncio.timeout(patience):
                    await self.ended.wait()
                    return
            except TimeoutError:
                log.warning("Azurite (process %d) did not leave within %g s.", self.pid, patience)
                harder()
        await self.ended.wait()

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def _terminate(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    def _write(self, message: Mapping[str, object]) -> None:
        if self._process.stdin is None or self._process.stdin.is_closing():
            return  # it is leaving: whoever waits for an answer hears of its end
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _listen(self) -> None:
        async for line in _lines(self._process.stdout):
            try:
                message = json.loads(line)
            except ValueError:
                log.warning("Azurite said something that is not of the protocol: %.200r", line)
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
        await self._log
        self.ended.set()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ChildGone())

    async def _answer(self, message: Mapping[str, Any]) -> None:
        """Pass on what the desk says; null where it cannot say anything now, which makes the door busy."""
        allowed: bool | None
        try:
            if "refused" in message:
                await self._desk.turned_away(TurnedAway(**message["refused"]))
                allowed = True
            else:
                actions = tuple(message["actions"])
                question = Question(message["account"], message["service"], message["oid"], actions)
                allowed = await self._desk.may(question)
        except Exception:
            log.exception("The desk could not answer: %s", message)
            allowed = None
        self._write({"answer": message["ask"], "allowed": allowed})

    async def _pass_on_log(self) -> None:
        async for line in _lines(self._process.stderr):
            log.info("azurite: %s", line.decode(errors="replace").rstrip())


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
