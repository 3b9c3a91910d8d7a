"""What was missed made good: directories compared with what is known of them, in slices."""

from __future__ import annotations

from collections.abc import Mapping

from famcore.events import EventCode
from famcore.snapshot import Found, changed_since, device_of, stamps_are_ours
from famcore.tree.audit import Audit
from famcore.tree.doubts import EVER, NEVER, Doubts
from famcore.tree.growth import Growth
from famcore.tree.inspection import Inspection
from famcore.tree.node import Node
from famcore.tree.telling import Telling


class Repair:
    """Looks at the nodes that are in doubt, each in its turn, and tells what was missed."""

    def __init__(
        self,
        inspection: Inspection,
        doubts: Doubts,
        audit: Audit,
        telling: Telling,
        growth: Growth,
    ) -> None:
        self._inspection = inspection
        self._doubts = doubts
        self._audit = audit
        self._telling = telling
        self._growth = growth
        #: Device → whether its stamps are of this machine's clock; asked once in a repair.
        self._are_ours: dict[int, bool] = {}

    def step(self) -> bool:
        """Look at the next node; false if there is none whose time has come."""
        taken = self._doubts.take()
        if taken is None:
            return False
        node, since = taken
        if node.is_attached:
            self._mend(node, since)
        self._doubts.settled(node)
        if not self._doubts:
            self._are_ours.clear()
        return True

    def _mend(self, node: Node, since: float) -> None:
        if node.parent is not None and since != EVER:
            # Asked for without a date, it has been looked at just now.
            before = node.found
            self._growth.settle(node)
            if node.found is not before:
                return
            since = self._doubts.withdraw(node, since)
        if node.found is Found.FILE:
            if self._changed_itself(node, since):
                self._telling.content(node)
        elif node.found is Found.DIRECTORY:
            if node.is_listed:
                self._compare(node, since)
            elif node.is_told_above and self._changed_itself(node, since):
                self._telling.content(node)
            for pin in list(node.pins.values()):
                if pin.routes or not self._inspection.holds(pin):
                    self._growth.settle(pin)

    def _compare(self, node: Node, since: float) -> None:
        """List the directory at `node` and tell how that differs from the names known."""
        names = node.names
        assert names is not None
        found = self._inspection.scan(node, node.path)
        if found is None:
            # What is known stays: gone, it is settled; unreadable, it is not covered.
            return
        self._telling.forget_all_but(node, found)
        for name in list(names):
            is_directory = names[name] is not False
            if found.get(name) is not is_directory:
                self._growth.lose(node, name)
        if node.names is not names:
            # What went was a link that the last monitor's path led through to here.
            return
        unheard = names if since == EVER else _unheard(node, names)
        for name in self._changed(node, unheard, since, self._audit.heard_of(node)):
            self._telling.entry(node, name, EventCode.CHANGED, names[name] is not False)
        for name, is_directory in found.items():
            if name not in names and not self._telling.ignores(node, name, is_directory):
                self._growth.appear(node, name, is_directory, None)
                self._audit.found(node, name)
        for entry in names.values():
            if isinstance(entry, Node) and entry.found is Found.NOTHING:
                # It had gone when it was to be listed, and nobody told that it is here again.
                self._doubts.suspect([entry])
        if since == EVER:
            # Another directory is here, so those in it are others too.
            for entry in names.values():
                if isinstance(entry, Node) and entry.found is Found.DIRECTORY:
                    self._doubts.ask(entry, EVER)
        if since == EVER or self._changed_itself(node, since):
            self._telling.content(node)
        self._growth.entries.attend_all(node)
        node.pack()

    def _changed_itself(self, node: Node, since: float) -> bool:
        """Whether what is monitored at `node` may have changed, but for entries, since then."""
        if node.parent is None or not (node.monitors or node.is_told_above):
            return False
        known = {node.name: self._audit.heard_of(node).get("", since)}
        entry = {node.name: node.found is Found.DIRECTORY}
        return bool(self._changed(node.parent, entry, since, known, of=node))

    def _changed(
        self,
        node: Node,
        entries: Mapping[str, bool | Node],
        since: float,
        known: Mapping[str, float],
        *,
        of: Node | None = None,
    ) -> list[str]:
        """Those of the entries of `node` that may have changed since, or since `known`.

        They are on the device of `node`, or that of another one, given as `of`. Where that can't
        be told by their stamps, each of the files.
        """
        if since == NEVER or not entries:
            return []
        device = device_of((of or node).identity)
        if device not in self._are_ours:
            self._are_ours[device] = stamps_are_ours(device)
        if since == EVER or not self._are_ours[device]:
            return [name for name, entry in entries.items() if entry is False]
        return changed_since(node.path, list(entries), since, known)


def _unheard(node: Node, names: dict[str, bool | Node]) -> dict[str, bool | Node]:
    """Those of the entries of `node` that are not looked at by themselves, as they are watched."""
    if node.source is None or node.source.tells_contents:
        return names
    pins = node.pins
    return {
        name: entry
        for name, entry in names.items()
        if (pin := pins.get(name)) is None or (pin.routes and pin.source is None)
    }
