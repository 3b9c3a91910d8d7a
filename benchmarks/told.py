"""What a watcher tells is held against the names that it has to tell."""

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


class Told:
    """Takes what a watcher tells: each event by `one`, or several by `many`.

    Both are hot and hardly more than a set's own methods, so that they weigh little in what is
    measured. Another thread may ask for the state.
    """

    def __init__(self) -> None:
        self._missing: set[str] = set()
        self._count = 0
        #: What comes before a file's name in what is told; None until the probe is told.
        self._prefix: str | None = None
        self._began = 0.0
        #: The process's CPU time when no name was missing any more.
        self._ended: float | None = None

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

    def _none_missing(self, names: Collection[str]) -> None:
        if self._prefix is not None:
            if self._ended is None:
                self._ended = time.process_time()
            return
        for name in names:
            if name.endswith(PROBE):
                self._prefix = name.removesuffix(PROBE)

    def expect(self, names: Collection[str]) -> None:
        """The go signal: each of `names` has to be told from now on."""
        # First, for while a name is missing nothing can end.
        self._missing = {f"{self._prefix}{name}" for name in names}
        self._ended = None
        self._count = 0
        self._began = time.process_time()

    def state(self) -> State:
        """How far the watcher is."""
        ended = time.process_time() if self._ended is None else self._ended
        return State(self._prefix is not None, self._count, len(self._missing), ended - self._began)
