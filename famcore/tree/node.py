"""One path of the tree: what is known to be there, and who wants to know."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING

from famcore.backend import Interest
from famcore.events import Monitor
from famcore.snapshot import Found

if TYPE_CHECKING:
    from famcore.tree.source import Source


class Node:
    """A path that a monitored path leads through or ends at, or a directory that is followed.

    A path, not a thing: the node stays when the directory at it goes, and takes up what comes.
    """

    __slots__ = (
        "found",
        "heard",
        "identity",
        "key",
        "monitors",
        "name",
        "names",
        "parent",
        "pins",
        "routes",
        "source",
    )

    def __init__(self, parent: Node | None, name: str) -> None:
        self.parent = parent
        self.name = name
        #: What is known to be at the path.
        self.found = Found.NOTHING
        #: The number of the thing at it, by `snapshot.identify`.
        self.identity = 0
        #: The known entries, of a directory whose entries some monitor is told of; else None.
        #: An entry is a directory or not, or the node of a directory that is followed.
        self.names: dict[str, bool | Node] | None = None
        #: The entries that monitored paths lead to or through, there or not.
        self.pins: dict[str, Node] = {}
        #: The monitors that end here.
        self.monitors: list[Monitor] = []
        #: The monitors whose path leads through here or ends here.
        self.routes: set[Monitor] = set()
        #: Who watches it, by which key; None if nobody does.
        self.source: Source | None = None
        self.key: Hashable = None
        #: How much of it is heard: the interest it is watched with.
        self.heard: Interest | None = None

    def __repr__(self) -> str:
        return f"<Node {self.path!r} {self.found.name}>"

    @property
    def path(self) -> str:
        """The absolute path, without links but perhaps for the last component."""
        parts = []
        node = self
        while node.parent is not None:
            parts.append(node.name)
            node = node.parent
        return "/" + "/".join(reversed(parts))

    def path_to(self, name: str) -> str:
        """The absolute path of its entry `name`."""
        path = self.path
        return path + name if path == "/" else f"{path}/{name}"

    def paths(self) -> list[str]:
        """The path as the monitors that end here spell it; as it is if there are none."""
        return list(dict.fromkeys(monitor.path for monitor in self.monitors)) or [self.path]

    @property
    def is_followed(self) -> bool:
        """Whether a recursive monitor came to it from the directory above."""
        parent = self.parent
        return (
            parent is not None and parent.names is not None and parent.names.get(self.name) is self
        )

    @property
    def is_attached(self) -> bool:
        """Whether it is still part of the tree."""
        parent = self.parent
        return parent is None or parent.pins.get(self.name) is self or self.is_followed

    def children(self) -> Iterator[Node]:
        """The nodes below it: followed directories, then what monitored paths lead to."""
        followed = set()
        for entry in (self.names or {}).values():
            if isinstance(entry, Node):
                followed.add(entry)
                yield entry
        for pin in self.pins.values():
            if pin not in followed:
                yield pin

    def child(self, name: str) -> Node | None:
        """The node of its entry `name`, if it has one."""
        entry = self.names.get(name) if self.names else None
        return entry if isinstance(entry, Node) else self.pins.get(name)

    def interest(self) -> Interest | None:
        """How much must be heard of it; None: nothing."""
        if self.monitors or self.is_followed:
            return Interest.ALL
        pins = self.pins.values()
        if any(pin.found is Found.SPECIAL and pin.monitors for pin in pins):
            return Interest.ALL
        # A watched directory tells itself that it goes. What a file is replaced by, where a link
        # leads and what comes to be, only the directory above can tell.
        if any(pin.found is not Found.DIRECTORY or pin.source is None for pin in pins):
            return Interest.ENTRIES
        # The root directory neither goes nor moves.
        return Interest.SELF if self.parent is not None else None
