"""What it costs until a program can begin."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple

from benchmarks.measure import Measure, Plan, middle, number
from benchmarks.watchers import Watcher

#: Which has no watcher, and is what famcore's plugins are made of.
PLUGGY = "import pluggy"
COMMAND = "fam --version"
_INTERPRETER = "python -c pass"


class Row(NamedTuple):
    """The median of the rounds."""

    #: What began.
    watcher: str
    #: ms.
    time: float
    #: `time` as a multiple of what `import pluggy` takes; None where interpreters begin, too.
    ratio: float | None


def import_time(module: str) -> float:
    """The seconds that an import takes, all that it imports included, in a new interpreter."""
    command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    package = module.partition(".")[0]
    total = 0
    for line in done.stderr.splitlines():
        *_, microseconds, name = line.removeprefix("import time:").split("|")
        # What another module imports is indented, and counted with it.
        if name.strip().partition(".")[0] == package and not name.startswith("  "):
            total += int(microseconds)
    return total / 1e6


def run_time(*command: str) -> float:
    """The seconds until a command is done."""
    began = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - began


class Imports(Measure):
    """What is imported and run so many times in turn; those there are of the watchers."""

    headings: ClassVar = ("what", "ms", "ratio to pluggy")

    @property
    def title(self) -> str:
        return f"until a program can begin, medians of {self.size}"

    def carry_out(self, watchers: Sequence[Watcher], plan: Plan) -> dict[str, list[Any]]:
        modules = {watcher.module for watcher in watchers if watcher.module}
        timed: dict[str, Callable[[], float]] = {
            f"import {module}": partial(import_time, module)
            for module in sorted({"pluggy", *modules})
        }
        timed[_INTERPRETER] = partial(run_time, sys.executable, "-c", "pass")
        script = os.path.join(sysconfig.get_path("scripts"), "fam")
        if os.path.exists(script):
            timed[COMMAND] = partial(run_time, script, "--version")
        self.log(", ".join(timed))
        # What is written to disk at a first time isn't counted.
        for once in timed.values():
            once()
        rounds: dict[str, list[Any]] = {name: [] for name in timed}
        for _ in range(self.size):
            for name, once in timed.items():
                rounds[name].append(once())
        return rounds

    def summarise(self, rounds: Mapping[str, Sequence[float]]) -> list[Row]:
        times = {name: (middle(of_one) or 0.0) * 1e3 for name, of_one in rounds.items()}
        return [
            Row(name, ms, ms / times[PLUGGY] if name.startswith("import ") else None)
            for name, ms in times.items()
        ]

    def cells(self, row: Row) -> list[str]:
        return [row.watcher, number(row.time, 1), number(row.ratio)]
