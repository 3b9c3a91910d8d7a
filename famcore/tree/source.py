"""One backend in use: its keys, and the nodes that they stand for."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from famcore.backend import Backend, Capability, Change, Interest
from famcore.tree.pause import Pause

if TYPE_CHECKING:
    from famcore.tree.node import Node

#: A backend that was open for so many seconds works, whatever ended it: it is opened at once.
_STEADY = 1.0


class Twin:
    """Stands for a key that is out already, on behalf of a second path of the same thing."""

    __slots__ = ("key",)

    def __init__(self, key: Hashable) -> None:
        self.key = key


@dataclass(eq=False, slots=True)
class Source:
    """One backend, and the nodes that its keys stand for."""

    cls: type[Backend]
    #: Between attempts to open it again.
    pause: Pause
    #: None while it is lost.
    backend: Backend | None = None
    #: What is readable when the backend has something to say; None: it is polled, or lost.
    descriptor: int | None = None
    #: key → the node that was watched by it.
    nodes: dict[Hashable, Node] = field(default_factory=dict)
    #: key → the keys of our own making for other paths of the same thing (hard links, mounts).
    twins: dict[Hashable, list[Twin]] = field(default_factory=dict)
    #: Until when (epoch seconds) all that happened has surely been read and translated.
    complete: float = field(default_factory=time.time)
    #: When (monotonic seconds) it was opened.
    opened_at: float = 0.0
    #: When (monotonic seconds) it is to be opened again, while it is lost.
    retry_at: float = 0.0
    #: What it was lost by, or could not be opened again.
    lost_by: BaseException | None = None
    #: Whether it may lose changes in silence.
    is_inexact: bool = field(init=False)
    #: Whether it tells of contents and attributes of what is in a directory by that one's watch.
    tells_contents: bool = field(init=False)
    #: What its backend raised that it may not, in words: told once for as long as it is open.
    faults: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.is_inexact = self.is_live and Capability.EXACT not in self.cls.capabilities
        self.tells_contents = not self.is_live or Capability.CONTENTS in self.cls.capabilities

    @property
    def is_live(self) -> bool:
        """Whether it goes on telling."""
        return Capability.LIVE in self.cls.capabilities

    @property
    def tells_each(self) -> bool:
        """Whether it tells of what is gone again, too."""
        return Capability.EACH in self.cls.capabilities

    # --- its life

    def open(self, backend: Backend) -> None:
        """Use `backend` from now on. What its `fileno` raises passes through; it is closed then."""
        try:
            self.descriptor = backend.fileno()
        except BaseException:
            backend.close()
            raise
        self.backend = backend
        self.opened_at = time.monotonic()
        self.faults.clear()

    def close(self) -> None:
        """Close the backend; what it raises passes through."""
        backend, self.backend, self.descriptor = self.backend, None, None
        self.nodes.clear()
        self.twins.clear()
        if backend is not None:
            backend.close()

    def lose(self, error: BaseException) -> None:
        """It is gone, by `error`, and to be opened again: at once, unless it did not last."""
        now = time.monotonic()
        self.retry_at = now
        if self.lost_by is None or now - self.opened_at >= _STEADY:
            self.pause.reset()
        else:
            self.retry_at += self.pause.next()
        self.lost_by = error

    def reopen(self) -> bool:
        """Open a lost one again, if the time has come; false if it stays lost."""
        if time.monotonic() < self.retry_at:
            return False
        try:
            self.cls.check()
            self.open(self.cls())
        except (Exception, SystemExit) as error:
            self.lost_by = error
            self.retry_at = time.monotonic() + self.pause.next()
            return False
        return True

    # --- its keys

    def widest(self, key: Hashable, *, but: Node | None = None) -> Interest:
        """What all nodes of `key` together, `but` for one of them, need to hear."""
        key = key.key if isinstance(key, Twin) else key
        widest = Interest.SELF
        for each in (key, *self.twins.get(key, ())):
            node = self.nodes.get(each)
            if node is not None and node is not but and node.heard is not None:
                widest = max(widest, node.heard)
        return widest

    def others(self, key: Hashable, node: Node) -> list[Node]:
        """The other nodes of the thing that `node` is watched with by `key`."""
        keys = (key, *self.twins.get(key, ()))
        return [other for each in keys if (other := self.nodes.get(each, node)) is not node]

    def expand(self, changes: Iterable[Change]) -> list[Change]:
        """`changes`, those of a key with twins once more for each twin.

        The halves of a rename are paired twin by twin: as in the order in which they were watched.
        """
        expanded: list[Change] = []
        for change in changes:
            expanded.append(change)
            kind, key, name, is_directory, cookie = change
            for number, twin in enumerate(self.twins.get(key, ()), 1):
                own: Hashable = (cookie, number) if cookie else 0
                expanded.append((kind, twin, name, is_directory, own))  # type: ignore[arg-type]
        return expanded
