"""A server of the demo's own: a process of its own, in a folder of its own, and nothing left of either at the end.

The server's standard input is a pipe that this process alone holds: it ends with this process, whatever ended that, and
the server with it.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from linarite.demo.undisturbed import undisturbed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

STARTS_WITHIN = 40.0
STOPS_WITHIN = 10.0
PAUSE = 0.05
ANNOUNCED = "Ctrl-C stops it."
"""The end of what a server says when it serves."""
NEEDED_FOR_NOTEBOOKS = "jupyter_server"
KEPT = "LINARITE_NODE_MODULES"
"""The one setting that is the user's here: where the blob door's packages are."""


class DidNotStart(Exception):
    """The server did not start; the message is its own last words."""


class OwnServer:
    """`linarite up --ephemeral`, from `start` until `stop` or the end of the `with`."""

    def __init__(self, environment: Mapping[str, str], scratch: Path) -> None:
        """Its folder lies in `scratch`; of `environment` no setting reaches it, lest it touch a real database."""
        self._environment = {
            name: value for name, value in environment.items() if not name.startswith("LINARITE_") or name == KEPT
        } | {"TMPDIR": str(scratch)}
        self._scratch = scratch
        self._log = scratch / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.known: dict[str, Any] = {}
        """What its ready file says."""
        self.faults: dict[str, str] = {}
        """Doors that are closed, with the reason."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def start(self) -> str:
        """Start it, with notebooks where they can be had; returns when it serves, with what it says of its doors.

        Raises:
            DidNotStart: it ended, or did not serve in time.
        """
        ready = self._scratch / "ready.json"
        command = [sys.executable, "-m", "linarite", "up", "--ephemeral", "--until-eof", "--port", "0"]
        command += ["--ready-file", str(ready)]
        if importlib.util.find_spec(NEEDED_FOR_NOTEBOOKS):
            command.append("--notebook")
        with self._log.open("wb") as log, undisturbed():
            self._process = subprocess.Popen(  # noqa: S603 - this program itself
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,  # Ctrl-C is for the demo, which stops it in its own time
            )
        deadline = time.monotonic() + STARTS_WITHIN
        while ANNOUNCED not in self._log.read_text():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise DidNotStart(self._last_words())
            time.sleep(PAUSE)
        self.known = json.loads(ready.read_text())
        lines = [line.strip() for line in self._log.read_text().splitlines()]
        said = {start: rest for start, colon, rest in (line.partition(": ") for line in lines) if colon}
        self.faults = {name: said[name] for name in self.known["doors"] if name in said}
        return f"{self.known['armEndpoint']}, doors: {said.get('doors', 'off')}"

    def stop(self) -> str:
        """Stop it as a user would, and look what is left.

        Raises:
            RuntimeError: something is.
        """
        status = self._end()
        if status != 0:
            raise RuntimeError("It had to be killed." if status is None else f"It ended with {status}.")
        if left := [path.name for path in self._scratch.glob("linarite-*")]:
            raise RuntimeError(f"It left {', '.join(left)}.")
        return "It ended with 0."

    def _end(self) -> int | None:
        """End the process; its exit status, None where there is no process any more or it had to be killed."""
        process = self._process
        if process is None:
            return None
        if process.stdin is not None:
            process.stdin.close()
        if process.returncode is not None:
            return None
        process.terminate()
        try:
            return process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # and whatever it has started
            process.wait()
            return None

    def end_at_once(self) -> None:
        """End the process, from a handler of signals, right before this process ends too: with no lock of Popen's."""
        if self._process is None or self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._process.pid, signal.SIGTERM)
            deadline = time.monotonic() + STOPS_WITHIN
            while time.monotonic() < deadline:
                if os.waitpid(self._process.pid, os.WNOHANG) != (0, 0):
                    return
                time.sleep(PAUSE)
            os.killpg(self._process.pid, signal.SIGKILL)
            os.waitpid(self._process.pid, 0)

    def _last_words(self) -> str:
        lines = self._log.read_text().strip().splitlines()
        return lines[-1] if lines else f"The server did not start within {STARTS_WITHIN:g} s."
