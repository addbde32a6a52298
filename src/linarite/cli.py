"""The command line. Every error is a sentence with the next step, on standard error, with exit status 1.

A command imports what it alone needs when it runs, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import sys
import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from linarite import client
from linarite.settings import BadSettings, Settings, load, rows

if TYPE_CHECKING:
    from linarite.data_folder import Ready

app = typer.Typer(
    help="An Azure Machine Learning workspace server that Azure's own clients cannot tell from the real thing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Data = Annotated[Path | None, typer.Option(help="Folder that holds everything; $LINARITE_DATA, or the user's own.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer JSON.")]


@app.command()
def up(
    *,
    data: Data = None,
    ephemeral: Annotated[
        bool, typer.Option("--ephemeral", help="Keep nothing: a new folder, removed at the end.")
    ] = False,
    bind: Annotated[str | None, typer.Option(help="Address to listen on; 127.0.0.1 unless given.")] = None,
    port: Annotated[int | None, typer.Option(help="HTTPS port; 0 for any free one.")] = None,
    database: Annotated[
        str | None, typer.Option(help="PostgreSQL URL; SQLite in the data folder unless given.")
    ] = None,
    seed: Annotated[str | None, typer.Option(help="sample or none: what a first start makes.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that serve together.")] = None,
    no_doors: Annotated[bool, typer.Option("--no-doors", help="Serve the API alone.")] = False,
    ready_file: Annotated[Path | None, typer.Option(help="File to write when every listener answers.")] = None,
) -> None:
    """Serve until SIGINT or SIGTERM."""
    # Until the server listens for signals itself, SIGTERM unwinds as Ctrl-C does, so that nothing is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given: dict[str, Any] = {"bind": bind, "port": port, "database": database, "seed": seed, "workers": workers}
    if no_doors:
        given["doors"] = False
    if not ephemeral:
        _serve(_settings(data=data, **given), ready_file)
        return
    if data is not None:
        _fail("--ephemeral keeps nothing and --data keeps everything: give one of them.")
    with tempfile.TemporaryDirectory(prefix="linarite-") as folder:
        _serve(_settings(data=Path(folder), **given), ready_file)


@app.command()
def env(*, data: Data = None, as_json: AsJson = False) -> None:
    """Print what points every client here: eval "$(linarite env)"."""
    known = _ready(data)
    if as_json:
        typer.echo(json.dumps(known, indent=2))
        return
    for name, value in client.environment(known).items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def keys(
    workspace: Annotated[
        str | None, typer.Argument(help="Name, GROUP/NAME or full id; the sample unless given.")
    ] = None,
    *,
    data: Data = None,
    show: Annotated[bool, typer.Option("--show", help="Show the values.")] = False,
    as_json: AsJson = False,
) -> None:
    """List a workspace's keys; values are masked unless --show is given."""
    known = _ready(data)
    try:
        answer = client.Client(known).post(f"{client.workspace_path(known, workspace)}/listKeys", "2023-10-01")
    except (client.NotRunning, client.Refused) as error:
        _fail(str(error))
    import_module("linarite.tables").print_keys(answer, show=show, as_json=as_json)


@app.command()
def doctor(*, data: Data = None) -> None:
    """Check folder, keys, certificate, database, ports, doors, clock and trust, and say what to do."""
    settings = _settings(data=data)
    findings = list(import_module("linarite.doctor").examine(settings, os.environ))
    import_module("linarite.tables").print_findings(findings)
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


@app.command()
def settings(*, as_json: AsJson = False) -> None:
    """Show every setting, its value, and where that comes from."""
    try:
        found = rows(os.environ)
    except BadSettings as error:
        _fail(str(error))
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in found], indent=2, ensure_ascii=False))
        return
    import_module("linarite.tables").print_settings(found)


@app.command()
def bench(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="One short round: a look, no figures to keep.")] = False,
    workers: Annotated[int, typer.Option(help="Processes of the server that is measured.")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="File for the figures.")] = None,
    plot: Annotated[Path | None, typer.Option(help="File for a plot of them, as SVG.")] = None,
) -> None:
    """Measure the server beside a constant answer and its peers, in one run."""
    measuring = import_module("linarite.bench")
    settings = _settings()
    say = partial(typer.echo, err=True)
    try:
        rows = measuring.run(quick=quick, workers=workers, modules=settings.node_modules, progress=say)
    except measuring.NoLoad as error:
        _fail(str(error))
    import_module("linarite.tables").print_bench(rows)
    if json_file is not None:
        measuring.report.write_json(json_file, rows)
    if plot is not None:
        measuring.report.write_plot(plot, rows)


@app.command(hidden=True)
def sibling() -> None:
    """Be one more process of a running server; started by it."""
    import_module("linarite.siblings").run()


def _settings(**given: object) -> Settings:
    try:
        return load(os.environ, **{name: value for name, value in given.items() if value is not None})
    except BadSettings as error:
        _fail(str(error))


def _ready(data: Path | None) -> dict[str, Any]:
    """What a running server tells of itself, the owner's secret included."""
    try:
        known = client.ready(_settings(data=data).data)
    except client.NotRunning as error:
        _fail(str(error))
    if known["clientSecret"] is None:
        _fail(client.SEALED)
    return known


def _serve(settings: Settings, ready_file: Path | None) -> None:
    server = import_module("linarite.serving")
    try:
        server.run(settings, os.environ, ready_file, partial(_announce, settings.data))
    except server.TROUBLE as error:
        _fail(str(error))


def _announce(data: Path, ready: Ready) -> None:
    known = ready.content
    typer.echo(f"Linarite serves {known['armEndpoint']}")
    if known["clientSecret"] is None:
        typer.echo(f"  {client.SEALED}")
    else:
        program, folder = _program(), _option(data)
        names = ("subscriptionId", "resourceGroup", "workspace")
        typer.echo("  subscription {}, group {}, workspace {}".format(*(known[name] for name in names)))
        typer.echo(f'  in another terminal: eval "$({program} env{folder})" && {program} keys{folder}')
    typer.echo("  Ctrl-C stops it.")


def _program() -> str:
    """This program as it was called, for a line that is copied."""
    called = sys.argv[0]
    return "linarite" if Path(called).name != "linarite" or called == shutil.which("linarite") else shlex.quote(called)


def _option(data: Path) -> str:
    """What names the data folder to another command of this user; nothing where that is its default."""
    return "" if data == load(os.environ).data else f" --data {shlex.quote(str(data))}"


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)


def main() -> None:
    """Entry point of the `linarite` command."""
    app()
