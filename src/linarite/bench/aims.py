"""What the figures of one run are to be, and whether they are: ratios alone, for figures of two runs do not compare."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from linarite.bench import scale
    from linarite.bench.report import Row

_FLUSHES = 200
_PAGE = 4096

SUBJECT = "listKeys"
_RATIOS = (
    # figure of listKeys, concurrency, least, most, in words
    ("cpu_vs_constant", 64, None, 2.0, "CPU a listKeys at 64 connections, to the constant answer's"),
    ("cpu_vs_constant", 16, None, 2.5, "CPU a listKeys at 16 connections, to the constant answer's"),
    ("p99_vs_constant", 64, None, 4.0, "99th percentile at 64 connections, to the constant answer's"),
    ("rps_vs_moto", 64, 25.0, None, "requests a second at 64 connections, to moto's"),
    ("rps_vs_azurite", 64, 10.0, None, "requests a second at 64 connections, to Azurite's"),
)
ALONE = 1.3
"""How much longer a listKeys alone may take than one flush of the disk and the constant answer together."""
FLAT = 1.2
"""How much more a listKeys may cost with the most workspaces than with the fewest."""


@dataclass(frozen=True, slots=True)
class Aim:
    """One ratio, and what it is to be."""

    ratio: str
    found: float
    aim: str
    held: bool


def of_rows(rows: Sequence[Row], flush_ms: float) -> list[Aim]:
    """The aims of a bench, as far as what they need was measured."""
    by_place = {(row.name, row.concurrency): row for row in rows}
    found = []
    for figure, concurrency, least, most, words in _RATIOS:
        row = by_place.get((SUBJECT, concurrency))
        value = getattr(row, figure) if row else None
        if value is not None:
            found.append(_aim(words, value, least, most))
    alone, constant = by_place.get((SUBJECT, 1)), by_place.get(("constant", 1))
    if alone and constant:
        ratio = alone.p50_ms / (flush_ms + constant.p50_ms)
        found.append(_aim("a listKeys alone, to one flush of the disk and the constant answer", ratio, None, ALONE))
    return found


def of_scale(rows: Sequence[scale.Row]) -> list[Aim]:
    """The aim of a scale: each way to draw, with the most workspaces."""
    largest = max(row.workspaces for row in rows)
    return [
        _aim(f"CPU a {row.name} with {largest:,} workspaces, to that with the fewest", row.cpu_vs_smallest, None, FLAT)
        for row in rows
        if row.workspaces == largest and row.name.startswith(SUBJECT)
    ]


def flush_ms(folder: Path) -> float:
    """Milliseconds that a flush of one page of a file takes there, the median of many."""
    took = []
    with tempfile.TemporaryFile(dir=folder) as file:
        page = os.urandom(_PAGE)
        os.pwrite(file.fileno(), page, 0)
        os.fsync(file.fileno())
        for _ in range(_FLUSHES):
            begun = perf_counter()
            os.pwrite(file.fileno(), page, 0)
            os.fdatasync(file.fileno())
            took.append(perf_counter() - begun)
    return median(took) * 1000


def _aim(words: str, found: float, least: float | None, most: float | None) -> Aim:
    held = (least is None or found >= least) and (most is None or found <= most)
    return Aim(words, round(found, 2), f"at least {least:g}" if least is not None else f"at most {most:g}", held)
