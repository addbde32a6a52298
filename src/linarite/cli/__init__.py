"""The command line. Every error is a sentence with the next step, on standard error, with exit status 1.

A command imports what it alone needs when it runs, so that `--help` answers at once.
"""

from __future__ import annotations

import io
import sys

from linarite.cli.applications import applications
from linarite.cli.faults import faults
from linarite.cli.groups import Group
from linarite.cli.server import env, identity, keys, proxy
from linarite.cli.trail import access, trails
from linarite.cli.up import sibling, up
from linarite.cli.users import users
from linarite.cli.workshop import bench, demo, doctor, settings

COMMANDS = (up, env, keys, doctor, demo, settings, bench, identity, access, proxy, sibling)
GROUPS = (applications, users, faults, trails)

app = Group(
    help="An Azure Machine Learning workspace server that Azure's own clients cannot tell from the real thing.",
    commands=[*COMMANDS, *GROUPS],
    context_settings={"show_default": True},
)


def main() -> None:
    """Entry point of the `linarite` command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # where the terminal has no ✓, a server starts all the same
    app()
