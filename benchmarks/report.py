"""What came of all rounds: a table to read, JSON to keep."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.measure import Round
from benchmarks.watchers import WATCHERS
from benchmarks.workloads import Workload

#: The rounds of each watcher, by its name.
Rounds = Mapping[str, Sequence[Round]]


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


def describe_machine() -> dict[str, Any]:
    """What the figures depend on."""
    queue = Path("/proc/sys/fs/inotify/max_queued_events").read_text()
    return {
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "max_queued_events": int(queue),
        "load": round(os.getloadavg()[0], 2),
    }


def find_versions(watchers: Sequence[str]) -> dict[str, str]:
    """The versions of the watchers' distributions."""
    distributions = {WATCHERS[name].distribution for name in watchers}
    return {name: version(name) for name in sorted(filter(None, distributions))}


def summarise(workload: Workload, rounds: Rounds) -> list[Row]:
    """The rows of one workload."""
    first = next(iter(WATCHERS))
    base = _cpu(workload, rounds[first]) if first in rounds else None
    rows = []
    for name, of_one in rounds.items():
        cpu = _cpu(workload, of_one)
        rows.append(
            Row(
                name,
                cpu,
                cpu / base if cpu is not None and base else None,
                median(each.told for each in _best(of_one)),
                max(each.lost for each in of_one),
                max(each.unread for each in of_one),
                sum(map(_is_lossy, of_one)),
            )
        )
    return rows


def _is_lossy(each: Round) -> bool:
    return each.lost > 0 or each.unread > 0


def _best(rounds: Sequence[Round]) -> Sequence[Round]:
    return [each for each in rounds if not _is_lossy(each)] or rounds


def _cpu(workload: Workload, rounds: Sequence[Round]) -> float | None:
    used = [each.cpu for each in _best(rounds) if each.told]
    return median(used) / workload.operations * 1e6 if used else None


def format_table(workload: Workload, rows: Sequence[Row], rounds: int) -> str:
    """The rows as a Markdown table under the workload's title."""
    names = len(workload.expected())
    lines = [
        f"{workload.title.format(workload.operations)} ({names:,} names to tell)",
        "",
        "| watcher | CPU µs/op | ratio | events told | names lost | unread | lossy rounds |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        cells = [
            row.watcher,
            "–" if row.cpu is None else f"{row.cpu:.2f}",
            "–" if row.ratio is None else f"{row.ratio:.2f}",
            f"{row.told:,.0f}",
            f"**{row.lost:,}**" if row.lost else "0",
            f"**{row.unread:,}**" if row.unread else "0",
            f"{row.lossy_rounds} of {rounds}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)
