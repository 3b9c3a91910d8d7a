"""What it costs to wait, when nothing happens."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from benchmarks.measure import Measure, Plan, middle, number
from benchmarks.processes import TMPFS, Watching
from benchmarks.watchers import Watcher

#: Seconds of the clock by which the kernel tells a process's CPU time.
TICK = 1 / os.sysconf("SC_CLK_TCK")
#: Seconds in which what came before comes to rest.
_REST = 2.5


class Row(NamedTuple):
    """Medians of the rounds."""

    watcher: str
    #: ms.
    cpu: float | None
    wakeups: float | None


class Round(NamedTuple):
    """What came of it; None: it did not watch."""

    #: Seconds, of the scheduler's own, fine clock.
    cpu: float | None
    #: Voluntary context switches: it was woken, found nothing, and waited again.
    wakeups: int | None


class Used(NamedTuple):
    """What a process's threads have used until now."""

    cpu: float
    wakeups: int


def used(process: int) -> Used:
    """By all its threads together."""
    cpu = wakeups = 0
    for task in Path(f"/proc/{process}/task").iterdir():
        cpu += int((task / "schedstat").read_text().split()[0])
        status = (task / "status").read_text()
        wakeups += int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])
    return Used(cpu / 1e9, wakeups)


def difference(begun: Used | None, ended: Used | None) -> Round:
    """What was used meanwhile."""
    if begun is None or ended is None:
        return Round(None, None)
    return Round(ended.cpu - begun.cpu, ended.wakeups - begun.wakeups)


class Idle(Measure):
    """So many seconds. All watchers wait at the same time, for they don't disturb each other."""

    headings: ClassVar = ("watcher", "CPU ms", "wake-ups")

    @property
    def title(self) -> str:
        return f"{self.size:,} seconds in which nothing happens"

    def carry_out(self, watchers: Sequence[Watcher], plan: Plan) -> dict[str, list[Any]]:
        rounds: dict[str, list[Any]] = {watcher.name: [] for watcher in watchers}
        for each in range(plan.rounds):
            self.log(f"{each + 1}/{plan.rounds}, all at once")
            with tempfile.TemporaryDirectory(dir=TMPFS) as top:
                for watcher, of_one in zip(watchers, self._wait(watchers, plan, top), strict=True):
                    rounds[watcher.name].append(of_one)
        return rounds

    def _wait(self, watchers: Sequence[Watcher], plan: Plan, top: str) -> list[Round]:
        with ExitStack() as stack:
            processes = []
            for watcher in watchers:
                directory = os.path.join(top, watcher.name)
                os.mkdir(directory)
                watching = stack.enter_context(Watching(watcher, directory, patience=plan.deadline))
                processes.append(watching.process.pid if watching.is_watching() else None)
            time.sleep(min(_REST, self.size))
            begun = [process and used(process) for process in processes]
            time.sleep(self.size)
            ended = [process and used(process) for process in processes]
        return [difference(*pair) for pair in zip(begun, ended, strict=True)]

    def summarise(self, rounds: Mapping[str, Sequence[Round]]) -> list[Row]:
        return [
            Row(
                name,
                middle(each.cpu and each.cpu * 1e3 for each in of_one),
                middle(each.wakeups for each in of_one),
            )
            for name, of_one in rounds.items()
        ]

    def cells(self, row: Row) -> list[str]:
        return [row.watcher, number(row.cpu), number(row.wakeups, 0)]
