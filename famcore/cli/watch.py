"""`fam watch`: print what happens to files."""

from __future__ import annotations

import click

from famcore import DEFAULT_IGNORE, EventCode, FileMonitor
from famcore.cli import lines, options
from famcore.cli.follow import Follower

ALL = frozenset(EventCode)
EXISTING = frozenset({EventCode.EXISTS, EventCode.END_EXIST})


@click.command(short_help="Print what happens to files.")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=options.path)
@click.option("-r", "--recursive", is_flag=True, help="Directories with all that is in them.")
@click.option("-b", "--backend", metavar="NAME", help="The backend to use, not the best one.")
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line.")
@click.option("--print0", is_flag=True, help="Only the full paths, each followed by NUL.")
@click.option(
    "--format",
    "template",
    metavar="FORMAT",
    type=options.template,
    help=r"Text with {field}s of --json and \n \t \0; a newline is added if neither ends it.",
)
@click.option("--ignore", metavar="GLOB", multiple=True, help="Ignore such names too.")
@click.option("--no-default-ignore", is_flag=True, help="Don't ignore editors' files.")
@click.option(
    "--only", metavar="CODES", type=options.codes, help=f"Of {','.join(EventCode)}, only these."
)
@click.option("--no-exists", is_flag=True, help="Not what is there already, exists and endExist.")
@click.option("--count", metavar="N", type=click.IntRange(1), help="End after N events.")
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=options.seconds,
    help="End with exit code 3 after so long without an event.",
)
@click.option(
    "--consumer",
    "consumers",
    metavar="NAME[:KEY=VALUE,...]",
    multiple=True,
    type=options.consumer,
    help="Turn on a consumer plugin.",
)
def watch(
    *,
    paths: tuple[str, ...],
    recursive: bool,
    backend: str | None,
    as_json: bool,
    print0: bool,
    template: lines.Lines | None,
    ignore: tuple[str, ...],
    no_default_ignore: bool,
    only: frozenset[EventCode] | None,
    no_exists: bool,
    count: int | None,
    timeout: float | None,
    consumers: tuple[tuple[str, dict[str, str]], ...],
) -> int:
    """Print what happens to each PATH, a file or a directory: a line for each event.

    What is there already comes first, as exists and endExist. A PATH that is missing is waited
    for. When all are monitored, "fam: watching ..." is written to stderr.

    Exit codes: 0 done, 1 error, 2 usage, 3 timeout, 130 interrupted.
    """
    codes = (ALL if only is None else only) - (EXISTING if no_exists else frozenset())
    if not codes:
        raise click.UsageError("--no-exists leaves nothing of --only to be printed")
    if as_json + print0 + (template is not None) > 1:
        raise click.UsageError("--json, --print0 and --format exclude each other")
    how = template or (lines.json if as_json else lines.print0 if print0 else lines.human)
    follower = Follower(how, codes, count=count, timeout=timeout)
    fam = FileMonitor(
        backend,
        ignore=(*(() if no_default_ignore else DEFAULT_IGNORE), *ignore),
        consumers=[*consumers, follower],
    )
    return follower.follow(fam, paths, recursive=recursive)
