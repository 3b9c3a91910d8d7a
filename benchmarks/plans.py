"""Everything that is measured, and how much of it in a full run and in a quick one."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.bursts import Bursts
from benchmarks.delay import Delay
from benchmarks.idle import Idle
from benchmarks.imports import Imports
from benchmarks.measure import Measure, Plan
from benchmarks.ready import Ready
from benchmarks.workloads import WORKLOADS

_MEASURES = (
    Bursts("creates", WORKLOADS["creates"].operations),
    Bursts("creates-50000", WORKLOADS["creates-50000"].operations),
    Bursts("creates-100000", WORKLOADS["creates-100000"].operations),
    Bursts("writes", WORKLOADS["writes"].operations),
    Bursts("churn", WORKLOADS["churn"].operations),
    Delay("delay", WORKLOADS["ticks"].operations),
    Ready("tree-1000", 1_000),
    Ready("tree-20000", 20_000),
    Ready("tree-100000", 100_000),
    Idle("idle", 10),
    Imports("imports", 10),
)
MEASURES = {measure.name: measure for measure in _MEASURES}

#: Of what takes long or is steady, fewer rounds.
_ROUNDS = {"delay": 3, "tree-1000": 3, "tree-20000": 3, "tree-100000": 1, "idle": 1, "imports": 1}
_QUICK_ROUNDS = {"creates": 2}
_QUICK_SIZES = {"delay": 300, "imports": 5}
_NOT_QUICK = ("creates-50000", "tree-1000", "tree-100000")


def plan(names: Sequence[str] | None = None, *, quick: bool = False) -> list[tuple[Measure, Plan]]:
    """What is measured; a quick run of everything takes less than two minutes."""
    chosen = names or [name for name in MEASURES if not (quick and name in _NOT_QUICK)]
    return [(_quick if quick else _full)(MEASURES[name]) for name in chosen]


def _full(measure: Measure) -> tuple[Measure, Plan]:
    return measure, Plan(_ROUNDS.get(measure.name, 5), 10.0)


def _quick(measure: Measure) -> tuple[Measure, Plan]:
    size = _QUICK_SIZES.get(measure.name, measure.size)
    return measure.resized(size), Plan(_QUICK_ROUNDS.get(measure.name, 1), 5.0)
