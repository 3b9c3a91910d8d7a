"""One path of the tree: what is known to be there, and who wants to know."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING

from famcore.backend import Interest
from famcore.events import Monitor
from famcore.snapshot import Found

if TYPE_CHECKING:
    from famcore.tree.source import Source


class Crossing:
    """What monitored paths need of a node that they lead through or end at."""

    __slots__ = ("monitors", "pins", "restless", "routes", "specials")

    def __init__(self) -> None:
        #: The entries that monitored paths lead to or through, there or not; and, with no routes,
        #: those that are watched of themselves lest their content changes unheard.
        self.pins: dict[str, Node] = {}
        #: The monitors that end here.
        self.monitors: list[Monitor] = []
        #: The monitors whose path leads through here or ends here.
        self.routes: set[Monitor] = set()
        #: The pins of which the directory may have to tell: all others tell it themselves.
        self.restless: set[str] = set()
        #: Those among them that were something special, and may be still.
        self.specials: set[str] = set()


#: Of all nodes that no monitored path leads to: never changed.
_NO_CROSSING = Crossing()


class Node:
    """A path that a monitored path leads through or ends at, or a directory that is followed.

    Or, where the backend lacks `CONTENTS`, an entry of a listed directory: watched of itself.

    A path, not a thing: the node stays when the directory at it goes, and takes up what comes.
    """

    __slots__ = (
        "_known",
        "crossing",
        "found",
        "heard",
        "identity",
        "key",
        "name",
        "parent",
        "source",
    )

    def __init__(self, parent: Node | None, name: str) -> None:
        self.parent = parent
        self.name = name
        #: What is known to be at the path.
        self.found = Found.NOTHING
        #: The number of the thing at it, by `snapshot.identify`.
        self.identity = 0
        #: What `names` says; or, packed, the names of files, encoded and joined by NULs.
        self._known: dict[str, bool | Node] | bytes | None = None
        #: Shared by all that no monitored path leads to; `cross` gives one of its own.
        self.crossing = _NO_CROSSING
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

    # --- its entries

    @property
    def names(self) -> dict[str, bool | Node] | None:
        """The known entries, of a directory whose entries some monitor is told of; else None.

        An entry is a directory or not, or the node of a directory that is followed.
        """
        known = self._known
        if isinstance(known, bytes):
            names = known.decode("utf-8", "surrogatepass").split("\0") if known else ()
            known = self._known = dict.fromkeys(names, False)
        return known

    @names.setter
    def names(self, names: dict[str, bool | Node] | None) -> None:
        self._known = names

    @property
    def is_listed(self) -> bool:
        """Whether its entries are known."""
        return self._known is not None

    def pack(self) -> None:
        """Have the names take less memory, if they are of files alone, until they are asked for.

        A dict of two names takes 330 bytes, and so packed 50; most directories of a big tree rest.
        """
        known = self._known
        if isinstance(known, dict) and not (self.pins or any(known.values())):
            self._known = "\0".join(known).encode("utf-8", "surrogatepass")

    # --- what monitored paths need of it

    @property
    def pins(self) -> dict[str, Node]:
        """The entries that have a node, whether they are followed or not."""
        return self.crossing.pins

    @property
    def monitors(self) -> list[Monitor]:
        """The monitors that end here."""
        return self.crossing.monitors

    @property
    def routes(self) -> set[Monitor]:
        """The monitors whose path leads through here or ends here."""
        return self.crossing.routes

    def cross(self) -> Crossing:
        """What monitored paths need of it, to be added to."""
        if self.crossing is _NO_CROSSING:
            self.crossing = Crossing()
        return self.crossing

    def pin(self, child: Node) -> None:
        """A monitored path leads to or through `child`, or it is watched of itself."""
        crossing = self.cross()
        crossing.pins[child.name] = child
        crossing.restless.add(child.name)

    def unpin(self, child: Node) -> None:
        """No more."""
        if self.pins.pop(child.name, None) is not None:
            self.crossing.restless.discard(child.name)
            self.crossing.specials.discard(child.name)
        if not (self.pins or self.routes or self.monitors):
            self.crossing = _NO_CROSSING

    def forget_watch(self) -> None:
        """It tells nothing itself any more."""
        self.source = self.key = self.heard = None
        if self.parent is not None and self.name in self.parent.pins:
            self.parent.crossing.restless.add(self.name)

    def note_special(self) -> None:
        """It was found to be something that can't be watched, and is not to be followed."""
        if self.parent is not None and self.name in self.parent.pins:
            self.parent.crossing.specials.add(self.name)

    def paths(self) -> list[str]:
        """The path as the monitors that end here spell it; as it is if there are none."""
        return list(dict.fromkeys(monitor.path for monitor in self.monitors)) or [self.path]

    @property
    def is_followed(self) -> bool:
        """Whether a recursive monitor came to it from the directory above."""
        parent = self.parent
        known = None if parent is None else parent._known
        return isinstance(known, dict) and known.get(self.name) is self

    @property
    def is_attached(self) -> bool:
        """Whether it is still part of the tree."""
        parent = self.parent
        return parent is None or parent.pins.get(self.name) is self or self.is_followed

    @property
    def is_told_above(self) -> bool:
        """Whether only its own watch tells those of its content who monitor the directory above."""
        parent = self.parent
        if parent is None or parent.source is None or parent.source.tells_contents:
            return False
        return isinstance(parent._known, dict) and self.name in parent._known

    def children(self) -> Iterator[Node]:
        """The nodes below it: followed directories, then what else is watched of itself."""
        followed = set()
        known = self._known if isinstance(self._known, dict) else {}
        for entry in known.values():
            if isinstance(entry, Node):
                followed.add(entry)
                yield entry
        for pin in self.pins.values():
            if pin not in followed:
                yield pin

    def child(self, name: str) -> Node | None:
        """The node of its entry `name`, if it has one."""
        entry = self._known.get(name) if isinstance(self._known, dict) else None
        return entry if isinstance(entry, Node) else self.pins.get(name)

    def interest(self) -> Interest | None:
        """How much must be heard of it; None: nothing."""
        if self.monitors or self.is_followed or self._has_monitored_special():
            return Interest.ALL
        if self.is_told_above:
            return Interest.ALL
        if self._is_to_tell_of_pins():
            return Interest.ENTRIES
        # The root directory neither goes nor moves.
        return Interest.SELF if self.parent is not None else None

    def _has_monitored_special(self) -> bool:
        specials = (self.pins.get(name) for name in self.crossing.specials)
        return any(pin and pin.found is Found.SPECIAL and pin.monitors for pin in specials)

    def _is_to_tell_of_pins(self) -> bool:
        # A watched directory tells itself that it goes. What a file is replaced by, where a link
        # leads and what comes to be, only the directory above can tell.
        restless = self.crossing.restless
        while restless:
            name = next(iter(restless))
            pin = self.pins.get(name)
            if pin is not None and (pin.found is not Found.DIRECTORY or pin.source is None):
                return True
            restless.discard(name)
        return False
