"""Where monitored paths lead: each walked from the root, links resolved, nodes pinned on the way."""

from __future__ import annotations

import os
from collections.abc import Iterator

from famcore.events import Event, EventCode, Monitor, make_event
from famcore.snapshot import Found
from famcore.tree.growth import Growth
from famcore.tree.node import Node
from famcore.tree.telling import Telling
from famcore.tree.watches import Watches

#: As many links are followed as the kernel does (path_resolution(7)).
_MAX_LINKS = 40

#: A path that ends at a link ends at one that leads nowhere.
_ABSENT = (Found.NOTHING, Found.LINK)


class Paths:
    """The nodes that each monitored path leads through, and the one it ends at."""

    def __init__(self, watches: Watches, telling: Telling, growth: Growth) -> None:
        self.root = Node(None, "")
        self.root.found = Found.DIRECTORY
        #: Monitor → the nodes on its path, the last one where it ends.
        self.routes: dict[Monitor, list[Node]] = {}
        self._watches = watches
        self._telling = telling
        self._growth = growth
        growth.relink = self._relink

    def end_of(self, monitor: Monitor) -> Node:
        """The node at which the path of `monitor` ends."""
        return self.routes[monitor][-1]

    # --- leading a monitor along its path

    def lead(self, monitor: Monitor) -> None:
        """Pin the nodes of the monitored path and watch them."""
        *way, end = self._walk(monitor)
        route = [node for node in dict.fromkeys(way) if node is not end]
        route.append(end)
        self.routes[monitor] = route
        end.monitors.append(monitor)
        self._telling.regroup()
        for node in route:
            self._growth.review(node)
        if end.found is Found.FILE:
            self._growth.inspect(end)

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
            child = self._pin(node, name)
            child.routes.add(monitor)
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

    def _pin(self, node: Node, name: str) -> Node:
        child = node.child(name)
        if child is None:
            child = Node(node, name)
        if name not in node.pins:
            node.pins[name] = child
            if child.found is Found.NOTHING:
                child.found, _ = self._growth.inspect(child)
        return child

    def release(self, monitor: Monitor) -> None:
        """Let go of the nodes that only `monitor` needs."""
        route = self.routes.pop(monitor)
        route[-1].monitors.remove(monitor)
        self._telling.regroup()
        self._trim(route[-1])
        for node in reversed(route):
            node.routes.discard(monitor)
            parent = node.parent
            if parent is not None and not node.routes and not node.pins:
                parent.pins.pop(node.name, None)
                if not node.is_followed:
                    self._telling.leave(node)
                    self._watches.drop(node)
                    self._growth.doubtful.pop(node, None)
            self._growth.review(node)
            self._growth.review(parent)

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
            if node is not top:
                if not node.is_attached:
                    self._watches.drop(node)
                    self._growth.doubtful.pop(node, None)
                else:
                    self._growth.review(node)

    # --- what a monitor sees

    def entries(self, monitor: Monitor, *, known: bool = False) -> Iterator[tuple[str, bool]]:
        """Each entry of `monitor`, relative to it, and whether it is a directory.

        Directories not listed yet are listed on the way, unless only what is `known` is wanted.
        """
        todo = [(self.end_of(monitor), "")]
        while todo:
            node, prefix = todo.pop()
            if node.names is None and (known or not self._list(node)):
                continue
            below = []
            for name, entry in list((node.names or {}).items()):
                filename = prefix + name
                if prefix and self._telling.hides(filename):
                    continue
                yield filename, entry is not False
                if monitor.recursive and entry is not False:
                    if not isinstance(entry, Node) and not known:
                        entry = self._growth.follow(node, name)
                    if isinstance(entry, Node):
                        below.append((entry, filename + "/"))
            todo.extend(reversed(below))

    def _list(self, node: Node) -> bool:
        if node.found is not Found.DIRECTORY:
            node.found, _ = self._growth.inspect(node)
        if node.found is not Found.DIRECTORY:
            if node.is_followed:
                self._growth.doubtful[node] = None
            return False
        self._growth.review(node)
        self._growth.list(node)
        return True

    def existing(self, monitor: Monitor) -> Iterator[Event]:
        """The `exists` events of a new monitor and its `endExist`, made as they are taken."""
        end = self.end_of(monitor)
        itself = None if end.found in _ABSENT else end.found is Found.DIRECTORY
        if itself is not None:
            yield make_event(monitor, "", EventCode.EXISTS, itself)
        if itself:
            for filename, is_directory in self.entries(monitor):
                yield make_event(monitor, filename, EventCode.EXISTS, is_directory)
        yield make_event(monitor, "", EventCode.END_EXIST, itself)

    # --- links

    def _relink(self, node: Node) -> None:
        """A link that monitored paths lead through came, went or leads elsewhere."""
        for monitor in list(node.routes):
            before = self._view(monitor)
            self.release(monitor)
            self.lead(monitor)
            self._tell_switch(monitor, before, self._view(monitor, fresh=True))

    def _view(self, monitor: Monitor, *, fresh: bool = False) -> dict[str, bool]:
        """The names of `monitor`, "" for itself, and whether each is a directory."""
        found = self.end_of(monitor).found
        if found in _ABSENT:
            return {}
        view = {"": found is Found.DIRECTORY}
        if found is Found.DIRECTORY:
            view.update(self.entries(monitor, known=not fresh))
        return view

    def _tell_switch(
        self, monitor: Monitor, before: dict[str, bool], after: dict[str, bool]
    ) -> None:
        def tell(name: str, code: EventCode, is_directory: bool) -> None:
            self._telling.out.append(make_event(monitor, name, code, is_directory))

        for name in reversed(before):
            if after.get(name) is not before[name]:
                tell(name, EventCode.DELETED, before[name])
        for name, is_directory in after.items():
            if before.get(name) is not is_directory:
                tell(name, EventCode.CREATED, is_directory)
            elif name:
                tell(name, EventCode.CHANGED, is_directory)
        if "" in after and before.get("") is after[""]:
            tell("", EventCode.CHANGED, after[""])


def _target(link: Node) -> str | None:
    """Where a link leads; None if it is none any more."""
    try:
        return os.readlink(link.path)
    except OSError:
        return None
