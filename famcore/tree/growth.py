"""What comes and what goes: nodes made to match the disk, the difference told."""

from __future__ import annotations

from collections.abc import Callable

from famcore.events import EventCode
from famcore.snapshot import Found
from famcore.tree.doubts import Doubts
from famcore.tree.entries import Entries
from famcore.tree.inspection import Held, Inspection
from famcore.tree.moves import Origin
from famcore.tree.node import Node
from famcore.tree.telling import Telling
from famcore.tree.watches import Watches


class Growth:
    """Brings nodes up to date, one at a time; directories that came are listed by `grow`."""

    def __init__(
        self, watches: Watches, inspection: Inspection, doubts: Doubts, telling: Telling
    ) -> None:
        self._watches = watches
        self._inspection = inspection
        self._doubts = doubts
        self._telling = telling
        self.entries = Entries(inspection, doubts)
        #: Directories that have come and are not listed yet, the next one last.
        self.arrivals: list[tuple[Node, Origin | None]] = []
        #: Called with a node that is or was a link, to make it what is there now.
        self.relink: Callable[[Node, Found], None] = lambda node, found: None

    # --- bringing up to date

    def settle(self, node: Node) -> None:
        """Make `node` what is at its path now, and tell the difference.

        One that has left the tree, as its neighbour was settled, is let be.
        """
        self._doubts.clear(node)
        if not node.is_attached:
            return
        before = node.found
        found, held = self._inspection.inspect(node)
        if found is not before:
            if before not in (Found.NOTHING, Found.LINK):
                self.depart(node)
            self._keep_in_step(node, found)
            if Found.LINK in (before, found):
                self.relink(node, found)
            else:
                node.found = found
                if found is not Found.NOTHING:
                    self._telling.itself(node, EventCode.CREATED)
            if found is Found.DIRECTORY:
                self.arrivals.append((node, None))
        elif found is not Found.NOTHING and held is not Held.STILL:
            self._renew(node, held)
        self._inspection.review(node.parent)

    def settle_suspect(self) -> None:
        """Settle the next of the nodes whose thing may have gone."""
        self.settle(self._doubts.next_suspect())

    def _renew(self, node: Node, held: Held) -> None:
        """What is at `node` is of the kind that was known, but may be another, or have changed."""
        if held is Held.ANEW or node.found is Found.DIRECTORY:
            self._inspection.doubt(node, held)
        elif node.found is Found.LINK:
            self.relink(node, Found.LINK)
        else:
            self._telling.content(node)

    def _keep_in_step(self, node: Node, found: Found) -> None:
        """Have the entries of the directory above agree with what was found at `node`."""
        parent, name = node.parent, node.name
        if parent is None or parent.names is None:
            return
        is_directory = found is Found.DIRECTORY
        known = parent.names.get(name)
        if known is not None and (found is Found.NOTHING or (known is not False) != is_directory):
            self.vanish(parent, name)
            known = None
        if known is not None or found is Found.NOTHING:
            return
        if not self._telling.ignores(parent, name, is_directory):
            self.appear(parent, name, is_directory, None)

    def came(self, node: Node) -> None:
        """A name has come to be where `node` is, by whatever way."""
        before = node.found
        self.settle(node)
        if node.found is before:
            if before is Found.LINK:
                self.relink(node, before)
            elif before is Found.FILE or before is Found.SPECIAL:
                self._telling.itself(node, EventCode.CHANGED)

    def went(self, node: Node) -> None:
        """The name where `node` is has gone."""
        if node.found is not Found.NOTHING:
            self._watches.release(node)
            self.depart(node)
        self._doubts.suspect([node])

    def ended(self, node: Node) -> None:
        """The thing at `node` is no longer there, says its own watch, now released."""
        self._watches.forget(node)
        if not node.routes and not node.is_followed:
            # It was watched on behalf of those who are told of the names in the directory above.
            self._ask_above(node)
            return
        if node.found is Found.DIRECTORY:
            self.depart(node)
        # Of a file: whether its name went or was given to another, the directory above tells.
        self._doubts.suspect([node])

    def changed(self, node: Node) -> None:
        """The content or the attributes of what was at `node` changed, says its own watch."""
        if node.found in (Found.NOTHING, Found.LINK):
            return
        if node.is_told_above and not self._inspection.holds(node):
            # By losing a name: what has it now is told with the other names.
            self._ask_above(node)
        else:
            self._telling.content(node)

    def _ask_above(self, node: Node) -> None:
        parent = node.parent
        if parent is not None and parent.source is not None:
            self._doubts.ask(parent, parent.source.complete)

    def depart(self, node: Node) -> None:
        """Tell that what was at `node` is gone, deepest first. Its own watch is the caller's."""
        line = [node]
        for each in line:  # grows while it is gone through
            line.extend(each.children())
        links = []
        for each in reversed(line):
            if each.names is not None:
                for name, entry in each.names.items():
                    self._telling.entry(each, name, EventCode.DELETED, entry is not False)
            if each.found is Found.LINK:
                links.append(each)
                continue
            if each.found is not Found.NOTHING:
                self._telling.itself(each, EventCode.DELETED)
            each.found = Found.NOTHING
        for each in line:
            each.names = None
            self.entries.disregard(each)
            self._telling.leave(each)
            if each is not node:
                self._inspection.drop(each)
        for link in links:
            self.relink(link, Found.NOTHING)

    # --- entries of a listed directory

    def heed(self, node: Node, found: dict[str, bool]) -> dict[str, bool]:
        """The entries `found` in the directory at `node`, less those that are ignored."""
        if self._telling.hook is None:
            for name in list(filter(self._telling.match, found)):
                del found[name]
            return found
        ignores = self._telling.ignores
        return {
            name: is_directory
            for name, is_directory in found.items()
            if not ignores(node, name, is_directory)
        }

    def follow(self, node: Node, name: str) -> Node:
        """The node of the directory `name` in `node`, for recursive monitors to go on in."""
        assert node.names is not None
        child = node.pins.get(name) if node.pins else None
        if child is None:
            child = Node(node, name)
        else:
            self._telling.regroup()
        node.names[name] = child
        return child

    def appear(self, node: Node, name: str, is_directory: bool, origin: Origin | None) -> None:
        """An entry has come into the listed directory at `node`."""
        assert node.names is not None
        node.names[name] = is_directory
        self.entries.attend(node, name)
        origins = origin.names if origin else None
        self._telling.entry(node, name, EventCode.CREATED, is_directory, origins)
        if is_directory and self._telling.follows(node):
            child = self.follow(node, name)
            if child.is_listed:
                self._introduce(child)
            elif child.found is Found.DIRECTORY or name not in node.pins:
                self.arrivals.append((child, origin))

    def _introduce(self, top: Node) -> None:
        """Tell those who come to follow `top` of what others had been told of before."""
        new = {monitor for monitor, prefix in self._telling.audience(top) if prefix}
        todo = [top]
        while todo:
            node = todo.pop()
            for name, entry in list((node.names or {}).items()):
                self._telling.entry(node, name, EventCode.CREATED, entry is not False, only=new)
                if entry is not False:
                    child = entry if isinstance(entry, Node) else self.follow(node, name)
                    if child.is_listed:
                        todo.append(child)
                    elif child is not entry:
                        self.arrivals.append((child, None))

    def lose(self, node: Node, name: str) -> None:
        """The name has gone from the listed directory at `node`: its own monitors hear it first."""
        if name in node.pins:
            self.went(node.pins[name])
        if node.names is not None and name in node.names:
            self.vanish(node, name)

    def vanish(self, node: Node, name: str) -> None:
        """A known entry has left the listed directory at `node`."""
        assert node.names is not None
        entry = node.names[name]
        if isinstance(entry, Node):
            self._watches.release(entry)
            self.depart(entry)
            if name not in node.pins:
                self._inspection.drop(entry)
        del node.names[name]
        self.entries.disregard(node, name)
        self._telling.entry(node, name, EventCode.DELETED, entry is not False)

    def grow(self) -> None:
        """List the next of the directories that have come, and tell its entries as created."""
        node, origin = self.arrivals.pop()
        if not node.is_attached or node.is_listed:
            return
        if node.found is not Found.DIRECTORY and node.routes:
            self.settle(node)
            return
        if node.monitors or node.is_followed:
            found = self.list_directory(node, node.path)
            if found is None:
                return
            first = len(self.arrivals)
            for name, is_directory in found.items():
                self.appear(node, name, is_directory, origin.of(name) if origin else None)
            self.arrivals[first:] = reversed(self.arrivals[first:])
        else:
            self._inspection.review(node)
        for pin in list(node.pins.values()):
            self.settle(pin)

    def list_directory(self, node: Node, path: str) -> dict[str, bool] | None:
        """Watch and list the directory at `node`, its `path`; what is not ignored is known then.

        None if there is no directory; its end is told in its turn.
        """
        found: dict[str, bool] | None
        if node.found is Found.DIRECTORY:
            self._inspection.review(node)
            found = self._inspection.scan(node, path) or {}
        else:
            found = self._inspection.survey(node, path)
        if found is None:
            return None
        node.names = dict(entries := self.heed(node, found))
        self.entries.attend_all(node)
        return entries
