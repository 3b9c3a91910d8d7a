"""One backend in use: its keys, and the nodes that they stand for."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from famcore.backend import Backend, Capability, Change, Interest

if TYPE_CHECKING:
    from famcore.tree.node import Node

#: A backend that was open for so many seconds works, whatever ended it: it is opened at once.
_STEADY = 1.0
#: Seconds until one that was not is opened again, at first; the pause doubles each time.
_FIRST_PAUSE = 0.1


class Twin:
    """Stands for a key that is out already, on behalf of a second path of the same thing."""

    __slots__ = ("key",)

    def __init__(self, key: Hashable) -> None:
        self.key = key


@dataclass(eq=False, slots=True)
class Source:
    """One backend, and the nodes that its keys stand for."""

    cls: type[Backend]
    #: None while it is lost.
    backend: Backend | None = None
    #: What is readable when the backend has something to say; None: it is polled, or lost.
    descriptor: int | None = None
    #: key → the node that was watched by it.
    nodes: dict[Hashable, Node] = field(default_factory=dict)
    #: key → the keys of our own making for other paths of the same thing (hard links, mounts).
    twins: dict[Hashable, list[Twin]] = field(default_factory=dict)
    #: Until when (epoch seconds) all that happened has surely been read.
    complete: float = field(default_factory=time.time)
    #: When (monotonic seconds) it was opened; or, while it is lost, is to be opened again.
    since: float = 0.0
    #: Seconds from its loss until then.
    pause: float = 0.0
    #: What it was lost by, or could not be opened again.
    lost_by: BaseException | None = None

    @property
    def is_live(self) -> bool:
        """Whether it goes on telling."""
        return Capability.LIVE in self.cls.capabilities

    # --- its life

    def open(self, backend: Backend) -> None:
        """Use `backend` from now on. What it raises passes through; it is closed then."""
        try:
            self.descriptor = backend.fileno()
        except BaseException:
            backend.close()
            raise
        self.backend = backend
        self.since = time.monotonic()

    def close(self) -> None:
        """Close the backend; what it raises passes through."""
        backend, self.backend, self.descriptor = self.backend, None, None
        self.nodes.clear()
        self.twins.clear()
        if backend is not None:
            backend.close()

    def lose(self, error: BaseException) -> None:
        """It is gone, by `error`, and to be opened again: at once, unless it never worked."""
        now = time.monotonic()
        was_steady = self.lost_by is None or now - self.since >= _STEADY
        self.pause = 0.0 if was_steady else max(_FIRST_PAUSE, 2 * self.pause)
        self.lost_by = error
        self.since = now + self.pause

    def reopen(self, longest_pause: float) -> bool:
        """Open a lost one again, if the time has come; false if it stays lost."""
        if time.monotonic() < self.since:
            return False
        try:
            self.cls.check()
            self.open(self.cls())
        except (Exception, SystemExit) as error:
            self.pause = min(max(_FIRST_PAUSE, 2 * self.pause), longest_pause)
            self.lost_by = error
            self.since = time.monotonic() + self.pause
            return False
        return True

    # --- its keys

    def widest(self, key: Hashable) -> Interest:
        """What all nodes of `key` together need to hear."""
        keys = (key, *self.twins.get(key, ()))
        wanted = [self.nodes[each].heard for each in keys if each in self.nodes]
        return max((interest for interest in wanted if interest), default=Interest.SELF)

    def expand(self, changes: Iterable[Change]) -> list[Change]:
        """`changes`, those of a key with twins once more for each twin."""
        expanded: list[Change] = []
        for change in changes:
            expanded.append(change)
            for twin in self.twins.get(change[1], ()):
                expanded.append(Change(change[0], twin, *change[2:]))
        return expanded
