"""What was missed made good: directories compared with what is known of them, in slices."""

from __future__ import annotations

import time
from collections.abc import Callable

from famcore.events import EventCode
from famcore.snapshot import Found, changed_since, stamps_are_ours
from famcore.tree.growth import Growth
from famcore.tree.inspection import Held, Inspection
from famcore.tree.node import Node
from famcore.tree.telling import Telling

#: "May have changed at any time."
_EVER = float("-inf")


class Repair:
    """The nodes that may not be as they are known, each looked at in its turn."""

    def __init__(self, inspection: Inspection, telling: Telling, growth: Growth) -> None:
        self._inspection = inspection
        self._telling = telling
        self._growth = growth
        inspection.missed = self._ask_missed
        #: Node → since when (epoch seconds) something may have been missed of it.
        self._asked: dict[Node, float] = {}
        #: Node → what is to be called once it has been looked at.
        self._then: dict[Node, list[Callable[[], None]]] = {}
        #: Why everything is looked at, and how many events that has brought; None if it is not.
        self._reason: str | None = None
        self._count = 0
        #: Called with the reason and the number of events when all of it has been looked at.
        self.report: Callable[[str, int], None] = lambda reason, count: None

    def ask(self, node: Node, since: float, then: Callable[[], None] | None = None) -> None:
        """Have `node` looked at: something may have been missed since `since`."""
        self._asked[node] = min(since, self._asked.get(node, since))
        if then is not None:
            self._then.setdefault(node, []).append(then)

    def _ask_missed(self, node: Node, held: Held) -> None:
        if held is Held.ANOTHER:
            self.ask(node, _EVER)
        elif node.source is not None and node.source.is_live:
            self.ask(node, node.source.complete)

    def ask_all(self, root: Node, since: float, reason: str) -> None:
        """Have all nodes from `root` on looked at, those above before those below."""
        if self._reason is None:
            self._reason, self._count = reason, 0
        line = [root]
        for node in line:  # grows while it is gone through
            line.extend(node.children())
            self.ask(node, since)

    def due(self) -> float | None:
        """When (monotonic seconds) there is something to do; None if there is nothing."""
        if not self._asked:
            return None
        resting = self._inspection.resting
        return min(resting.get(node, 0.0) for node in self._asked) if resting else 0.0

    def step(self) -> bool:
        """Look at the next node; false if there is none whose time has come."""
        node = self._next()
        if node is None:
            return False
        since = self._asked.pop(node)
        if node.is_attached:
            before = len(self._telling.out)
            self._mend(node, since)
            self._count += len(self._telling.out) - before
        for then in self._then.pop(node, ()):
            then()
        if not self._asked and self._reason is not None:
            reason, self._reason = self._reason, None
            self.report(reason, self._count)
        return True

    def _next(self) -> Node | None:
        resting, now = self._inspection.resting, time.monotonic()
        for node in self._asked:
            if resting.get(node, 0.0) <= now:
                resting.pop(node, None)
                return node
        return None

    def _mend(self, node: Node, since: float) -> None:
        if node.parent is not None and since != _EVER:
            # Asked for without a date, it has been looked at just now.
            before = node.found
            self._growth.settle(node)
            if node.found is not before:
                return
            since = min(since, self._asked.pop(node, since))
        if node.found is Found.FILE:
            parent = node.parent
            if parent is not None and self._changed(parent, [node.name], since):
                self._telling.itself(node, EventCode.CHANGED, False)
        elif node.found is Found.DIRECTORY:
            if node.names is not None:
                self._compare(node, since)
            for pin in list(node.pins.values()):
                self._growth.settle(pin)

    def _compare(self, node: Node, since: float) -> None:
        """List the directory at `node` and tell how that differs from the names known."""
        names = node.names
        assert names is not None
        found = self._inspection.scan(node)
        for name in list(names):
            is_directory = names[name] is not False
            if found.get(name) is not is_directory:
                self._growth.lose(node, name)
        if node.names is not names:
            # What went was a link that the last monitor's path led through to here.
            return
        kept = [name for name, entry in names.items() if entry is False]
        for name in self._changed(node, kept, since):
            self._telling.entry(node, name, EventCode.CHANGED, False)
        for name, is_directory in found.items():
            if name not in names and not self._telling.ignores(node, name, is_directory):
                self._growth.appear(node, name, is_directory, None)
        if since == _EVER:
            # Another directory is here, so those in it are others too.
            for entry in names.values():
                if isinstance(entry, Node) and entry.found is Found.DIRECTORY:
                    self.ask(entry, _EVER)
            self._telling.itself(node, EventCode.CHANGED, True)

    def _changed(self, node: Node, names: list[str], since: float) -> list[str]:
        """Those of the files `names` in `node` that may have changed since."""
        if since == _EVER or not names or not stamps_are_ours(node.path):
            return names
        return changed_since(node.path, names, since)
