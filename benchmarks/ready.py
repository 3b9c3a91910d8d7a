"""What a tree costs: time until it is watched, memory, and an operation in it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import ClassVar, NamedTuple

from benchmarks import bursts, trees
from benchmarks.measure import InTurn, loss, middle, number, ratios
from benchmarks.processes import Watching, Writing
from benchmarks.told import PROBE, resident
from benchmarks.watchers import Watcher
from benchmarks.workloads import END, WORKLOADS, Workload

#: In each directory.
FILES = 2
#: Seconds for a watcher to come to rest before its memory is asked for.
_REST = 0.5
#: Directories of a big tree that give a watcher one more second until it is given up.
_PER_SECOND = 10_000


class Round(NamedTuple):
    """What came of it; None: it never watched."""

    #: Seconds from the call until a change deep in the tree was told.
    ready: float | None
    #: Seconds of CPU until then.
    cpu: float | None
    #: Entries that it told as being there.
    standing: int
    #: Bytes of memory at rest, and those before the call.
    memory: int | None
    before: int | None
    #: What came of a burst afterwards.
    burst: bursts.Round


class Row(NamedTuple):
    """Medians of the rounds."""

    watcher: str
    ready: float | None
    #: `ready` as a multiple of famcore's.
    ratio: float | None
    cpu: float | None
    standing: int
    #: MiB.
    memory: float | None
    before: float | None
    #: `memory` as a multiple of famcore's.
    memory_ratio: float | None
    #: µs of CPU for one operation.
    cost: float | None
    #: Names that were never told, in the worst round.
    lost: int
    #: Records of the kernel that were never read, in the worst round.
    unread: int


class Ready(InTurn):
    """A tree of so many directories with two files in each, and one more deep in it."""

    headings: ClassVar = (
        "watcher",
        "ready s",
        "ratio",
        "CPU s",
        "entries told",
        "resident MiB",
        "ratio",
        "of it before",
        "CPU µs/op",
        "names lost",
        "unread",
    )

    @property
    def _workload(self) -> Workload:
        return WORKLOADS["churn"]._replace(directories=self.size)

    @property
    def title(self) -> str:
        entries = self.size * (1 + FILES)
        return (
            f"a tree of {self.size:,} directories with {entries:,} entries: until it is watched, "
            f"then {self._workload.operations:,} operations in it"
        )

    def prepare(self, top: str) -> None:
        trees.make(top, self.size, FILES)

    def once(self, watcher: Watcher, deadline: float, top: str) -> Round:
        workload = self._workload
        probe = os.path.join(trees.directories(self.size)[-1], PROBE)
        trees.touch(os.path.join(top, probe))
        with ExitStack() as stack:
            writing = stack.enter_context(Writing(workload, top))
            patience = deadline + self.size / _PER_SECOND
            watching = stack.enter_context(
                Watching(watcher, top, "recursive", probe=probe, patience=patience)
            )
            start = watching.start() if watching.is_watching() else None
            if start is None:
                return Round(None, None, 0, None, None, bursts.lost_all(workload))
            time.sleep(_REST)
            memory = resident(watching.process.pid)
            burst = bursts.burst(watching, writing, workload, deadline)
            os.unlink(os.path.join(top, END))
        return Round(start.seconds, start.cpu, start.standing, memory, start.before, burst)

    def summarise(self, rounds: Mapping[str, Sequence[Round]]) -> list[Row]:
        ready = {name: middle(each.ready for each in of_one) for name, of_one in rounds.items()}
        memory = {name: _mib(each.memory for each in of_one) for name, of_one in rounds.items()}
        ratio, memory_ratio = ratios(ready), ratios(memory)
        return [
            Row(
                name,
                ready[name],
                ratio[name],
                middle(each.cpu for each in of_one),
                min(each.standing for each in of_one),
                memory[name],
                _mib(each.before for each in of_one),
                memory_ratio[name],
                bursts.cost([each.burst for each in of_one], self._workload),
                max(each.burst.lost for each in of_one),
                max(each.burst.unread for each in of_one),
            )
            for name, of_one in rounds.items()
        ]

    def cells(self, row: Row) -> list[str]:
        return [
            row.watcher,
            number(row.ready),
            number(row.ratio),
            number(row.cpu),
            number(row.standing, 0),
            number(row.memory, 1),
            number(row.memory_ratio),
            number(row.before, 1),
            number(row.cost),
            loss(row.lost),
            loss(row.unread),
        ]


def _mib(values: Iterable[int | None]) -> float | None:
    value = middle(values)
    return None if value is None else value / 2**20
