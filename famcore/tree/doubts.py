"""What may not be as it is known: noted by whoever notices, looked at by `Repair`."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from famcore.tree.node import Node

#: "May have changed at any time."
EVER = float("-inf")


class Doubts:
    """Nodes to be held against the disk, and until when each is left alone."""

    def __init__(self) -> None:
        #: Nodes whose thing has gone, to be looked at once all that was read is told.
        self.doubtful: OrderedDict[Node, None] = OrderedDict()
        #: Node → since when (epoch seconds) something may have been missed of it.
        self._asked: OrderedDict[Node, float] = OrderedDict()
        #: Node → what is to be called once it has been looked at.
        self._then: dict[Node, list[Callable[[], None]]] = {}
        #: Directories → until when (monotonic seconds) they rest: as long as listing them took.
        self._resting: dict[Node, float] = {}
        #: Why everything is looked at; None if it is not.
        self.reason: str | None = None

    def __bool__(self) -> bool:
        """Whether there is a node to be looked at, now or later."""
        return bool(self._asked)

    def ask(self, node: Node, since: float, then: Callable[[], None] | None = None) -> None:
        """Have `node` looked at: something may have been missed since `since` (epoch seconds)."""
        self._asked[node] = min(since, self._asked.get(node, since))
        if then is not None:
            self._then.setdefault(node, []).append(then)

    def ask_all(self, top: Node, since: float, reason: str) -> None:
        """Have all nodes from `top` on looked at, those above before those below."""
        self.reason = self.reason or reason
        line = [top]
        for node in line:  # grows while it is gone through
            line.extend(node.children())
            self.ask(node, since)

    def rest(self, node: Node, seconds: float) -> None:
        """Leave `node` alone for so long."""
        self._resting[node] = time.monotonic() + seconds

    def due(self) -> float | None:
        """When (monotonic seconds) the next node is to be looked at; None if there is none."""
        if not self._asked:
            return None
        if not self._resting:
            return 0.0
        return min(self._resting.get(node, 0.0) for node in self._asked)

    def take(self) -> tuple[Node, float] | None:
        """The next node to be looked at, and since when; None if there is none for now."""
        resting, now = self._resting, time.monotonic()
        for node in self._asked:
            if resting.get(node, 0.0) <= now:
                resting.pop(node, None)
                return node, self._asked.pop(node)
        return None

    def settled(self, node: Node) -> None:
        """`node` has been looked at."""
        for then in self._then.pop(node, ()):
            then()

    def withdraw(self, node: Node, since: float) -> float:
        """Ask no more for `node`, which is being looked at: since when it was asked for by now."""
        return min(since, self._asked.pop(node, since))

    def drop(self, node: Node) -> None:
        """`node` leaves the tree."""
        self.doubtful.pop(node, None)
        self._resting.pop(node, None)
