"""What is looked at, shown and measured: settings, the machine, the main job, the speed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

import click

from linarite.cli.options import PATH, as_json, data, fail, settings_of
from linarite.settings import BadSettings, rows

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@as_json
def settings(*, as_json: bool) -> None:
    """Show every setting, its value, and where that comes from."""
    try:
        found = rows(os.environ)
    except BadSettings as error:
        fail(str(error))
    if as_json:
        click.echo(json.dumps([row._asdict() for row in found], indent=2, ensure_ascii=False))
        return
    import_module("linarite.tables").print_settings(found)


@click.command()
@data
def doctor(*, data: Path | None) -> None:
    """Check folder, keys, certificate, database, ports, doors, clock and trust, and say what to do."""
    settings = settings_of(data=data)
    findings = list(import_module("linarite.doctor").examine(settings, os.environ))
    import_module("linarite.tables").print_findings(findings)
    if not all(finding.well for finding in findings):
        raise click.exceptions.Exit(1)


@click.command()
def demo() -> None:
    """Show the main job end to end, in a server of its own: list keys, use them, rotate, see the old ones refused."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as by nohup
            signal.signal(number, signal.default_int_handler)  # as Ctrl-C, until the demo listens for signals itself
    try:
        telling = import_module("linarite.demo")
    except ModuleNotFoundError as error:
        fail(f"The demo needs {error.name}, which is not installed: pip install 'linarite[demo]'")
    steps = []
    with contextlib.closing(telling.tell(os.environ)) as told:
        for step in told:
            click.echo(f"{step.mark} {step.seconds:5.2f} s  {step.title}: {step.saying}")
            steps.append(step)
    import_module("linarite.tables").print_steps(steps)
    if any(step.held is False for step in steps):
        raise click.exceptions.Exit(1)


@click.command()
@click.option("--quick", is_flag=True, help="One short round: a look, no figures to keep.")
@click.option("--workers", default=1, help="Processes of the server that is measured.")
@click.option("--json", "json_file", type=PATH, help="File for the figures.")
@click.option("--plot", type=PATH, help="File for a plot of them, as SVG.")
@click.option("--scale", "sizes", help="Numbers of workspaces, as 1000,100000: what listKeys costs with each.")
def bench(*, quick: bool, workers: int, json_file: Path | None, plot: Path | None, sizes: str | None) -> None:
    """Measure the server beside a constant answer and its peers, or with ever more workspaces, in one run."""
    measuring = import_module("linarite.bench")
    settings = settings_of()
    say = partial(click.echo, err=True)
    try:
        if sizes is not None:
            rows, aims = measuring.scale.run(_sizes(sizes), quick=quick, progress=say)
        else:
            rows, aims = measuring.run(quick=quick, workers=workers, modules=settings.node_modules, progress=say)
    except measuring.NoLoad as error:
        fail(str(error))
    tables = import_module("linarite.tables")
    tables.print_figures(rows)
    tables.print_aims(aims)
    if json_file is not None:
        measuring.report.write_json(json_file, rows, aims)
    if plot is not None:
        (measuring.report.write_plot if sizes is None else measuring.report.write_curve)(plot, rows)


def _sizes(text: str) -> list[int]:
    """Numbers of workspaces, each from a thousand to ten million."""
    least, most = 1_000, 10_000_000
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and least <= int(word) <= most for word in words):
        fail(f"--scale takes numbers of workspaces from {least} to {most} with commas between them, as 1000,100000.")
    return sorted({int(word) for word in words})
