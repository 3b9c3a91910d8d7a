"""Entries that are watched of themselves: by its own watch a directory tells no content."""

from __future__ import annotations

from famcore.backend import Interest
from famcore.snapshot import Found
from famcore.tree.doubts import Doubts
from famcore.tree.inspection import Inspection
from famcore.tree.node import Node


class Entries:
    """Files and directories in listed ones, where the backend lacks `CONTENTS`.

    Each is pinned there, with no monitored path leading to it. A change that its watch tells of is
    told as one of the directory's entry, `Node.is_told_above` says.
    """

    def __init__(self, inspection: Inspection, doubts: Doubts) -> None:
        self._inspection = inspection
        self._doubts = doubts

    def attend_all(self, node: Node) -> None:
        """Watch the known entries of `node`, if that is needed."""
        if node.source is not None and not node.source.tells_contents:
            for name in node.names or ():
                self._attend(node, name)

    def attend(self, node: Node, name: str) -> None:
        """Watch one that has come, if that is needed."""
        if node.source is not None and not node.source.tells_contents:
            self._attend(node, name)

    def _attend(self, node: Node, name: str) -> None:
        pin = node.pins.get(name)
        if pin is None:
            pin = node.child(name) or Node(node, name)
            node.pin(pin)
            pin.found, _ = self._inspection.inspect(pin)
            if pin.found not in (Found.FILE, Found.DIRECTORY):
                # It can't be watched. What comes instead is found as this directory is listed.
                node.unpin(pin)
        elif pin.routes and pin.heard is not Interest.ALL:
            # As little is heard of it as the path needs that leads through it.
            self._doubts.suspect([pin])

    def disregard(self, node: Node, name: str | None = None) -> None:
        """Watch the entry `name` of `node`, or all, on behalf of monitored paths alone."""
        for pin in list(node.pins.values()) if name is None else [node.pins.get(name)]:
            if pin is not None and not pin.routes:
                node.unpin(pin)
                if not pin.is_followed:
                    self._inspection.drop(pin)
