"""The processes of a round: one watches, one writes."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

from benchmarks.asking import End
from benchmarks.told import PROBE, Start, State
from benchmarks.watchers import Watcher
from benchmarks.workloads import Workload

ROOT = Path(__file__).parents[1]
#: A tmpfs on every Linux.
TMPFS = "/dev/shm"

#: Seconds between two questions to a watcher, which cost it some 20 µs each.
_PAUSE = 0.1
#: Seconds between two changes of the probe.
_PROBING = 0.004
#: Seconds for what the probes set off to come to rest.
_REST = 0.2
#: Who has told nothing and used less than `_STIR` seconds of CPU for so long has come to rest;
#: watchfiles gathers changes for up to 1.6 s.
_QUIET = 2.0
_STIR = 0.005


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


class Writing(_Process):
    """Carries out a workload, which is prepared when this is made."""

    def __init__(self, workload: Workload, directory: str) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        sizes = workload.operations, workload.directories
        super().__init__("writing", workload.name, *sizes, directory, **pipes)
        self._await("ready")

    def run(self) -> Any:
        """Carry it out; return what it has to say."""
        self.process.stdin.write(b"go\n")
        self.process.stdin.flush()
        return json.loads(self._await("done"))

    def _await(self, word: str) -> str:
        line: str = self.process.stdout.readline().decode()
        if not line.startswith(word):
            raise RuntimeError(f"the writing process ended before it was {word}")
        return line.removeprefix(word)


class Watching(_Process):
    """A watcher that is asked how far it is."""

    def __init__(
        self, watcher: Watcher, directory: str, *how: str, probe: str = PROBE, patience: float
    ) -> None:
        """`how`: of "recursive" and "timed"; `patience`: seconds that it gets for each answer."""
        self.name = watcher.name
        self._probe = os.path.join(directory, probe)
        self._patience = patience
        self._is_gone = False
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self._socket, theirs = socket.socketpair()
        self._end = End(self._socket.fileno())
        with theirs:
            order = theirs.fileno(), watcher.name, directory, probe, *how
            super().__init__("watching", *order, pass_fds=[theirs.fileno()], stderr=self._said)

    def ask(self, method: str, *arguments: object, patience: float | None = None) -> Any:
        """The answer of its `Told`; None if it is gone or does not answer in time, now or before.

        What is a `NamedTuple` there is a plain one here.
        """
        patience = self._patience if patience is None else patience
        try:
            if not self._is_gone:
                self._end.send((method, *arguments))
                if select.select([self._socket], [], [], patience)[0]:
                    return self._end.receive()
        except (EOFError, OSError):
            pass
        self._is_gone = True
        return None

    def state(self, patience: float | None = None) -> State | None:
        """How far it is."""
        answer = self.ask("state", patience=patience)
        return answer and State(*answer)

    def expect(self, names: list[str]) -> State | None:
        """The go signal: each of `names` has to be told from now on."""
        answer = self.ask("expect", names)
        return answer and State(*answer)

    def start(self) -> Start | None:
        """What it took to watch."""
        answer = self.ask("start")
        return answer and Start(*answer)

    def is_watching(self) -> bool:
        """Whether it watches, in the end: change the probe until it is told."""
        # Its interpreter may take as long as it likes.
        state = self.state(patience=60)
        until = time.monotonic() + self._patience
        while state is not None and not state.is_watching and time.monotonic() < until:
            self._change_probe(time.monotonic() + _PAUSE)
            state = self.state()
        time.sleep(_REST)
        return state is not None and state.is_watching

    def _change_probe(self, until: float) -> None:
        with open(self._probe, "ab", buffering=0) as file:
            while time.monotonic() < until:
                file.write(b"x")
                time.sleep(_PROBING)

    def follow(self, begun: State, deadline: float) -> State:
        """The state when all was told, or when nothing more is to be hoped for.

        That is by the deadline, and as soon as it rests; the CPU time is that until the last event.
        """
        last = active = begun
        until = time.monotonic() + deadline
        since = time.monotonic()
        while last.missing and (left := until - time.monotonic()) > 0:
            time.sleep(min(_PAUSE, left))
            state = self.state(patience=left)
            if state is None or time.monotonic() - since > _QUIET:
                break
            if state.told != active.told or state.cpu - active.cpu > _STIR:
                active, since = state, time.monotonic()
            if state.told != last.told:
                last = state
        return last

    def has_read(self) -> int:
        """The bytes that it has read until now, whatever the descriptor."""
        io = Path(f"/proc/{self.process.pid}/io").read_text()
        return int(io.split("rchar:")[1].split()[0])

    def __exit__(self, *exc_info: object) -> None:
        super().__exit__(*exc_info)
        self._socket.close()
        self._repeat()

    def _repeat(self) -> None:
        """What it had to say of itself, in a line: some say the same for ever."""
        with self._said:
            self._said.seek(0)
            lines = self._said.read().decode(errors="replace").strip().splitlines()
        if lines:
            print(f"  {self.name}, {len(lines)} lines: … {lines[-1]}", file=sys.stderr)
