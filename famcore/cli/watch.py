"""`fam watch`: print what happens to files."""

from __future__ import annotations

import os
import sys

import click

from famcore import EventCode, FileMonitor
from famcore.cli import lines, options
from famcore.cli.asked import asks_for_monitors, patience
from famcore.cli.follow import Follower
from famcore.cli.monitors import Asked, Monitors
from famcore.cli.printer import Printer
from famcore.cli.progress import Progress
from famcore.cli.say import say
from famcore.cli.settle import Settle
from famcore.cli.stats import Stats

ALL = frozenset(EventCode)
EXISTING = frozenset({EventCode.EXISTS, EventCode.END_EXIST})


@click.command(short_help="Print what happens to files.")
@asks_for_monitors
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line.")
@click.option("--print0", is_flag=True, help="Only the full paths, each followed by NUL.")
@click.option(
    "--format",
    "template",
    metavar="FORMAT",
    type=options.template,
    help=r"Text with {field}s of --json and \n \t \0; a newline is added if neither ends it.",
)
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
    "--settle",
    metavar="SECONDS",
    type=options.seconds,
    help="Tell of a file that is made or changed once it has been quiet for so long.",
)
@click.option(
    "--settle-max",
    metavar="SECONDS",
    type=options.seconds,
    help="Wait no longer than that for --settle (ten times as long as it).",
)
@click.option("--stats", is_flag=True, help="At the end tell on stderr how many events it was.")
def watch(
    *,
    asked: Asked,
    as_json: bool,
    print0: bool,
    template: lines.Lines | None,
    only: frozenset[EventCode] | None,
    no_exists: bool,
    count: int | None,
    timeout: float | None,
    settle: float | None,
    settle_max: float | None,
    stats: bool,
) -> int:
    """Print what happens to each PATH, a file or a directory: a line for each event.

    What is there already comes first, as exists and endExist. A PATH that is missing is waited
    for; - stands for those on standard input. When all are monitored, "fam: watching ..." is
    written to stderr.

    Exit codes: 0 done, 1 error, 2 usage, 3 timeout, 4 coverage lost, 130 interrupted.
    """
    codes = (ALL if only is None else only) - (EXISTING if no_exists else frozenset())
    if not codes:
        raise click.UsageError("--no-exists leaves nothing of --only to be printed")
    if settle is None and settle_max is not None:
        raise click.UsageError("--settle-max is the longest wait of --settle: give that too")
    if as_json + print0 + (template is not None) > 1:
        raise click.UsageError("--json, --print0 and --format exclude each other")
    how = template or (lines.json if as_json else lines.print0 if print0 else _human())
    # Where the entries are printed themselves, they show how far it is.
    progress = Progress(is_wanted=EventCode.EXISTS not in codes or not sys.stdout.isatty())
    monitors = Monitors(asked, progress)
    counted = Stats() if stats else None
    printer = Printer(how, monitors, counted)
    settling = Settle(codes, None if settle is None else patience(settle, settle_max))
    follower = Follower(monitors, settling, printer, count=count, timeout=timeout)
    fam = FileMonitor(
        asked.backend, ignore=asked.ignore, consumers=[*asked.consumers, monitors, follower]
    )
    try:
        return follower.follow(fam)
    finally:
        if counted is not None:
            say(*counted.lines())


def _human() -> lines.Lines:
    if not sys.stdout.isatty():
        return lines.human
    in_colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return lines.on_terminal(os.getcwd(), in_colour=in_colour)
