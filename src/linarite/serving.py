"""Runs an instance in a process of its own, from start to signal; and beside it the siblings that share its port."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

import uvloop

from linarite import certificates, logs, seal
from linarite.app import Instance
from linarite.client import READY_FILE
from linarite.data_folder import FolderTrouble
from linarite.interpreter import settle_in
from linarite.listener import PortTaken
from linarite.siblings import Siblings, plan
from linarite.store.database import DatabaseTrouble

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from linarite.data_folder import Ready
    from linarite.settings import Settings

TROUBLE = (
    PortTaken,
    FolderTrouble,
    DatabaseTrouble,
    certificates.CertificateTrouble,
    seal.RootKeyUnavailable,
    seal.WrongRootKey,
)
"""What can keep a server from starting; each says in a sentence what to do."""

_STANDARD_INPUT = 0


def run(
    settings: Settings,
    environment: Mapping[str, str],
    ready_file: Path | None,
    announce: Callable[[Ready], None],
    *,
    until_eof: bool,
) -> None:
    """Run an instance until SIGINT or SIGTERM; with `until_eof`, no longer than standard input lasts."""
    logs.configure(settings.log_level, settings.log_format)
    uvloop.run(serve(settings, environment, ready_file, announce, until_eof=until_eof))


async def serve(
    settings: Settings,
    environment: Mapping[str, str],
    ready_file: Path | None,
    announce: Callable[[Ready], None],
    *,
    until_eof: bool,
) -> None:
    """Run an instance in this event loop until it is told to stop, as `run` says."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if until_eof:
        # A thread, for it reads whatever standard input is: an event loop takes no file, and would change a terminal.
        threading.Thread(target=_await_eof, args=(loop, stop), name="until-eof", daemon=True).start()
    instance = Instance(settings, environment)
    files = [settings.data / READY_FILE, *([ready_file] if ready_file else [])]
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(instance.stop)
        ready = await instance.start()
        siblings = Siblings(settings.workers - 1, plan(settings, instance.port, instance.endpoints), instance.told)
        stack.push_async_callback(siblings.stop)
        await siblings.start()
        settle_in()
        for path in files:
            ready.write(path)
            stack.callback(path.unlink, missing_ok=True)
        await asyncio.to_thread(announce, ready)  # it rings at the doors, which this loop answers
        await stop.wait()


def _await_eof(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Set `stop` once nothing can come on standard input any more; what comes is for nobody."""
    with contextlib.suppress(OSError):  # it is closed already
        while os.read(_STANDARD_INPUT, 4096):
            pass
    with contextlib.suppress(RuntimeError):  # the loop has ended before
        loop.call_soon_threadsafe(stop.set)
