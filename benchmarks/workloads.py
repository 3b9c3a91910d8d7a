"""What happens in the watched directory, while the watchers are measured."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from benchmarks import trees
from benchmarks.trees import touch

#: Made when all else is done: who has told it was there to the end.
END = "END"

#: Bytes of the kernel's record of an event: inotify(7) pads a name of up to 15 bytes to 16.
RECORD = 32
#: Seconds between two changes that are made one by one.
TICK = 0.002
#: Of a tree, so many directories are busy.
BUSY = 1_000

#: Prepares, yields, carries out, returns what it has to say.
Steps = Generator[None, None, Any]


class Workload(NamedTuple):
    """So many operations, each of which makes one record."""

    name: str
    #: For the table; filled in with the workload itself.
    title: str
    operations: int
    #: The files that a watcher has to tell; `END` comes last.
    files: Callable[[Workload], list[str]]
    #: Carries it out in a directory.
    steps: Callable[[Workload, str], Steps]
    #: In the directory; none: it is flat.
    directories: int = 0

    def expected(self) -> list[str]:
        """The names that a watcher has to tell."""
        return [*self.files(self), END]

    def describe(self) -> str:
        """What it is, with its numbers."""
        return self.title.format(self)


def _numbered(count: int) -> list[str]:
    return [f"f{number:06}" for number in range(count)]


def _created(workload: Workload) -> list[str]:
    return _numbered(workload.operations)


def _creates(workload: Workload, directory: str) -> Steps:
    paths = [os.path.join(directory, name) for name in _created(workload)]
    yield
    for path in paths:
        touch(path)


def _ticks(workload: Workload, directory: str) -> Steps:
    """Says by name when it made each file."""
    made: dict[str, float] = {}
    names = _created(workload)
    yield
    due = time.monotonic()
    for name in names:
        due += TICK
        time.sleep(max(0.0, due - time.monotonic()))
        made[name] = time.monotonic()
        touch(os.path.join(directory, name))
    return made


def _written(workload: Workload) -> list[str]:
    return _numbered(min(workload.operations, 100))


def _writes(workload: Workload, directory: str) -> Steps:
    flags = os.O_CREAT | os.O_WRONLY
    files = [os.open(os.path.join(directory, name), flags) for name in _written(workload)]
    yield
    for number in range(workload.operations):
        os.write(files[number % len(files)], b"x")


def _churned(workload: Workload) -> list[str]:
    """A file for each three operations, in turn in each of the busy directories."""
    paths = trees.directories(workload.directories)
    busy = paths[:: max(1, len(paths) // BUSY)][:BUSY]
    names = _numbered(workload.operations // 3)
    return [f"{busy[number % len(busy)]}/{name}" for number, name in enumerate(names)]


def _churn(workload: Workload, directory: str) -> Steps:
    """Each file is written to when it is made, and removed when all directories had their turn."""
    trees.make(directory, workload.directories)
    paths = [os.path.join(directory, name) for name in _churned(workload)]
    yield
    for number, path in enumerate(paths):
        with open(path, "wb", buffering=0) as file:
            file.write(b"x")
        if number >= BUSY:
            os.unlink(paths[number - BUSY])
    for path in paths[-BUSY:]:
        os.unlink(path)


def carry_out(workload: Workload, directory: str) -> Steps:
    """Prepare it, yield, carry it out and make `END`."""
    said = yield from workload.steps(workload, directory)
    touch(os.path.join(directory, END))
    return said


_MADE = "{0.operations:,} files made in one burst in one directory"

WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("creates", _MADE, 10_000, _created, _creates),
        Workload("creates-50000", _MADE, 50_000, _created, _creates),
        Workload("creates-100000", _MADE, 100_000, _created, _creates),
        Workload(
            "writes", "{0.operations:,} one-byte writes over 100 files", 50_000, _written, _writes
        ),
        Workload(
            "churn",
            "{0.operations:,} creates, writes, removes in a tree of {0.directories:,} directories",
            30_000,
            _churned,
            _churn,
            BUSY,
        ),
        Workload("ticks", "{0.operations:,} files, one each 2 ms", 1_000, _created, _ticks),
    )
}
