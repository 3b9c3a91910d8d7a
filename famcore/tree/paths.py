"""Where monitored paths lead: walked from the root, links resolved, nodes pinned on the way."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from famcore.events import Event, EventCode, Monitor, make_event
from famcore.snapshot import Found, identify
from famcore.tree.growth import Growth
from famcore.tree.inspection import Inspection
from famcore.tree.node import Node
from famcore.tree.telling import Telling

#: As many links are followed as the kernel does (path_resolution(7)).
_MAX_LINKS = 40

#: A path that ends at a link ends at one that leads nowhere.
_ABSENT = (Found.NOTHING, Found.LINK)


#: The path of a directory relative to a monitor, "" or ending in a slash, and what is in it.
Entries = tuple[str, list[tuple[str, bool | Node]]]


class Listing(NamedTuple):
    """What is to be told of a monitor whose path leads to somewhere new."""

    monitor: Monitor
    events: Iterator[Event]
    #: Not the first that it is told.
    is_switch: bool = False


class Paths:
    """The nodes that each monitored path leads through, and the one it ends at."""

    def __init__(self, inspection: Inspection, telling: Telling, growth: Growth) -> None:
        self.root = Node(None, "")
        self.root.found, self.root.identity = identify("/")
        #: Monitor → the nodes on its path, the last one where it ends.
        self.routes: dict[Monitor, list[Node]] = {}
        #: Nothing else is told until these are.
        self.listings: deque[Listing] = deque()
        #: Whether the first of them has begun.
        self.is_listing = False
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
        self.listings.append(Listing(monitor, self._existing(monitor)))

    def remove(self, monitor: Monitor) -> None:
        """Remove a monitor, and tell it nothing more."""
        self._telling.silent.discard(monitor)
        if self.listings and self.listings[0].monitor is monitor:
            self.is_listing = False
        self.listings = deque(each for each in self.listings if each.monitor is not monitor)
        self.release(monitor)

    def tell_listing(self, limit: int) -> None:
        """Tell what is to be told of the first of the `listings`, `limit` events at most."""
        monitor, events, _ = self.listings[0]
        if monitor in self._telling.silent:
            self._telling.silent.remove(monitor)
            self._telling.regroup()
        out = self._telling.out
        before = len(out)
        out.extend(islice(events, limit))
        self.is_listing = len(out) - before == limit
        if not self.is_listing:
            self.listings.popleft()

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
            target = _target(child) if child.found is Found.LINK else None
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
            if node.parent is not None and not node.routes and not node.pins:
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
                    self._telling.leave(node)
            if node.is_attached:
                self._inspection.review(node)
            else:
                self._let_go(node)

    def _let_go(self, node: Node) -> None:
        """`node` is no longer part of the tree."""
        self._telling.leave(node)
        self._inspection.drop(node)

    # --- what a monitor sees

    def directories(self, monitor: Monitor, *, known: bool = False) -> Iterator[Entries]:
        """The entries of each directory that `monitor` is told of, those above first.

        Directories not listed yet are listed on the way, unless only what is `known` is wanted.
        """
        end = self.end_of(monitor)
        match, follow = self._telling.match, self._growth.follow
        todo = [(end, "", end.path, False)]
        while todo:
            node, prefix, path, is_alone = todo.pop()
            if not node.is_listed:
                if known:
                    continue
                is_alone = is_alone or self._is_alone(node, monitor)
                if not is_alone:
                    # Others are to be told of what is in it, too: all are, as of one that came.
                    self._growth.arrivals.append((node, None))
                    continue
                if node.routes and node.found is not Found.DIRECTORY:
                    continue
                if self._growth.list(node, path) is None:
                    continue
            assert node.names is not None
            entries = list(node.names.items())
            node.pack()
            if prefix:
                entries = [entry for entry in entries if not match(prefix + entry[0])]
            yield prefix, entries
            if not monitor.recursive:
                continue
            start = path if path == "/" else path + "/"
            for name, entry in reversed(entries):
                if entry is False:
                    continue
                if entry is True and not known:
                    entry = follow(node, name)
                if entry is not True:
                    # Told alone of a directory, it is of those in it, unless others end there.
                    still = is_alone and not entry.monitors
                    todo.append((entry, f"{prefix}{name}/", start + name, still))

    def _is_alone(self, node: Node, monitor: Monitor) -> bool:
        """Whether no other monitor is told of what is in `node`."""
        return all(other is monitor for other, _ in self._telling.audience(node))

    def _existing(self, monitor: Monitor) -> Iterator[Event]:
        """The `exists` events of a new monitor and its `endExist`, made as they are taken."""
        end = self.end_of(monitor)
        itself = None if end.found in _ABSENT else end.found is Found.DIRECTORY
        if itself is not None:
            yield make_event(monitor, "", EventCode.EXISTS, itself)
        if itself:
            exists = EventCode.EXISTS
            for prefix, entries in self.directories(monitor):
                for name, entry in entries:
                    yield make_event(monitor, prefix + name, exists, entry is not False)
        yield make_event(monitor, "", EventCode.END_EXIST, itself)

    # --- links

    def _relink(self, node: Node, found: Found) -> None:
        """A link that monitored paths lead through came, went or was replaced by `found`."""
        monitors = list(node.routes)
        for monitor in monitors:
            if monitor not in self._telling.silent:
                switch = self._switch(monitor, self._view(monitor))
                self.listings.append(Listing(monitor, switch, is_switch=True))
                self._telling.silent.add(monitor)
        node.found = found
        for monitor in monitors:
            self._relead(monitor)

    def _switch(self, monitor: Monitor, before: dict[str, bool]) -> Iterator[Event]:
        """The events that lead from the names `before` to those that there are now."""
        after = self._view(monitor, fresh=True)
        for name in reversed(before):
            if after.get(name) is not before[name]:
                yield make_event(monitor, name, EventCode.DELETED, before[name])
        for name, is_directory in after.items():
            if before.get(name) is not is_directory:
                yield make_event(monitor, name, EventCode.CREATED, is_directory)
            elif name:
                yield make_event(monitor, name, EventCode.CHANGED, is_directory)
        if "" in after and before.get("") is after[""]:
            yield make_event(monitor, "", EventCode.CHANGED, after[""])

    def _view(self, monitor: Monitor, *, fresh: bool = False) -> dict[str, bool]:
        """The names of `monitor`, "" for itself, and whether each is a directory."""
        found = self.end_of(monitor).found
        if found in _ABSENT:
            return {}
        view = {"": found is Found.DIRECTORY}
        if found is Found.DIRECTORY:
            for prefix, entries in self.directories(monitor, known=not fresh):
                view.update((prefix + name, entry is not False) for name, entry in entries)
        return view


def _target(link: Node) -> str | None:
    """Where a link leads; None if it is none any more."""
    try:
        return os.readlink(link.path)
    except OSError:
        return None
