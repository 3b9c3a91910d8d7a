"""Where monitored paths lead: walked from the root, links resolved, nodes pinned on the way."""

from __future__ import annotations

from collections.abc import Iterator

from famcore.events import Monitor
from famcore.snapshot import Found, identify, target_of
from famcore.tree.growth import Growth
from famcore.tree.inspection import Inspection
from famcore.tree.listings import Listings
from famcore.tree.node import Node
from famcore.tree.telling import Telling

#: As many links are followed as the kernel does (path_resolution(7)).
_MAX_LINKS = 40


class Paths:
    """The nodes that each monitored path leads through, and the one it ends at."""

    def __init__(self, inspection: Inspection, telling: Telling, growth: Growth) -> None:
        self.root = Node(None, "")
        self.root.found, self.root.identity = identify("/")
        #: Monitor → the nodes on its path, the last one where it ends.
        self.routes: dict[Monitor, list[Node]] = {}
        self.listings = Listings(self.end_of, telling, growth)
        self._inspection = inspection
        self._telling = telling
        self._growth = growth
        growth.relink = self._relink

    def end_of(self, monitor: Monitor) -> Node:
        """The node at which the path of `monitor` ends."""
        return self.routes[monitor][-1]

    def add(self, monitor: Monitor) -> None:
        """Set a monitor; what exists is the next to be told."""
        self._telling.silent.add(monitor)
        self.lead(monitor)
        self.listings.begin(monitor)

    def remove(self, monitor: Monitor) -> None:
        """Remove a monitor, and tell it nothing more."""
        self._telling.silent.discard(monitor)
        self.listings.drop(monitor)
        self.release(monitor)

    # --- leading a monitor along its path

    def lead(self, monitor: Monitor) -> None:
        """Pin the nodes of the monitored path and watch them."""
        *way, end = self._walk(monitor)
        route = [node for node in dict.fromkeys(way) if node is not end]
        route.append(end)
        self.routes[monitor] = route
        if monitor not in end.monitors:
            end.cross().monitors.append(monitor)
        self._telling.regroup()
        for node in route:
            self._inspection.review(node)
        if end.found is Found.FILE:
            self._inspection.inspect(end)

    def _walk(self, monitor: Monitor) -> Iterator[Node]:
        node = self.root
        todo = monitor.path.split("/")[::-1]
        links = 0
        yield node
        while todo:
            name = todo.pop()
            if name in ("", "."):
                continue
            if name == "..":
                node = node.parent or node
                yield node
                continue
            child = self._pin(node, name, None if any(todo) else monitor)
            child.cross().routes.add(monitor)
            yield child
            target = target_of(child.path) if child.found is Found.LINK else None
            if target is None or links >= _MAX_LINKS:
                node = child
                continue
            links += 1
            todo.extend(target.split("/")[::-1])
            if target.startswith("/"):
                node = self.root
        # The path may end in `..` or at a link's target: the end is yielded last, once more.
        yield node

    def _pin(self, node: Node, name: str, monitor: Monitor | None) -> Node:
        """The node of the entry `name`, at which the path of `monitor` ends if it is no link."""
        child = node.child(name)
        if child is None:
            child = Node(node, name)
        if name not in node.pins:
            node.pin(child)
            if child.found is Found.NOTHING:
                if monitor is not None:
                    # So that it is watched, or said not to be, on behalf of the monitor.
                    child.cross().monitors.append(monitor)
                child.found, _ = self._inspection.inspect(child)
                if monitor is not None and child.found is Found.LINK:
                    child.monitors.remove(monitor)
                if child.is_followed:
                    self._growth.arrivals.append((child, None))
        return child

    def release(self, monitor: Monitor) -> None:
        """Let go of the nodes that only `monitor` needs."""
        self._unpin(monitor, self._leave(monitor))

    def _relead(self, monitor: Monitor) -> None:
        """Lead `monitor` along its path anew; what it still needs is watched all the while."""
        before = self._leave(monitor)
        self.lead(monitor)
        now = set(self.routes[monitor])
        self._unpin(monitor, [node for node in before if node not in now])
        self._trim(before[-1])

    def _leave(self, monitor: Monitor) -> list[Node]:
        """Take `monitor` from the node at which its path ended; return the nodes on its path."""
        route = self.routes.pop(monitor)
        route[-1].monitors.remove(monitor)
        self._telling.regroup()
        return route

    def _unpin(self, monitor: Monitor, route: list[Node]) -> None:
        """`monitor` needs these nodes no longer, of which it has left the last."""
        if route:
            self._trim(route[-1])
        # Those below first: by a link, a path may end above where it has been.
        for node in sorted(route, key=lambda each: len(each.path), reverse=True):
            node.routes.discard(monitor)
            is_needed = node.routes or node.pins or node.is_told_above
            if node.parent is not None and not is_needed:
                node.parent.unpin(node)
            if node.is_attached:
                self._inspection.review(node)
            else:
                self._let_go(node)
                self._inspection.review(node.parent)

    def _trim(self, top: Node) -> None:
        """Forget the entries, at `top` and below, that no monitor is told of any more."""
        todo = [top]
        while todo:
            node = todo.pop()
            if node.names is not None:
                follows = self._telling.follows(node)
                for name, entry in list(node.names.items()):
                    if isinstance(entry, Node):
                        todo.append(entry)
                        if not follows:
                            node.names[name] = True
                if not self._telling.audience(node):
                    node.names = None
                    self._growth.entries.disregard(node)
                    self._telling.leave(node)
            if node.is_attached:
                self._inspection.review(node)
            else:
                self._let_go(node)

    def _let_go(self, node: Node) -> None:
        """`node` is no longer part of the tree."""
        self._telling.leave(node)
        self._inspection.drop(node)

    # --- links

    def _relink(self, node: Node, found: Found) -> None:
        """A link that monitored paths lead through came, went or was replaced by `found`."""
        monitors = list(node.routes)
        for monitor in monitors:
            if monitor not in self._telling.silent:
                self.listings.switch(monitor)
                self._telling.silent.add(monitor)
        node.found = found
        for monitor in monitors:
            self._relead(monitor)
