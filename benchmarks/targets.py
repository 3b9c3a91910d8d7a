"""What famcore is to reach, beside others in the same run, and whether it did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from benchmarks.idle import TICK
from benchmarks.imports import PLUGGY
from benchmarks.measure import FIRST, format_table, number

#: A measure's rows, as JSON has them, by the measure's name.
Rows = Mapping[str, list[dict[str, Any]]]

#: famcore's rows, which all have to reach a target: a handler's, a consumer's.
OURS = (FIRST, f"{FIRST}-consumer")


class Target(NamedTuple):
    """A value is at most so many times another; or, beside nothing, at most so much."""

    title: str
    measure: str
    column: str
    limit: float
    #: Whose value in the same column it is held against.
    beside: str | None = None
    #: In which other measure, of famcore's own.
    of: str | None = None
    #: Whose value it is.
    ours: tuple[str, ...] = OURS

    @property
    def text(self) -> str:
        """What is wanted."""
        of = self.beside or self.of
        return f"{self.title}: at most {self.limit:g}" + (f" × {of}" if of else "")


class Verdict(NamedTuple):
    """What came of a target."""

    target: str
    #: In the order of `Target.ours`; None: not measured.
    values: list[float | None]
    #: None: not measured.
    met: bool | None
    #: What is to be known beside it.
    remark: str


def _creates(name: str, count: str) -> list[Target]:
    title = f"{count} creates, CPU"
    return [
        Target(title, name, "cpu", 0.45, "watchfiles"),
        Target(title, name, "cpu", 1.3, "c-reader"),
    ]


TARGETS = (
    *_creates("creates", "10,000"),
    Target("10,000 creates, CPU", "creates", "cpu", 0.2, "watchdog"),
    *_creates("creates-50000", "50,000"),
    *_creates("creates-100000", "100,000"),
    Target("writes, CPU", "writes", "cpu", 0.7, "watchfiles"),
    Target("churn in a tree, CPU", "churn", "cpu", 0.65, "watchfiles"),
    Target("delay p50", "delay", "p50", 1.25, "inotify_simple"),
    Target("delay p99", "delay", "p99", 1.5, "inotify_simple"),
    Target("ready on 60,000 entries", "tree-20000", "ready", 1.0, "watchfiles"),
    Target("resident memory there", "tree-20000", "memory", 1.3, "watchfiles"),
    Target("CPU/op at 100,000 directories", "tree-100000", "cost", 1.5, of="tree-1000"),
    Target("wake-ups in ten idle seconds", "idle", "wakeups", 2),
    Target("ms of CPU in them", "idle", "cpu", TICK * 1e3),
    Target("import famcore", "imports", "time", 1.5, PLUGGY, ours=("import famcore",)),
)


def judge(target: Target, rows: Rows) -> Verdict:
    """What came of it."""
    ours = [_find(rows, target.measure, name) for name in target.ours]
    values = [_value(target, row, rows) for row in ours]
    measured = [value for value in values if value is not None]
    lossy = any(_lost(row) for row in ours if row)
    met = all(value <= target.limit for value in measured) and not lossy if measured else None
    remarks = ["famcore lost some"] if lossy else []
    theirs = _find(rows, target.measure, target.beside) if target.beside else None
    if theirs and _lost(theirs):
        remarks.append(f"{target.beside} lost some")
    return Verdict(target.text, values, met, "; ".join(remarks))


def _find(rows: Rows, measure: str, name: str) -> dict[str, Any] | None:
    found = [row for row in rows.get(measure, []) if row["watcher"] == name]
    return found[0] if found else None


def _lost(row: Mapping[str, Any]) -> bool:
    return bool(row.get("lost") or row.get("unread"))


def _value(target: Target, row: dict[str, Any] | None, rows: Rows) -> float | None:
    value: float | None = row[target.column] if row else None
    if target.beside is None and target.of is None:
        return value
    if target.beside is not None:
        other = _find(rows, target.measure, target.beside)
    else:
        other = _find(rows, target.of or "", row["watcher"]) if row else None
    base = other[target.column] if other else None
    return value / base if value is not None and base else None


def format_verdicts(verdicts: list[Verdict]) -> str:
    """All of them, as a Markdown table."""
    headings = "target", "handler", "consumer", "met", "remark"
    return format_table("targets", headings, map(_cells, verdicts))


def _cells(verdict: Verdict) -> list[str]:
    values = [number(value, 3) for value in verdict.values]
    met = "–" if verdict.met is None else "yes" if verdict.met else "**no**"
    return [verdict.target, *values, *[""] * (2 - len(values)), met, verdict.remark]
