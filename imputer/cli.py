"""``imputer``: one command per module of ``imputer.commands``, imported when it is used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from imputer.errors import WrongUsage
from schemas.errors import RunError, RunInProgress
from schemas.version import VERSION

# In the order in which a newcomer needs them.
COMMANDS = ("sources", "impute", "explain", "gaps", "report", "resolve", "batch", "backtest", "retention", "demo")


class Commands(click.Group):
    """The commands, each imported only when it is asked for: ``--help`` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """Names, in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"imputer.commands.{cmd_name}"), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 (click's signature)
        """Run the command; one clear line for every error that has one."""
        try:
            return super().invoke(ctx)
        except RunError as error:
            click.echo(f"{error.kind}: {error}", err=True)
            sys.exit(2 if isinstance(error, WrongUsage | RunInProgress) else 1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(VERSION, prog_name="imputer")
def main() -> None:
    """Fill what is missing in Canada's job data, and say of every value where it came from.

    \b
    Examples:
      imputer sources status           which input files are here, and how to get the others
      imputer impute                   the monthly run: writes output/wiq/latest
      imputer explain 412 Writing      where one value came from
      imputer gaps                     what is still missing, and why

    Exit status: 0 good, 1 failed, 2 wrong usage or another run in progress.
    """  # noqa: D301 (click reads the backspace)
