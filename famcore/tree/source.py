"""One backend in use: its keys, and the nodes that they stand for."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from famcore.backend import Backend, Capability, Change, Interest

if TYPE_CHECKING:
    from famcore.tree.node import Node


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

    @property
    def is_live(self) -> bool:
        """Whether it goes on telling."""
        return Capability.LIVE in self.cls.capabilities

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
