"""The main job end to end, in a server of its own: sign in, list the keys, use, rotate, see refused, resync.

What speaks with the server are Azure's own libraries and oras, so importing this needs the extra `demo`. Every step is
told as it ends. Whatever happens, no process and no folder is left.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linarite.client import environment as pointing_here
from linarite.demo.management import Management
from linarite.demo.own_server import DidNotStart, OwnServer
from linarite.demo.story import DoesNotHold, NotTried, Story
from linarite.demo.undisturbed import ENDING
from linarite.demo.veil import Veil

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping

LONGEST = 60
"""Seconds for all steps together."""
STOPPING = 12
"""Seconds more for the server to stop."""


@dataclass(frozen=True, slots=True)
class Step:
    """How one step went."""

    title: str
    held: bool | None
    """None where there was nothing to try."""
    seconds: float
    saying: str

    @property
    def mark(self) -> str:
        return {True: "✓", False: "✗", None: "-"}[self.held]


class OutOfTime(BaseException):
    """The steps take too long. Not an Exception, so that no library takes it for a reason to try again."""


def tell(surroundings: MutableMapping[str, str]) -> Iterator[Step]:
    """Take all steps, each as it is asked for; to be closed if it is not asked to the end.

    `surroundings` is the environment of this process: the libraries are told in it where the server is, which is how
    they are told of another Azure, and it is as before at the end.
    """
    veil, deadline = Veil(), time.monotonic() + LONGEST
    scratch = Path(tempfile.gettempdir()) / f"linarite-demo-{secrets.token_hex(8)}"
    server = OwnServer(surroundings, scratch)
    with _ended_by_signals(server, scratch), _silence(), _alarm(), contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, scratch, ignore_errors=True)
        scratch.mkdir(mode=0o700)
        stack.enter_context(server)
        started = _taken("a server starts, in a folder of its own", server.start, veil, deadline)
        yield started
        if not started.held:
            return
        stack.enter_context(_pointed(surroundings, server.known, scratch))
        azure = stack.enter_context(Management(server.known))
        story = Story(azure, server.known, server.faults, scratch, veil)
        for scene in story.scenes():
            step = _taken(scene.title, scene.take, veil, deadline)
            yield step
            if step.held is False and (scene.needed or time.monotonic() > deadline):
                return
        yield _taken("the server stops, and leaves no process and no folder", server.stop, veil, deadline + STOPPING)


def _taken(title: str, take: Callable[[], str], veil: Veil, deadline: float) -> Step:
    """Take a step. What it says, and what went wrong, is shown without any secret in it."""
    began = time.monotonic()
    held: bool | None = True
    try:
        # It rings until it is heard: what it raises may be dropped, where Python is collecting garbage.
        signal.setitimer(signal.ITIMER_REAL, max(deadline - began, 0.01), 1)
        try:
            saying = take()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except NotTried as reason:
        held, saying = None, str(reason)
    except OutOfTime:
        held, saying = False, f"It is not done {LONGEST} s after the first step began."
    except (DidNotStart, DoesNotHold) as error:
        held, saying = False, str(error)
    except Exception as error:  # noqa: BLE001 - whatever a library raises, the step did not hold
        held, saying = False, f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    return Step(title, held, time.monotonic() - began, veil.over(saying))


@contextlib.contextmanager
def _ended_by_signals(server: OwnServer, scratch: Path) -> Iterator[None]:
    """Let a signal end this process there and then, with everything put away.

    It does not raise: in the midst of a library, an exception may come where Python drops it, as in a finalizer, or
    where it leaves a lock held that the end would wait for. A signal that is ignored, as by nohup, stays so.
    """

    def end(number: int, _: object) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)
        server.end_at_once()
        shutil.rmtree(scratch, ignore_errors=True)
        with contextlib.suppress(Exception):  # it may have come in the midst of a print
            sys.stderr.write("\nAborted!\n")
            sys.stdout.flush()
        os._exit(128 + number)

    before = {number: signal.getsignal(number) for number in ENDING if signal.getsignal(number) != signal.SIG_IGN}
    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _alarm() -> Iterator[None]:
    """Let the interval timer end a step, whatever library it is in."""

    def ring(*_: object) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, ring)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)  # drops one that is on its way
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _pointed(surroundings: MutableMapping[str, str], known: dict[str, Any], home: Path) -> Iterator[None]:
    """Tell every library in this process where the server is, and of nothing else: no proxy, no other sign-in.

    What they keep, they keep in `home`: oras leaves a temporary file for every image.
    """
    before, temporary = dict(surroundings), tempfile.tempdir
    for name in before:
        if name.upper().startswith(("AZURE_", "ARM_", "APPLICATIONINSIGHTS_", "ORAS_")):
            del surroundings[name]
    surroundings.update(pointing_here(known))
    surroundings.update({"HOME": str(home), "NO_PROXY": "localhost", "no_proxy": "localhost"})
    for what in ("STATSBEAT_DISABLED_ALL", "SDKSTATS_DISABLED", "CONTROLPLANE_DISABLED"):
        surroundings[f"APPLICATIONINSIGHTS_{what}"] = "true"
    tempfile.tempdir = str(home)
    try:
        yield
    finally:
        tempfile.tempdir = temporary
        surroundings.clear()
        surroundings.update(before)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Libraries log what a step says better."""
    logging.disable()
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
