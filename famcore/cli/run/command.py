"""`fam run`: run a command on changes."""

from __future__ import annotations

import signal
from typing import Any

import click

from famcore import EventCode, FileMonitor
from famcore.cli import options
from famcore.cli.asked import asks_for_monitors, patience
from famcore.cli.monitors import Asked, Monitors
from famcore.cli.progress import Progress
from famcore.cli.run.handout import DIRECTORIES, Handout
from famcore.cli.run.manner import Busy, Manner
from famcore.cli.run.process import Stop
from famcore.cli.run.runner import Runner
from famcore.cli.run.words import PATHS, Words
from famcore.cli.signals import Signals

CHANGES = frozenset({EventCode.CREATED, EventCode.CHANGED, EventCode.DELETED})
#: Seconds without a change after which the command is run.
SETTLE = 0.1
#: Seconds that the command has to end.
STOP_TIMEOUT = 10.0


class _Command(click.Command):
    """All that follows the first `--` is the command, in which no option is looked for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        end = args.index("--") if "--" in args else len(args)
        rest = super().parse_args(ctx, args[:end])
        ctx.params["command"] = tuple(args[end + 1 :])
        if not ctx.params["command"]:
            raise click.UsageError(
                "there is no command: fam run PATH... -- COMMAND [ARGUMENT]...", ctx
            )
        return rest

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "-- COMMAND [ARGUMENT]..."]


@click.command(cls=_Command, short_help="Run a command on changes.")
@asks_for_monitors
@click.option(
    "--only",
    metavar="CODES",
    type=options.codes,
    help="Of exists,created,changed,deleted, only these are a reason; else the last three.",
)
@click.option(
    "--settle",
    metavar="SECONDS",
    type=options.seconds,
    default=SETTLE,
    help=f"Run it after so long without a change ({SETTLE:g}).",
)
@click.option(
    "--settle-max",
    metavar="SECONDS",
    type=options.seconds,
    help="Wait no longer than that for --settle (ten times as long as it).",
)
@click.option(
    "--busy",
    type=click.Choice([str(each) for each in Busy]),
    default="queue",
    help="About changes while it runs: run it again afterwards (queue, if nothing is said), end "
    "it and run it again (restart), send it a signal, ignore them.",
)
@click.option(
    "--signal",
    "number",
    metavar="NAME",
    type=options.signal,
    help="What --busy signal sends it (HUP).",
)
@click.option(
    "--stop-signal",
    metavar="NAME",
    type=options.signal,
    default="TERM",
    help="What it is ended by (TERM).",
)
@click.option(
    "--stop-timeout",
    metavar="SECONDS",
    type=options.seconds,
    default=STOP_TIMEOUT,
    help=f"Send it KILL if it has not ended after so long ({STOP_TIMEOUT:g}).",
)
@click.option("--postpone", is_flag=True, help="No run before the first change.")
@click.option("--once", is_flag=True, help="End after the first run, with its exit status.")
@click.option("--stdin", is_flag=True, help="It reads the events on its standard input.")
@click.option("--shell", is_flag=True, help="COMMAND is a script for sh, ARGUMENTs its $1, $2...")
def run(
    *,
    asked: Asked,
    command: tuple[str, ...],
    only: frozenset[EventCode] | None,
    settle: float,
    settle_max: float | None,
    busy: str,
    number: int | None,
    stop_signal: int,
    stop_timeout: float,
    shell: bool,
    postpone: bool,
    **others: Any,
) -> int:
    """Run COMMAND now, and again whenever something has changed at a PATH.

    Once for all changes that come within --settle of each other, and never twice at a time. Each
    ARGUMENT that is {} becomes the paths, one argument each; there is no run without any, so none
    at the beginning. The events are in the file that $FAM_EVENTS_FILE names, in lines as fam watch
    --json has them; their number is in $FAM_EVENT_COUNT, that of the run in $FAM_RUN. No name goes
    through a shell.

    Exit codes: 0 done, 1 error, 2 usage, 4 coverage lost, 126 and 127 if COMMAND can't be run,
    130 interrupted; with --once that of COMMAND.
    """
    if number is not None and busy != Busy.SIGNAL:
        raise click.UsageError("--signal is what --busy signal sends: give that too")
    if shell and any(PATHS in word for word in command[:1]):
        raise click.UsageError(f'--shell: {PATHS} is an ARGUMENT of its own; the script has "$@"')
    if not command[0]:
        raise click.UsageError("COMMAND is empty")
    if command[0] == PATHS:
        raise click.UsageError(f"COMMAND is {PATHS}: what is changed would itself be executed")
    codes = CHANGES if only is None else only - {EventCode.END_EXIST}
    if not codes:
        raise click.UsageError("--only endExist leaves no reason to run the command")
    words = Words(command, shell=shell)
    manner = Manner(
        busy=Busy(busy),
        signal=signal.SIGHUP if number is None else number,
        stop=Stop(stop_signal, stop_timeout),
        patience=patience(settle, settle_max),
        postpone=postpone,
        **others,
    )
    monitors = Monitors(asked, Progress())
    with Signals() as signals, Handout() as handout:
        runner = Runner(monitors, codes, words, manner, handout)
        fam = FileMonitor(
            asked.backend,
            ignore=(*asked.ignore, DIRECTORIES),
            consumers=[*asked.consumers, monitors, runner],
        )
        return runner.follow(fam, signals)
