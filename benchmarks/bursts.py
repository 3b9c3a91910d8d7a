"""What an operation of a burst costs, and what is lost in it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from statistics import median
from typing import ClassVar, NamedTuple

from benchmarks.measure import InTurn, loss, middle, number, ratios
from benchmarks.processes import Watching, Writing
from benchmarks.watchers import Watcher
from benchmarks.workloads import RECORD, WORKLOADS, Workload


class Round(NamedTuple):
    """What came of it."""

    #: Seconds of the watcher's process, from the go signal to the last event that it told.
    cpu: float
    #: Events that it told.
    told: int
    #: Names that it did not tell.
    lost: int
    #: Records of the kernel that it never read: the queue overflowed, or it gave up reading.
    unread: int

    @property
    def is_lossy(self) -> bool:
        return self.lost > 0 or self.unread > 0


class Row(NamedTuple):
    """One watcher on one workload: medians, over the rounds without loss if there are any."""

    watcher: str
    #: µs of CPU for one operation; None if nothing was told.
    cpu: float | None
    #: `cpu` as a multiple of famcore's.
    ratio: float | None
    told: float
    #: Names that were never told, in the worst round.
    lost: int
    #: Records of the kernel that were never read, in the worst round.
    unread: int
    #: In how many rounds a name was lost or a record not read.
    lossy_rounds: int
    rounds: int


def burst(watching: Watching, writing: Writing, workload: Workload, deadline: float) -> Round:
    """Have a workload written and watched. `deadline`: seconds after its end to tell all."""
    names = workload.expected()
    records = workload.operations + 1
    begun = watching.expect(names)
    if begun is None:
        return lost_all(workload)
    before = watching.has_read()
    writing.run()
    end = watching.follow(begun, deadline)
    unread = records - (watching.has_read() - before) // RECORD
    return Round(end.cpu, end.told, end.missing, max(0, unread))


def lost_all(workload: Workload) -> Round:
    """What comes of it when nobody watches."""
    return Round(0.0, 0, len(workload.expected()), workload.operations + 1)


def best(rounds: Sequence[Round]) -> Sequence[Round]:
    """Those without loss, if there are any."""
    return [each for each in rounds if not each.is_lossy] or rounds


def cost(rounds: Sequence[Round], workload: Workload) -> float | None:
    """µs of CPU for one operation."""
    used = middle(each.cpu for each in best(rounds) if each.told)
    return None if used is None else used / workload.operations * 1e6


class Bursts(InTurn):
    """The workload of its name, in so many operations."""

    headings: ClassVar = (
        "watcher",
        "CPU µs/op",
        "ratio",
        "events told",
        "names lost",
        "unread",
        "lossy rounds",
    )

    @property
    def _workload(self) -> Workload:
        return WORKLOADS[self.name]._replace(operations=self.size)

    @property
    def title(self) -> str:
        workload = self._workload
        return f"{workload.describe()} ({len(workload.expected()):,} names to tell)"

    def once(self, watcher: Watcher, deadline: float, top: str) -> Round:
        workload = self._workload
        how = ["recursive"] if workload.directories else []
        with ExitStack() as stack:
            # The writer's preparations are over before anyone watches.
            directory = stack.enter_context(tempfile.TemporaryDirectory(dir=top))
            writing = stack.enter_context(Writing(workload, directory))
            watching = stack.enter_context(Watching(watcher, directory, *how, patience=deadline))
            if not watching.is_watching():
                return lost_all(workload)
            return burst(watching, writing, workload, deadline)

    def summarise(self, rounds: Mapping[str, Sequence[Round]]) -> list[Row]:
        costs = {name: cost(of_one, self._workload) for name, of_one in rounds.items()}
        multiples = ratios(costs)
        return [
            Row(
                name,
                costs[name],
                multiples[name],
                median(each.told for each in best(of_one)),
                max(each.lost for each in of_one),
                max(each.unread for each in of_one),
                sum(each.is_lossy for each in of_one),
                len(of_one),
            )
            for name, of_one in rounds.items()
        ]

    def cells(self, row: Row) -> list[str]:
        return [
            row.watcher,
            number(row.cpu),
            number(row.ratio),
            number(row.told, 0),
            loss(row.lost),
            loss(row.unread),
            f"{row.lossy_rounds} of {row.rounds}",
        ]
