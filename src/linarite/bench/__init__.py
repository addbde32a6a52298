"""`linarite bench`: Linarite beside the constant answer and its peers, in one run, in shuffled rounds.

Figures of different runs do not compare, and req/s on a busy machine hardly do within one; CPU a request does. So every
ratio is of two measurements of the same round, and what is printed is the median over the rounds.
"""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linarite.bench import aims, peers, report, scale, subjects
from linarite.bench.load import Measured, NoLoad, shoot
from linarite.client import Client, workspace_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from linarite.bench.subjects import Subject

__all__ = ["NoLoad", "aims", "report", "run", "scale"]


def run(
    *, quick: bool, workers: int, modules: Path, progress: Callable[[str], None]
) -> tuple[list[report.Row], list[aims.Aim]]:
    """Measure everything; answers the rows, and how far they are from their aims.

    Raises:
        NoLoad: the load generator is missing, or a server did not start.
    """
    levels = (64,) if quick else (1, 16, 64, 256)
    rounds, seconds, listed = (1, 1.0, 100) if quick else (5, 3.0, 1000)
    found: dict[tuple[str, int], list[Measured]] = defaultdict(list)
    with (
        tempfile.TemporaryDirectory(prefix="linarite-bench-") as folder,
        _everything(Path(folder), workers, modules, listed) as everything,
    ):
        for number in range(rounds):
            turns = [(one, level) for one in everything for level in levels]
            random.shuffle(turns)
            for subject, level in turns:
                progress(f"round {number + 1} of {rounds}: {subject.name} at {level}")
                measured = shoot(subject.shot, subject.pid, concurrency=level, seconds=seconds)
                found[subject.name, level].append(measured)
        flush = aims.flush_ms(Path(folder))
    rows = report.rows(found)
    return rows, aims.of_rows(rows, flush)


@contextlib.contextmanager
def _everything(folder: Path, workers: int, modules: Path, listed: int) -> Iterator[list[Subject]]:
    """All servers, started; peers that are not installed are left out."""
    with contextlib.ExitStack() as stack:
        known, pid = stack.enter_context(subjects.linarite(folder / "own", workers))
        own = subjects.own(known, pid, listed)
        body, headers = _sample(known)
        others = [
            stack.enter_context(subjects.constant(folder / "own", body, headers, own[0].shot)),
            stack.enter_context(peers.nginx(folder, folder / "own", body)),
            stack.enter_context(peers.moto(folder)),
            stack.enter_context(peers.azurite(folder, modules)),
        ]
        yield [*own, *(one for one in others if one is not None)]


def _sample(known: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """Body and headers of a real listKeys answer, for the yardstick to repeat."""
    reply = Client(known).call("POST", f"{workspace_path(known, None)}/listKeys", subjects.VERSION)
    unwanted = {"content-length", "date", "server", "connection"}
    return reply.text, [(name.lower(), value) for name, value in reply.headers if name.lower() not in unwanted]
