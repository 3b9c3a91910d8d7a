"""What may not be as it is known: noted by whoever notices, settled or compared in its turn."""

from __future__ import annotations

import heapq
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from itertools import count

from famcore.tree.node import Node

#: "May have changed at any time."
EVER = float("-inf")
#: "Which names there are may have changed; what is in the files did not, unless it was told."
NEVER = float("inf")

#: So many directories may be known to rest before those that have rested are looked for.
_RESTING = 256


class Doubts:
    """Nodes to be held against the disk.

    Suspects are settled once all that was read is told: is the thing still there? The others are
    asked for: what is known of them is compared, in slices, which `Repair` does.
    """

    def __init__(self) -> None:
        self._suspects: OrderedDict[Node, None] = OrderedDict()
        #: Node → since when (epoch seconds) something may have been missed of it.
        self._asked: OrderedDict[Node, float] = OrderedDict()
        #: The same of those that rest, and when (monotonic seconds) they have rested.
        self._deferred: dict[Node, float] = {}
        self._rested_at: list[tuple[float, int, Node]] = []
        self._order = count()
        #: Directories → until when (monotonic seconds) they rest: as long as listing them took.
        self._resting: dict[Node, float] = {}
        #: Node → what is to be called once it has been looked at.
        self._then: dict[Node, list[Callable[[], None]]] = {}
        #: Why everything is looked at; None if it is not.
        self.reason: str | None = None

    # --- suspects

    def suspect(self, nodes: Iterable[Node]) -> None:
        """The things at `nodes` may have gone."""
        self._suspects.update(dict.fromkeys(nodes))

    @property
    def has_suspects(self) -> bool:
        """Whether there are nodes to be settled."""
        return bool(self._suspects)

    def next_suspect(self) -> Node:
        """The node that was suspected first."""
        return next(iter(self._suspects))

    def clear(self, node: Node) -> None:
        """`node` is being settled."""
        self._suspects.pop(node, None)

    # --- nodes asked for

    def __bool__(self) -> bool:
        """Whether there is a node to be looked at, now or later."""
        return bool(self._asked or self._deferred)

    def ask(self, node: Node, since: float, then: Callable[[], None] | None = None) -> None:
        """Have `node` looked at: something may have been missed since `since` (epoch seconds)."""
        rests_until = self._resting.get(node, 0.0)
        if node in self._deferred:
            self._deferred[node] = min(since, self._deferred[node])
        elif rests_until > time.monotonic():
            self._deferred[node] = since
            heapq.heappush(self._rested_at, (rests_until, next(self._order), node))
        else:
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
        now = time.monotonic()
        if len(self._resting) > _RESTING:
            self._resting = {each: at for each, at in self._resting.items() if at > now}
        self._resting[node] = now + seconds

    def due(self) -> float | None:
        """When (monotonic seconds) the next node is to be looked at; None if there is none."""
        if self._asked:
            return 0.0
        return self._rested_at[0][0] if self._deferred else None

    def take(self) -> tuple[Node, float] | None:
        """The next node to be looked at, and since when; None if there is none for now."""
        while self._rested_at and self._rested_at[0][0] <= time.monotonic():
            node = heapq.heappop(self._rested_at)[2]
            if node in self._deferred:
                self._asked[node] = self._deferred.pop(node)
        while self._asked:
            node, since = self._asked.popitem(last=False)
            if self._resting.get(node, 0.0) <= time.monotonic():
                return node, since
            self.ask(node, since)
        return None

    def settled(self, node: Node) -> None:
        """`node` has been looked at."""
        for then in self._then.pop(node, ()):
            then()

    def withdraw(self, node: Node, since: float) -> float:
        """Ask no more for `node`, which is being looked at: since when it was asked for by now."""
        asked = self._asked.pop(node, since), self._deferred.pop(node, since)
        return min(since, *asked)

    def drop(self, node: Node) -> None:
        """`node` leaves the tree."""
        self._suspects.pop(node, None)
        self._resting.pop(node, None)
