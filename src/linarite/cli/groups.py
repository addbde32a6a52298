"""Groups of commands: in the order of a user's day, each with its whole sentence."""

from __future__ import annotations

import signal
from typing import Any

import click


class Group(click.Group):
    """A group whose help is an answer, asked for or not, and which Ctrl-C ends as it ends any program."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        try:
            return super().parse_args(context, arguments)
        except click.exceptions.NoArgsIsHelpError as usage:
            click.echo(usage.message)
            context.exit(usage.exit_code)

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            context.exit(128 + signal.SIGINT)

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        shown = [(name, command.help or "") for name, command in self.commands.items() if not command.hidden]
        with formatter.section("Commands"):
            formatter.write_dl(shown)
