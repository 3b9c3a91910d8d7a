"""`fam new-backend` and `fam new-consumer`: a distribution that works, to begin with."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import click

from famcore.cli import output
from famcore.cli.say import say

_TO = click.option(
    "--to",
    "directory",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write it to DIR, which is new or empty, not to fam-NAME.",
)


@click.command(short_help="Write a backend to begin with.")
@click.argument("name", metavar="NAME")
@_TO
def new_backend(name: str, *, directory: Path | None) -> int:
    """Write a distribution with the backend NAME: one that works, and passes the tests of famcore.

    It polls. Put another source in the place of that, and run the tests as you go. Nothing is
    written over. The files are told on stdout, what to type next on stderr.

    Exit codes: 0 done, 1 error, 2 usage.
    """
    return _write("backend", name, directory, try_it="fam backends")


@click.command(short_help="Write a consumer to begin with.")
@click.argument("name", metavar="NAME")
@_TO
def new_consumer(name: str, *, directory: Path | None) -> int:
    """Write a distribution with the consumer NAME: one that works, with options and tests.

    It adds a line to a file for each event. Put there what you want to be done. Nothing is written
    over. The files are told on stdout, what to type next on stderr.

    Exit codes: 0 done, 1 error, 2 usage.
    """
    return _write("consumer", name, directory, try_it=f"fam watch --consumer {name}:file=told .")


def _write(kind: str, name: str, directory: Path | None, *, try_it: str) -> int:
    # Here, for it takes what the other commands do without.
    from famcore.cli import skeleton

    try:
        names = skeleton.names_of(name)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="NAME") from None
    skeleton.check_free(names, kind)
    directory = directory or Path(names.distribution)
    written = skeleton.write(kind, names, directory)
    output.write(b"".join(os.fsencode(path) + b"\n" for path in written))
    say(
        f"the {kind} {name} is in {directory}; to try it as it is:",
        f"  cd {shlex.quote(str(directory))}",
        "  pip install -e '.[test]'",
        f"  {try_it}",
        "  pytest",
        f"then make {names.module}/__init__.py do what you want",
    )
    return 0
