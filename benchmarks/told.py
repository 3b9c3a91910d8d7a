"""What a watcher tells is held against the names that it has to tell.

All that a watcher's process imports but for the watcher weighs on its memory, so it is little.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import NamedTuple

#: The file whose change tells that a watcher watches, and how it spells a name.
PROBE = "PROBE"


class State(NamedTuple):
    """How far a watcher is."""

    #: Whether it has told the probe.
    is_watching: bool
    #: Events told since the go signal.
    told: int
    #: Names not told yet.
    missing: int
    #: Seconds of its process from the go signal to the end, or until now.
    cpu: float


class Start(NamedTuple):
    """What it took a watcher to watch, from its call until it told the probe."""

    seconds: float
    cpu: float
    #: Entries that it told as being there already.
    standing: int
    #: Bytes of memory that its process held before the call.
    before: int


class Stamp(NamedTuple):
    """A moment of a process."""

    #: Seconds of the clock that all processes share.
    clock: float
    cpu: float

    @classmethod
    def now(cls) -> Stamp:
        return cls(time.monotonic(), time.process_time())


def resident(process: int | str = "self") -> int:
    """The bytes of memory that a process holds."""
    with open(f"/proc/{process}/status") as status:
        return int(status.read().split("VmRSS:")[1].split()[0]) * 1024


class Told:
    """Takes what a watcher tells: each event by `one`, or several by `many`.

    Both are hot and hardly more than a set's own methods, so that they weigh little in what is
    measured. Another thread may ask for the state.
    """

    def __init__(self, probe: str) -> None:
        """`probe`: the probe relative to the watched directory."""
        self._probe = probe
        self._missing: set[str] = set()
        self._count = 0
        self._standing = 0
        #: What comes before a file's name in what is told; None until the probe is told.
        self._prefix: str | None = None
        self._began = 0.0
        #: The process's CPU time when no name was missing any more.
        self._ended: float | None = None

    def begin(self) -> None:
        """The watcher is called next."""
        self._before = resident()
        self._called = self._watching = Stamp.now()

    def one(self, name: str) -> None:
        """An event about `name`, spelled as the watcher spells it."""
        self._count += 1
        self._missing.discard(name)
        if not self._missing:
            self._none_missing([name])

    def many(self, names: Collection[str]) -> None:
        """Events about all of `names`."""
        self._count += len(names)
        self._missing.difference_update(names)
        if not self._missing:
            self._none_missing(names)

    def standing(self, count: int) -> None:
        """So many more entries are there already."""
        self._standing += count

    def _none_missing(self, names: Collection[str]) -> None:
        if self._prefix is not None:
            if self._ended is None:
                self._ended = time.process_time()
            return
        for name in names:
            if name.endswith(self._probe):
                self._watching = Stamp.now()
                self._prefix = name.removesuffix(self._probe)

    def expect(self, names: Collection[str]) -> State:
        """The go signal: each of `names` has to be told from now on."""
        # First, for while a name is missing nothing can end.
        self._missing = {f"{self._prefix}{name}" for name in names}
        self._ended = None
        self._count = 0
        self._began = time.process_time()
        return self.state()

    def state(self) -> State:
        """How far the watcher is."""
        ended = time.process_time() if self._ended is None else self._ended
        return State(self._prefix is not None, self._count, len(self._missing), ended - self._began)

    def start(self) -> Start:
        """What it took to watch; of a watcher that has told the probe."""
        seconds = self._watching.clock - self._called.clock
        cpu = self._watching.cpu - self._called.cpu
        return Start(seconds, cpu, self._standing, self._before)


class Timed(Told):
    """Keeps when each name was first told, too."""

    def __init__(self, probe: str) -> None:
        super().__init__(probe)
        self._times: dict[str, float] = {}

    def one(self, name: str) -> None:
        self._times.setdefault(name, time.monotonic())
        super().one(name)

    def many(self, names: Collection[str]) -> None:
        now = time.monotonic()
        for name in names:
            self._times.setdefault(name, now)
        super().many(names)

    def times(self) -> dict[str, float]:
        """When each name was first told, by the clock that all processes share."""
        # A copy in one step: the watcher's thread may go on telling.
        times = self._times.copy()
        return {name.removeprefix(self._prefix or ""): when for name, when in times.items()}
