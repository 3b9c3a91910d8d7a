"""The command that holds the others, and how each of them ends."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Sequence

import click

from famcore import FamError, __version__
from famcore.cli import output
from famcore.cli.say import LogLines, erase_passing, say, say_error

#: Each command's module, in which it has the same name, as far as Python takes it.
COMMANDS = {
    "watch": "famcore.cli.watch",
    "run": "famcore.cli.run",
    "backends": "famcore.cli.backends",
    "doctor": "famcore.cli.doctor",
    "check-backend": "famcore.cli.check_backend",
    "new-backend": "famcore.cli.new",
    "new-consumer": "famcore.cli.new",
}


class _Commands(click.Group):
    """Imports a command when it is asked for: what one needs, the others need not wait for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name])
        command = getattr(module, cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="fam %(version)s")
def fam() -> None:
    """Tell what happens to files, through whatever backend of famcore is installed."""


def run(arguments: Sequence[str]) -> int:
    """Run `fam` with `arguments`; return the exit code."""
    logging.getLogger("famcore").addHandler(LogLines(logging.WARNING))
    # A descriptor 1 that was closed would be given to the next file that is opened.
    if sys.stdout is None:
        say("standard output is closed")
        return 1
    try:
        try:
            return _end_of(arguments)
        finally:
            erase_passing()
    except BrokenPipeError:
        return 0
    except (FamError, OSError) as error:
        say_error(error)
        return 1


def _end_of(arguments: Sequence[str]) -> int:
    # Not `fam.main`, which has ends of its own for ^C and for a reader that left.
    try:
        with fam.make_context("fam", list(arguments)) as context:
            return int(fam.invoke(context))
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    finally:
        output.flush()
