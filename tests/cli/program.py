"""The command line as a process of its own: what it says, and how it ends."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Iterator
    from pathlib import Path

ENDS_WITHIN = 60.0
COMMAND = (sys.executable, "-m", "linarite")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    output: str
    complaint: str


def linarite(*arguments: str | Path, **environment: str) -> Ended:
    """Run a command to its end."""
    ended = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN,
        check=False,
        env=surroundings(environment),
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def answered(*arguments: str | Path, **environment: str) -> str:
    """What a command says that must succeed, and complain of nothing."""
    ended = linarite(*arguments, **environment)
    assert (ended.status, ended.complaint) == (0, ""), ended
    return ended.output


def refused(*arguments: str | Path, **environment: str) -> str:
    """What a command complains of that must fail: one sentence or more, and nothing else on either stream."""
    ended = linarite(*arguments, **environment)
    assert (ended.status, ended.output) == (1, ""), ended
    assert "Traceback" not in ended.complaint, ended.complaint
    for line in ended.complaint.splitlines():
        assert line[0].isupper() or line.startswith("--"), ended.complaint
        assert line.endswith((".", "?", "`", ")")), ended.complaint
    return ended.complaint


@contextlib.contextmanager
def begun(
    *arguments: str | Path, log: Path, reads: int = subprocess.DEVNULL, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Begin a command that runs until it is told to stop, and is ended in any case; what it says goes to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)],
            stdin=reads,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=surroundings(environment),
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait(ENDS_WITHIN)


def ended(process: subprocess.Popen[bytes], number: signal.Signals) -> int:
    """Tell a process to stop; its exit status."""
    process.send_signal(number)
    return process.wait(ENDS_WITHIN)


def surroundings(environment: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONWARNINGS": "error", **environment}


def until(condition: Callable[[], bool], otherwise: Callable[[], str]) -> None:
    """Wait for a condition; fail with what `otherwise` says when it does not come true in time."""
    deadline = time.monotonic() + ENDS_WITHIN
    while not condition():
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.01)
