"""`linarite bench --scale`: what listKeys costs with a thousand workspaces, and what it costs with a million.

Each size has a data folder and a server of its own, all up at the same time and measured in shuffled rounds. Callers,
groups and workspaces are drawn evenly, or so that few of them get most of the requests. Before that every workspace is
asked for once, so that a server remembers as many as its settings let it.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from linarite.bench import crowd, subjects
from linarite.bench.aims import of_scale
from linarite.bench.load import Measured, Shot, shoot
from linarite.client import Client, workspace_path
from linarite.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from linarite.bench.aims import Aim
    from linarite.bench.crowd import Crowd

CONCURRENCY = {"listKeys": 64, "page": 2}

_A_VISIT = 5.0
"""Seconds of asking before it is said how far it is."""

_PAGE = 500
"""Resources of a page that is measured, so that the fewest workspaces, a thousand and the sample, fill two."""

_SKEW = {"even": 1, "skewed": 8}
"""The power of a number from 0 to 1 that draws: at 8, half of the draws fall on one 256th."""


@dataclass(frozen=True, slots=True)
class Row:
    """One access at one size. Ratios are to the smallest size in the same round."""

    name: str
    workspaces: int
    cpu_us: float
    cpu_vs_smallest: float
    rps: float
    p50_ms: float
    p99_ms: float
    pss_mb: float
    start_s: float
    """Until the server of that size answered, with its data there."""
    failed: int


def run(sizes: list[int], *, quick: bool, progress: Callable[[str], None]) -> tuple[list[Row], list[Aim]]:
    """Measure every size; answers the rows, and how far they are from their aim.

    Raises:
        NoLoad: the load generator is missing, or a server did not start.
    """
    rounds, seconds = (1, 1.0) if quick else (5, 4.0)
    found: dict[tuple[str, int], list[Measured]] = defaultdict(list)
    starts: dict[int, float] = {}
    with tempfile.TemporaryDirectory(prefix="linarite-scale-") as folder, contextlib.ExitStack() as stack:
        turns: list[tuple[str, int, int, Shot]] = []
        for size in sorted(sizes):
            made = _made(Path(folder, str(size)), size, progress)
            begun = time.monotonic()
            known, pid = stack.enter_context(subjects.linarite(Path(folder, str(size)), 1))
            starts[size] = time.monotonic() - begun
            if not quick:
                _visit(known, pid, made, progress)
            turns += [(name, size, pid, shot) for name, shot in _shots(known, made)]
        for name, size, pid, shot in turns:
            progress(f"warming up: {name} with {size} workspaces")
            shoot(shot, pid, concurrency=_concurrency(name), seconds=seconds)
        for number in range(rounds):
            random.shuffle(turns)
            for name, size, pid, shot in turns:
                progress(f"round {number + 1} of {rounds}: {name} with {size} workspaces")
                found[name, size].append(shoot(shot, pid, concurrency=_concurrency(name), seconds=seconds))
    measured = rows(found, starts)
    return measured, of_scale(measured)


def rows(found: dict[tuple[str, int], list[Measured]], starts: dict[int, float]) -> list[Row]:
    """Medians over the rounds, by name and size."""
    smallest = min(starts)

    def row(name: str, size: int) -> Row:
        runs, beside = found[name, size], found[name, smallest]

        def middle(figure: str) -> float:
            return round(float(median(getattr(run, figure) for run in runs)), 2)

        ratio = median(one.cpu_us / other.cpu_us for one, other in zip(runs, beside, strict=True))
        figures = {figure: middle(figure) for figure in ("cpu_us", "rps", "p50_ms", "p99_ms", "pss_mb")}
        failed = sum(run.failed for run in runs)
        return Row(
            name, size, cpu_vs_smallest=round(ratio, 2), start_s=round(starts[size], 2), failed=failed, **figures
        )

    return [row(name, size) for name, size in sorted(found)]


def _concurrency(name: str) -> int:
    return next(level for word, level in CONCURRENCY.items() if word in name)


def _made(folder: Path, size: int, progress: Callable[[str], None]) -> Crowd:
    """A data folder with so many workspaces; its server has ended."""
    progress(f"making {size} workspaces")
    with subjects.linarite(folder, 1) as (known, _):
        sample = workspace_path(known, None)
    return crowd.fill(load(os.environ, data=folder), os.environ, sample, size, progress)


def _visit(known: dict[str, Any], pid: int, made: Crowd, progress: Callable[[str], None]) -> None:
    """Ask for every workspace that any of the callers may ask for, one after the other."""
    askers = {group: token for token, groups in made.callers for group in groups}
    visited, total = 0, sum(made.workspaces_of(group) for group in askers)
    while visited < total:
        progress(f"asked for {visited} workspaces of {total}")
        script = _script(known, made, _next(askers, visited))
        visited += shoot(Shot(known["armEndpoint"], script=script), pid, concurrency=64, seconds=_A_VISIT).requests


def _shots(known: dict[str, Any], made: Crowd) -> Iterator[tuple[str, Shot]]:
    """ListKeys in both ways, and a page from the front and from behind of the list of all workspaces."""
    base, subscription = known["armEndpoint"], f"/subscriptions/{known['subscriptionId']}"
    for name, skew in _SKEW.items():
        yield f"listKeys {name}", Shot(base, script=_script(known, made, _draw(made, skew)))
    client = Client(known)
    client.sign_in()
    path = f"{subscription}/providers/{crowd.WORKSPACES}"
    page = client.call("GET", path, subjects.VERSION, query={"$top": str(_PAGE)}).body
    bearer = {"Authorization": f"Bearer {client.token}"}
    yield "first page", Shot(f"{base}{path}?api-version={subjects.VERSION}&$top={_PAGE}", headers=bearer)
    yield "next page", Shot(page["nextLink"], headers=bearer)


def _draw(made: Crowd, skew: int) -> str:
    """Lua that draws a caller, one of its groups and a workspace there."""
    callers = ",\n".join(
        f"{{token = {json.dumps(token)}, groups = {{{', '.join(map(str, groups))}}}}}" for token, groups in made.callers
    )
    return f"""
local callers = {{{callers}}}
math.randomseed(os.time())
local function draw(count) return math.floor(count * math.random() ^ {skew}) end
local function choose()
  local caller = callers[1 + draw(#callers)]
  local group = caller.groups[1 + draw(#caller.groups)]
  return caller.token, group, draw(size(group))
end
"""


def _next(askers: dict[int, str], visited: int) -> str:
    """Lua that takes the next workspace of all that somebody may ask for, after so many."""
    groups = ",\n".join(f"{{number = {group}, token = {json.dumps(askers[group])}}}" for group in sorted(askers))
    return f"""
local groups = {{{groups}}}
local visited = {visited}
local function choose()
  local group = groups[1 + math.floor(visited / {crowd.IN_A_GROUP}) % #groups]
  local place = visited % size(group.number)
  visited = visited + 1
  return group.token, group.number, place
end
"""


def _script(known: dict[str, Any], made: Crowd, choose: str) -> str:
    """Lua for wrk that lists the keys of what `choose` names: with whose token, of which group, and its place there."""
    return f"""
local function size(group) return math.min({crowd.IN_A_GROUP}, {made.workspaces} - group * {crowd.IN_A_GROUP}) end
{choose}
request = function()
  local token, group, place = choose()
  local path = "/subscriptions/{known["subscriptionId"]}/resourceGroups/crowd" .. group ..
    "/providers/{crowd.WORKSPACES}/w" .. group * {crowd.IN_A_GROUP} + place
  return wrk.format("POST", path .. "/listKeys?api-version={subjects.VERSION}",
    {{["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json"}})
end
"""
