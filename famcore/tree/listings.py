"""What monitors are told at their start, and when their path leads to somewhere new."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from famcore.events import Event, EventCode, Monitor, make_event
from famcore.snapshot import Found
from famcore.tree.growth import Growth
from famcore.tree.node import Node
from famcore.tree.telling import Telling

#: A path that ends at a link ends at one that leads nowhere.
_ABSENT = (Found.NOTHING, Found.LINK)

#: The path of a directory relative to a monitor, "" or ending in a slash, and what is in it.
_Entries = tuple[str, list[tuple[str, bool | Node]]]


class _Listing(NamedTuple):
    monitor: Monitor
    #: Made as they are taken.
    events: Iterator[Event]
    #: Not the first that it is told.
    is_switch: bool = False


class Listings:
    """What is to be told before anything else is. Nothing is settled amid a listing."""

    def __init__(self, end_of: Callable[[Monitor], Node], telling: Telling, growth: Growth) -> None:
        #: The node at which the path of a monitor ends.
        self._end_of = end_of
        self._telling = telling
        self._growth = growth
        self._queue: deque[_Listing] = deque()
        #: Whether the first of them has begun.
        self.is_amid = False

    def __bool__(self) -> bool:
        return bool(self._queue)

    @property
    def next_is_switch(self) -> bool:
        """Whether the next one is of a path that has led elsewhere before."""
        return self._queue[0].is_switch

    def begin(self, monitor: Monitor) -> None:
        """Tell a new monitor what exists; until then it is told nothing."""
        self._queue.append(_Listing(monitor, self._existing(monitor)))

    def switch(self, monitor: Monitor) -> None:
        """The path of `monitor` is to lead elsewhere: tell how what is there then differs."""
        self._queue.append(
            _Listing(monitor, self._switch(monitor, self._view(monitor)), is_switch=True)
        )

    def drop(self, monitor: Monitor) -> None:
        """Tell `monitor` nothing more."""
        if self._queue and self._queue[0].monitor is monitor:
            self.is_amid = False
        self._queue = deque(each for each in self._queue if each.monitor is not monitor)

    def tell(self, limit: int) -> None:
        """Tell what is to be told of the next one, `limit` events at most."""
        monitor, events, _ = self._queue[0]
        if monitor in self._telling.silent:
            self._telling.silent.remove(monitor)
            self._telling.regroup()
        out = self._telling.out
        before = len(out)
        out.extend(islice(events, limit))
        self.is_amid = len(out) - before == limit
        if not self.is_amid:
            self._queue.popleft()

    # --- what there is

    def _directories(self, monitor: Monitor, *, known: bool = False) -> Iterator[_Entries]:
        """The entries of each directory that `monitor` is told of, those above first.

        Directories not listed yet are listed on the way, unless only what is `known` is wanted.
        """
        end = self._end_of(monitor)
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
                if self._growth.list_directory(node, path) is None:
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
        end = self._end_of(monitor)
        itself = None if end.found in _ABSENT else end.found is Found.DIRECTORY
        if itself is not None:
            yield make_event(monitor, "", EventCode.EXISTS, itself)
        if itself:
            exists = EventCode.EXISTS
            for prefix, entries in self._directories(monitor):
                for name, entry in entries:
                    yield make_event(monitor, prefix + name, exists, entry is not False)
        yield make_event(monitor, "", EventCode.END_EXIST, itself)

    # --- what differs

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
        found = self._end_of(monitor).found
        if found in _ABSENT:
            return {}
        view = {"": found is Found.DIRECTORY}
        if found is Found.DIRECTORY:
            for prefix, entries in self._directories(monitor, known=not fresh):
                view.update((prefix + name, entry is not False) for name, entry in entries)
        return view
