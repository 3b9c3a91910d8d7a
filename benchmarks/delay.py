"""How long after a change it is told, when changes come one by one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import ClassVar, NamedTuple

from benchmarks.measure import InTurn, loss, middle, number, ratios
from benchmarks.processes import Watching, Writing
from benchmarks.watchers import Watcher
from benchmarks.workloads import WORKLOADS, Workload


class Round(NamedTuple):
    """What came of it: seconds from before the change to when it was told, of what was told."""

    p50: float | None
    p99: float | None
    #: Changes that were not told.
    lost: int


class Row(NamedTuple):
    """Medians of the rounds, in µs."""

    watcher: str
    p50: float | None
    #: `p50` as a multiple of famcore's.
    ratio: float | None
    p99: float | None
    #: `p99` as a multiple of famcore's.
    ratio99: float | None
    #: In the worst round.
    lost: int


def spread(made: Mapping[str, float], told: Mapping[str, float]) -> Round:
    """Of what was made at these times and told at those."""
    delays = sorted(told[name] - when for name, when in made.items() if name in told)
    lost = len(made) - len(delays)
    if not delays:
        return Round(None, None, lost)
    return Round(delays[len(delays) // 2], delays[len(delays) * 99 // 100], lost)


class Delay(InTurn):
    """So many files, made one each 2 ms."""

    headings: ClassVar = ("watcher", "p50 µs", "ratio", "p99 µs", "ratio", "changes lost")

    @property
    def _workload(self) -> Workload:
        return WORKLOADS["ticks"]._replace(operations=self.size)

    @property
    def title(self) -> str:
        return f"delay of {self._workload.describe()}"

    def once(self, watcher: Watcher, deadline: float, top: str) -> Round:
        workload = self._workload
        nothing = Round(None, None, workload.operations)
        with ExitStack() as stack:
            directory = stack.enter_context(tempfile.TemporaryDirectory(dir=top))
            writing = stack.enter_context(Writing(workload, directory))
            watching = stack.enter_context(Watching(watcher, directory, "timed", patience=deadline))
            if not watching.is_watching():
                return nothing
            begun = watching.expect(workload.expected())
            if begun is None:
                return nothing
            made = writing.run()
            watching.follow(begun, deadline)
            told = watching.ask("times")
            return nothing if told is None else spread(made, told)

    def summarise(self, rounds: Mapping[str, Sequence[Round]]) -> list[Row]:
        halves = {name: _us(each.p50 for each in of_one) for name, of_one in rounds.items()}
        nearly_all = {name: _us(each.p99 for each in of_one) for name, of_one in rounds.items()}
        ratio, ratio99 = ratios(halves), ratios(nearly_all)
        return [
            Row(
                name,
                halves[name],
                ratio[name],
                nearly_all[name],
                ratio99[name],
                max(each.lost for each in of_one),
            )
            for name, of_one in rounds.items()
        ]

    def cells(self, row: Row) -> list[str]:
        return [
            row.watcher,
            number(row.p50, 0),
            number(row.ratio),
            number(row.p99, 0),
            number(row.ratio99),
            loss(row.lost),
        ]


def _us(seconds: Iterable[float | None]) -> float | None:
    value = middle(seconds)
    return None if value is None else value * 1e6
