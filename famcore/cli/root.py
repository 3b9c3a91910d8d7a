"""The command that holds the others, and how each of them ends."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence

import click

from famcore import FamError, __version__
from famcore.cli import output
from famcore.cli.backends import backends
from famcore.cli.check_backend import check_backend
from famcore.cli.doctor import doctor
from famcore.cli.new import new_backend, new_consumer
from famcore.cli.say import LogLines, say, say_error
from famcore.cli.watch import watch


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="fam %(version)s")
def fam() -> None:
    """Tell what happens to files, through whatever backend of famcore is installed."""


fam.add_command(watch)
fam.add_command(backends)
fam.add_command(doctor)
fam.add_command(check_backend)
fam.add_command(new_backend)
fam.add_command(new_consumer)


def run(arguments: Sequence[str]) -> int:
    """Run `fam` with `arguments`; return the exit code."""
    logging.getLogger("famcore").addHandler(LogLines(logging.WARNING))
    # A descriptor 1 that was closed would be given to the next file that is opened.
    if sys.stdout is None:
        say("standard output is closed")
        return 1
    try:
        return _end_of(arguments)
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
