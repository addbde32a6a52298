"""What a bench found: medians over rounds, ratios within each round's neighbours, as a table, JSON and a plot."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from linarite.bench import scale
    from linarite.bench.aims import Aim
    from linarite.bench.load import Measured

_BAR, _LINE, _MARGIN = 420, 26, 190
_RATIOS = {
    "cpu_vs_constant": "CPU a request, as a multiple of the constant answer&#8217;s",
    "p99_vs_constant": "99th percentile, as a multiple of the constant answer&#8217;s",
    "rps_vs_moto": "Requests a second, as a multiple of moto&#8217;s",
    "rps_vs_azurite": "Requests a second, as a multiple of Azurite&#8217;s",
}
_COLOURS = ("#3b6ea5", "#b5533c", "#5a8f3c", "#7a5aa6")


@dataclass(frozen=True, slots=True)
class Row:
    """One subject at one concurrency: medians over all rounds; ratios are medians of the rounds' own ratios."""

    name: str
    concurrency: int
    rps: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    pss_mb: float
    cpu_vs_constant: float | None
    p99_vs_constant: float | None
    rps_vs_moto: float | None
    rps_vs_azurite: float | None
    failed: int


def rows(found: Mapping[tuple[str, int], Sequence[Measured]]) -> list[Row]:
    """Rows, by concurrency and name. A round's figures are only ever compared with the same round's."""
    return [_row(found, name, concurrency) for name, concurrency in sorted(found, key=lambda key: (key[1], key[0]))]


def _row(found: Mapping[tuple[str, int], Sequence[Measured]], name: str, concurrency: int) -> Row:
    runs = found[name, concurrency]

    def ratio(other: str, figure: str) -> float | None:
        beside = found.get((other, concurrency))
        if not beside or other == name:
            return None
        ratios = [getattr(a, figure) / getattr(b, figure) for a, b in zip(runs, beside, strict=False)]
        return round(float(median(ratios)), 3)

    def middle(figure: str) -> float:
        return round(float(median(getattr(run, figure) for run in runs)), 3)

    return Row(
        name,
        concurrency,
        middle("rps"),
        middle("p50_ms"),
        middle("p99_ms"),
        middle("cpu_us"),
        middle("pss_mb"),
        ratio("constant", "cpu_us"),
        ratio("constant", "p99_ms"),
        ratio("moto", "rps"),
        ratio("azurite", "rps"),
        sum(run.failed for run in runs),
    )


def machine() -> dict[str, Any]:
    """Where the figures come from."""
    return {"system": platform.platform(), "python": platform.python_version(), "cores": os.cpu_count()}


def write_json(path: Path, found: Sequence[Row | scale.Row], aims: Sequence[Aim]) -> None:
    content = {"machine": machine(), "rows": [asdict(row) for row in found], "aims": [asdict(aim) for aim in aims]}
    path.write_text(json.dumps(content, indent=2) + "\n")


def write_plot(path: Path, found: Sequence[Row]) -> None:
    """A block for each ratio, with a bar for each row that has it."""
    lines: list[str] = []
    y = 0
    for figure, words in _RATIOS.items():
        drawn = [(row, getattr(row, figure)) for row in found if getattr(row, figure) is not None]
        if not drawn:
            continue
        lines.append(f'<text x="8" y="{y + 18}" font-weight="bold">{words}</text>')
        widest = max(value for _, value in drawn)
        for row, value in drawn:
            y += _LINE
            width = value / widest * _BAR
            lines.append(f'<text x="8" y="{y + 18}">{row.name}, {row.concurrency} clients</text>')
            lines.append(f'<rect x="{_MARGIN}" y="{y + 4}" width="{width:.0f}" height="18" fill="{_COLOURS[0]}"/>')
            lines.append(f'<text x="{_MARGIN + width + 6:.0f}" y="{y + 18}">{value:.1f}</text>')
        y += 2 * _LINE
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_MARGIN + _BAR + 60}" height="{y}" '
        'font-family="sans-serif" font-size="13">'
    )
    path.write_text("\n".join([head, *lines, "</svg>", ""]))


def write_curve(path: Path, found: Sequence[scale.Row]) -> None:
    """A line for each name: CPU a request over the number of workspaces, as a multiple of the smallest size's."""
    sizes = sorted({row.workspaces for row in found})
    highest = max(2.0, *(row.cpu_vs_smallest for row in found))
    width, height, left, top = 480, 240, 60, 40

    def at(row: scale.Row) -> str:
        x = left + width * sizes.index(row.workspaces) / max(1, len(sizes) - 1)
        return f"{x:.0f},{top + height * (1 - row.cpu_vs_smallest / highest):.0f}"

    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 160}" height="{top + height + 40}" '
            'font-family="sans-serif" font-size="13">'
        ),
        '<text x="8" y="18">CPU a request, as a multiple of what it is with the fewest workspaces</text>',
    ]
    for place, size in enumerate(sizes):
        x = left + width * place / max(1, len(sizes) - 1)
        lines.append(f'<text x="{x:.0f}" y="{top + height + 24}" text-anchor="middle">{size:,}</text>')
    for mark in range(int(highest) + 1):
        y = top + height * (1 - mark / highest)
        lines.append(
            f'<path d="M{left} {y:.0f}h{width}" stroke="#ccc"/><text x="{left - 24}" y="{y + 4:.0f}">{mark}</text>'
        )
    for name, colour in zip(sorted({row.name for row in found}), _COLOURS, strict=False):
        own = [row for row in found if row.name == name]
        lines.append(f'<polyline points="{" ".join(map(at, own))}" fill="none" stroke="{colour}" stroke-width="2"/>')
        end = at(own[-1]).partition(",")[2]
        lines.append(f'<text x="{left + width + 8}" y="{end}" fill="{colour}">{name}</text>')
    path.write_text("\n".join([*lines, "</svg>", ""]))
