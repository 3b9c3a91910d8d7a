"""One round: one watcher, one workload, two processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from contextlib import ExitStack
from multiprocessing import Pipe
from pathlib import Path
from typing import NamedTuple, Self

from benchmarks.told import PROBE, State
from benchmarks.watchers import Watcher
from benchmarks.workloads import RECORD, Workload

ROOT = Path(__file__).parents[1]
#: A tmpfs on every Linux.
TMPFS = "/dev/shm"

#: Seconds between two questions to a watcher, which cost it some 20 µs each.
_PAUSE = 0.1
#: Seconds for what the probes set off to come to rest.
_REST = 0.2


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


class _Process:
    """A module of this package, run in a process that is killed at the end."""

    def __init__(self, module: str, *arguments: object, **options: object) -> None:
        command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
        self.process = subprocess.Popen(command, cwd=ROOT, **options)  # type: ignore[call-overload]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.process.kill()
        with self.process:
            pass


class _Writing(_Process):
    """Carries out a workload, which is prepared when this is made."""

    def __init__(self, workload: Workload, directory: str) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        super().__init__("writing", workload.name, workload.operations, directory, **pipes)
        self._await("ready")

    def run(self) -> None:
        """Carry it out."""
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()
        self._await("done")

    def _await(self, word: str) -> None:
        line = self.process.stdout.readline().decode()
        if line.strip() != word:
            raise RuntimeError(f"the writing process ended before it was {word}")


class _Watching(_Process):
    """A watcher that is asked how far it is."""

    def __init__(self, watcher: Watcher, directory: str) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            descriptor = theirs.fileno()
            super().__init__("watching", watcher.name, directory, descriptor, pass_fds=[descriptor])

    def ask(self, names: Collection[str] | None = None, *, patience: float) -> State | None:
        """How far it is; None if it is gone, or does not answer within `patience` seconds.

        `names`: those that it has to tell from now on.
        """
        try:
            self._connection.send(names)
            return self._connection.recv() if self._connection.poll(patience) else None
        except (EOFError, OSError):
            return None

    def has_read(self) -> int:
        """The bytes that it has read until now, whatever the descriptor."""
        io = Path(f"/proc/{self.process.pid}/io").read_text()
        return int(io.split("rchar:")[1].split()[0])

    def __exit__(self, *exc_info: object) -> None:
        super().__exit__(*exc_info)
        self._connection.close()


def measure(watcher: Watcher, workload: Workload, *, deadline: float) -> Round:
    """Carry out one round.

    `deadline`: how many seconds a watcher gets to watch, and after the last operation to tell all.
    """
    with ExitStack() as stack:
        # The writer's preparations are over before anyone watches.
        directory = stack.enter_context(tempfile.TemporaryDirectory(dir=TMPFS))
        writing = stack.enter_context(_Writing(workload, directory))
        watching = stack.enter_context(_Watching(watcher, directory))
        names = workload.expected()
        records = workload.operations + 1
        lost_all = Round(0.0, 0, len(names), records)
        if not _probe(watching, directory, deadline):
            return lost_all
        time.sleep(_REST)
        begun = watching.ask(names, patience=deadline)
        if begun is None:
            return lost_all
        before = watching.has_read()
        writing.run()
        end = _follow(watching, begun, deadline)
        unread = records - (watching.has_read() - before) // RECORD
        return Round(end.cpu, end.told, end.missing, max(0, unread))


def _probe(watching: _Watching, directory: str, deadline: float) -> bool:
    """Change a file until it is told."""
    # Its interpreter may take as long as it likes.
    state = watching.ask(patience=60)
    until = time.monotonic() + deadline
    while state is not None and not state.is_watching and time.monotonic() < until:
        with open(os.path.join(directory, PROBE), "a") as file:
            file.write("x")
        time.sleep(_PAUSE)
        state = watching.ask(patience=deadline)
    return state is not None and state.is_watching


def _follow(watching: _Watching, begun: State, deadline: float) -> State:
    """The state when all was told; or by the deadline, with the CPU time until the last event."""
    last = begun
    until = time.monotonic() + deadline
    while last.missing and (left := until - time.monotonic()) > 0:
        time.sleep(min(_PAUSE, left))
        state = watching.ask(patience=left)
        if state is None:
            break
        if state.told != last.told:
            last = state
    return last
