"""Several processes for one instance: siblings share its port and database, the first one has the doors and the folder.

The first process starts the others and speaks with each over its standard input and output, a JSON object a line: the
plan once, then, for every commit of a sibling, which keys it changed, and back that the doors have been told. A sibling
acknowledges a change only after that, and stops when its input ends, however the first process ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import msgspec
import structlog
import uvloop

from linarite import logs
from linarite.app import Instance, Part
from linarite.interpreter import settle_in
from linarite.settings import load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from linarite.settings import Settings

READY_WITHIN = 30.0
STOPPED_WITHIN = 15.0
PAUSE = 1.0
"""Seconds before a sibling that died is replaced."""
LONGEST_LINE = 64 * 2**20

log = structlog.get_logger()


# ── the first process's side ────────────────────────────────────────────────────────────────────────────────────────


class Siblings:
    """The other processes of an instance, from `start` until `stop`; one that dies is replaced."""

    def __init__(self, number: int, plan: dict[str, Any], heard: Callable[[frozenset[str]], Awaitable[None]]) -> None:
        self._number = number
        self._plan = plan
        self._heard = heard
        self._keepers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start all; returns when each of them serves."""
        ready = [asyncio.get_running_loop().create_future() for _ in range(self._number)]
        self._keepers = [asyncio.create_task(self._keep(one)) for one in ready]
        async with asyncio.timeout(READY_WITHIN):
            await asyncio.gather(*ready)

    async def stop(self) -> None:
        """Stop all; running answers end first."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    async def _keep(self, ready: asyncio.Future[None]) -> None:
        while True:
            await self._live(ready)
            log.error("a process of this server died; it is replaced")
            await asyncio.sleep(PAUSE)

    async def _live(self, ready: asyncio.Future[None]) -> None:
        """One process, from start to end."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "linarite", "sibling",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LONGEST_LINE,
        )  # fmt: skip
        to, from_ = cast("asyncio.StreamWriter", process.stdin), cast("asyncio.StreamReader", process.stdout)
        try:
            _send(to, self._plan)
            async for line in from_:
                message = json.loads(line)
                if "changed" in message:
                    await self._heard(frozenset(message["changed"]))
                    _send(to, {"told": message["number"]})
                elif not ready.done():
                    ready.set_result(None)
        finally:
            to.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOPPED_WITHIN)
            if process.returncode is None:
                process.kill()


def plan(settings: Settings, port: int, endpoints: dict[str, str]) -> dict[str, Any]:
    """What a sibling has to know."""
    return {"settings": msgspec.to_builtins(settings, enc_hook=str), "port": port, "endpoints": endpoints}


def _send(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    writer.write(json.dumps(message).encode() + b"\n")


# ── a sibling's side ────────────────────────────────────────────────────────────────────────────────────────────────


def run() -> None:
    """Be a sibling, until standard input ends."""
    uvloop.run(_serve())


@dataclass(slots=True)
class _Line:
    """The line to the first process."""

    numbers: count[int] = field(default_factory=count)
    waiting: dict[int, asyncio.Future[None]] = field(default_factory=dict)

    async def tell(self, changed: frozenset[str]) -> None:
        """Say what changed; returns when the doors know."""
        number = next(self.numbers)
        told = self.waiting[number] = asyncio.get_running_loop().create_future()
        self.say({"number": number, "changed": sorted(changed)})
        await told

    def say(self, message: dict[str, Any]) -> None:
        os.write(sys.stdout.fileno(), json.dumps(message).encode() + b"\n")

    def answered(self, number: int) -> None:
        self.waiting.pop(number).set_result(None)


async def _serve() -> None:
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    told = json.loads(await reader.readline())
    settings = load(os.environ, **told["settings"])
    logs.configure(settings.log_level, settings.log_format)
    line = _Line()
    instance = Instance(settings, os.environ, Part(told["port"], told["endpoints"], line.tell))
    try:
        await instance.start()
        settle_in()
        line.say({"ready": True})
        async for answer in reader:
            line.answered(json.loads(answer)["told"])
    finally:
        await instance.stop()
