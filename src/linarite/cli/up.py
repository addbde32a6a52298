"""`linarite up`: serve, and say where; and the hidden command of a server's further processes."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import sys
import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from linarite import client, doorbell
from linarite.cli.options import PATH, data, database, fail, settings_of
from linarite.settings import load

if TYPE_CHECKING:
    from linarite.data_folder import Ready
    from linarite.settings import Settings


_ENDING = {signal.SIGINT, signal.SIGTERM}


@click.command()
@data
@click.option("--ephemeral", is_flag=True, help="Keep nothing: a new folder, removed at the end.")
@click.option("--bind", help="Address to listen on; 127.0.0.1 unless given.")
@click.option("--port", type=int, help="HTTPS port; 0 for any free one.")
@database
@click.option("--seed", help="sample or none: what a first start makes.")
@click.option("--workers", type=int, help="Processes that serve together.")
@click.option("--no-doors", is_flag=True, help="Serve the API alone.")
@click.option("--notebook", is_flag=True, help="Let notebook keys open Jupyter: code that runs as you, on loopback.")
@click.option("--ready-file", type=PATH, help="File to write when every listener answers.")
@click.option("--until-eof", is_flag=True, help="Stop when standard input ends, too: whoever started this is gone.")
def up(
    *,
    data: Path | None,
    ephemeral: bool,
    no_doors: bool,
    notebook: bool,
    ready_file: Path | None,
    until_eof: bool,
    **given: Any,
) -> None:
    """Serve until SIGINT or SIGTERM."""
    # Until the server listens for signals itself, SIGTERM unwinds as Ctrl-C does, so that nothing is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if no_doors:
        given["doors"] = False
    if notebook:
        given["notebook"] = True
    if not ephemeral:
        _serve(settings_of(data=data, **given), ready_file, until_eof=until_eof)
        return
    if data is not None:
        fail("--ephemeral keeps nothing and --data keeps everything: give one of them.")
    with contextlib.ExitStack() as stack:
        # A signal between the folder and who removes it would leave it behind: it waits.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="linarite-"))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)
        _serve(settings_of(data=Path(folder), **given), ready_file, until_eof=until_eof)


@click.command(hidden=True)
def sibling() -> None:
    """Be one more process of a running server; started by it."""
    _lean("linarite.siblings").run()


def _lean(name: str) -> Any:
    """A module that serves, without the colours that structlog would load for it: 4 MB, and 40 ms of every start."""
    with import_module("linarite.interpreter").without("rich"):
        return import_module(name)


def _serve(settings: Settings, ready_file: Path | None, *, until_eof: bool) -> None:
    server = _lean("linarite.serving")
    try:
        server.run(settings, os.environ, ready_file, partial(_announce, settings.data), until_eof=until_eof)
    except server.TROUBLE as error:
        fail(str(error))


def _announce(data: Path, ready: Ready) -> None:
    known = ready.content
    click.echo(f"Linarite serves {known['armEndpoint']}")
    if known["clientSecret"] is None:
        click.echo(f"  {client.SEALED}")
    else:
        program, folder = _program(), _option(data)
        names = ("subscriptionId", "resourceGroup", "workspace")
        click.echo("  subscription {}, group {}, workspace {}".format(*(known[name] for name in names)))
        click.echo(f'  in another terminal: eval "$({program} env{folder})" && {program} keys{folder}')
        if ready.owner is not None:
            click.echo("  in a browser: {}, password {} (shown this once)".format(*ready.owner))
        _announce_doors(ready)
    click.echo("  Ctrl-C stops it.")


def _announce_doors(ready: Ready) -> None:
    """Whether each door answers, in one line; and below it, why one does not."""
    rings = list(doorbell.ring(ready.content["doors"], ready.closed, ready.content["caBundle"]))
    marks = [f"{one.door} {'✗' if one.fault else '✓'}" for one in rings]
    click.echo(f"  doors: {' '.join(marks) or 'off'}")
    for one in rings:
        if one.fault:
            click.echo(f"    {one.door}: {one.fault}")


def _program() -> str:
    """This program as it was called, for a line that is copied."""
    called = sys.argv[0]
    return "linarite" if Path(called).name != "linarite" or called == shutil.which("linarite") else shlex.quote(called)


def _option(data: Path) -> str:
    """What names the data folder to another command of this user; nothing where that is its default."""
    return "" if data == load(os.environ).data else f" --data {shlex.quote(str(data))}"
