"""What happens in the watched directory, while the watchers are measured."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

#: Made when all else is done: who has told it was there to the end.
END = "END"

#: Bytes of the kernel's record of an event: inotify(7) pads a name of up to 15 bytes to 16.
RECORD = 32


class Workload(NamedTuple):
    """So many operations on files in one directory, each of which makes one record."""

    name: str
    #: For the table; filled in with the number of operations.
    title: str
    operations: int
    #: The files that a watcher has to tell, of so many operations; `END` comes last.
    files: Callable[[int], list[str]]
    #: Prepares so many operations in a directory, yields, and carries them out.
    steps: Callable[[str, int], Iterator[None]]

    def expected(self) -> list[str]:
        """The names that a watcher has to tell."""
        return [*self.files(self.operations), END]


def _created(operations: int) -> list[str]:
    return [f"f{number:06}" for number in range(operations)]


def _creates(directory: str, operations: int) -> Iterator[None]:
    paths = [os.path.join(directory, name) for name in _created(operations)]
    yield
    for path in paths:
        _create(path)


def _written(operations: int) -> list[str]:
    return _created(min(operations, 100))


def _writes(directory: str, operations: int) -> Iterator[None]:
    flags = os.O_CREAT | os.O_WRONLY
    files = [os.open(os.path.join(directory, name), flags) for name in _written(operations)]
    yield
    for number in range(operations):
        os.write(files[number % len(files)], b"x")


def _create(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))


def carry_out(workload: Workload, directory: str) -> Iterator[None]:
    """Prepare it, yield, carry it out and make `END`."""
    yield from workload.steps(directory, workload.operations)
    _create(os.path.join(directory, END))


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            "creates", "{:,} files made in one burst in one directory", 10_000, _created, _creates
        ),
        Workload("writes", "{:,} one-byte writes over 100 files", 50_000, _written, _writes),
    )
}
