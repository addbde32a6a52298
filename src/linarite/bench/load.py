"""Load from a process of its own: wrk, for a bounded time, and what it and the kernel say of the server meanwhile."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

TICKS = 100
"""Clock ticks a second in /proc on Linux."""

_A_LOOK = 0.1
"""Seconds in which a server that is at rest uses a clock tick at most."""
_AT_REST_WITHIN = 60.0

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class NoLoad(Exception):
    """The load generator is missing or broke; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One request, repeated."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str = field(default="", repr=False)
    script: str = field(default="", repr=False)
    """Lua that makes each request, in place of the one."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run gave. Latencies in milliseconds, CPU in microseconds of the whole process tree a request."""

    requests: int
    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    pss_mb: float
    failed: int


def shoot(shot: Shot, pid: int, *, concurrency: int, seconds: float) -> Measured:
    """Load a server and measure it.

    Raises:
        NoLoad: wrk is not installed, or did not finish.
    """
    wrk = shutil.which("wrk")
    if wrk is None:
        message = "The bench needs wrk as its load generator: `apt-get install wrk`."
        raise NoLoad(message)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "shot.lua")
        script.touch(0o600)
        script.write_text(_script(shot))
        _rest(pid)
        before = cpu_seconds(pid)
        command = [wrk, "-t1", f"-c{concurrency}", f"-d{seconds:g}s", "--latency", "-s", str(script), shot.url]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=False)
        used = cpu_seconds(pid) - before
    return _read(ended.stdout, used, pss_mb(pid))


def _rest(pid: int) -> None:
    """Wait until a server has answered whom the last run left behind: 256 lists of a thousand take it ten seconds."""
    deadline = time.monotonic() + _AT_REST_WITHIN
    used = cpu_seconds(pid)
    while time.monotonic() < deadline:
        time.sleep(_A_LOOK)
        before, used = used, cpu_seconds(pid)
        if used - before <= 1 / TICKS:
            return


def _script(shot: Shot) -> str:
    """Wrk's Lua for the request; a file, because a token has no place among a process's arguments."""
    if shot.script:
        return shot.script
    lines = [f"wrk.method = {_quoted(shot.method)}", f"wrk.body = {_quoted(shot.body)}"]
    lines += [f"wrk.headers[{_quoted(name)}] = {_quoted(value)}" for name, value in shot.headers.items()]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _read(output: str, used: float, pss: float) -> Measured:
    count, rate = re.search(r"(\d+) requests in", output), re.search(r"Requests/sec:\s+([\d.]+)", output)
    if count is None or rate is None or int(count[1]) == 0:
        message = f"wrk did not finish: {output.strip() or 'it said nothing'}"
        raise NoLoad(message)
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    requests = int(count[1])
    return Measured(
        requests,
        float(rate[1]),
        _latency(output, "50%"),
        _latency(output, "99%"),
        used * 1e6 / requests,
        pss,
        int(failed[1]) if failed else 0,
    )


def _latency(output: str, share: str) -> float:
    found = re.search(rf"\s{share}\s+([\d.]+)(us|ms|s)", output)
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in _told(task).split():
            found.extend(tree(int(child)))
    return found


def cpu_seconds(pid: int) -> float:
    """CPU time of a process tree so far, children that ended included."""
    total = 0
    for one in tree(pid):
        fields = _told(Path(f"/proc/{one}/stat")).rpartition(")")[2].split()
        total += sum(int(field_) for field_ in fields[11:15])
    return total / TICKS


def pss_mb(pid: int) -> float:
    """Memory of a process tree, shared pages counted in part, in MiB."""
    total = 0
    for one in tree(pid):
        found = re.search(r"^Pss:\s+(\d+)", _told(Path(f"/proc/{one}/smaps_rollup")), re.MULTILINE)
        total += int(found[1]) if found else 0
    return total / 1024


def _told(path: Path) -> str:
    """What the kernel says of a process or a thread: nothing of one that has ended meanwhile."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
