"""The options that `fam watch` and `fam run` share: what is to be monitored, and how."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import click

from famcore import DEFAULT_IGNORE
from famcore.cli import options
from famcore.cli.monitors import Asked
from famcore.cli.settle import LONGEST, Patience

#: The path that stands for standard input.
STDIN = "-"


def asks_for_monitors(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command these arguments and options; it is called with an `Asked`, `asked`."""

    @functools.wraps(command)
    def wrapped(
        *,
        paths: tuple[str, ...],
        from0: bool,
        ignore: tuple[str, ...],
        no_default_ignore: bool,
        **others: Any,
    ) -> int:
        names = [name for name, _ in others["consumers"]]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise click.UsageError(f"--consumer {twice} is given twice")
        asked = Asked(
            paths=_with_stdin(paths, b"\0" if from0 else b"\n"),
            ignore=(*(() if no_default_ignore else DEFAULT_IGNORE), *ignore),
            **{name: others.pop(name) for name in ("recursive", "backend", "consumers", "strict")},
        )
        return command(asked=asked, **others)

    for decorate in reversed(_SHARED):
        wrapped = decorate(wrapped)
    return wrapped


_SHARED = (
    click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=options.path),
    click.option("-r", "--recursive", is_flag=True, help="Directories with all that is in them."),
    click.option("-b", "--backend", metavar="NAME", help="The backend to use, not the best one."),
    click.option("--from0", is_flag=True, help="PATHs on stdin end with NUL, not with newline."),
    click.option(
        "--ignore",
        metavar="GLOB",
        multiple=True,
        type=options.glob,
        help="Ignore such names too.",
    ),
    click.option("--no-default-ignore", is_flag=True, help="Don't ignore editors' files."),
    click.option(
        "--consumer",
        "consumers",
        metavar="NAME[:KEY=VALUE,...]",
        multiple=True,
        type=options.consumer,
        help="Turn on a consumer plugin.",
    ),
    click.option(
        "--strict", is_flag=True, help="End with exit code 4 when something is not covered."
    ),
)


def _with_stdin(paths: tuple[str, ...], end: bytes) -> tuple[str, ...]:
    """`paths` with those that standard input names in the place of `-`."""
    if STDIN not in paths:
        if end != b"\n":
            raise click.UsageError(f"--from0 is about paths on standard input: give {STDIN!r} too")
        return paths
    if paths.count(STDIN) > 1:
        raise click.UsageError(f"{STDIN!r} is given twice: standard input can be read once")
    try:
        with open(0, "rb", closefd=False) as stdin:
            named = [os.fsdecode(line) for line in stdin.read().split(end) if line]
    except OSError as error:
        error.filename = "standard input"
        raise
    if any("\0" in path for path in named):
        raise click.UsageError("a path on standard input contains a NUL: give --from0")
    place = paths.index(STDIN)
    whole = (*paths[:place], *named, *paths[place + 1 :])
    if not whole:
        raise click.UsageError("standard input names no path")
    return whole


def patience(settle: float, settle_max: float | None) -> Patience:
    """What `--settle` and `--settle-max` come to."""
    if settle_max is None:
        return Patience(settle, settle * LONGEST)
    if settle_max < settle:
        raise click.UsageError(f"--settle-max {settle_max:g} is less than --settle {settle:g}")
    return Patience(settle, settle_max)
