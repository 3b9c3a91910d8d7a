"""What the backends say, queued and translated: changes of watches in, events out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from operator import length_hint

from famcore.backend import Change, Kind
from famcore.events import Event, EventCode, Monitor, make_event
from famcore.tree.cases import Cases
from famcore.tree.growth import Growth
from famcore.tree.node import Node
from famcore.tree.source import Source
from famcore.tree.telling import Telling, View

#: Looked up once: an enum takes its time to give a member.
_KIND_CREATED, _KIND_CHANGED, _KIND_DELETED = Kind.CREATED, Kind.CHANGED, Kind.DELETED
_CODE_CREATED, _CODE_CHANGED, _CODE_DELETED = (
    EventCode.CREATED,
    EventCode.CHANGED,
    EventCode.DELETED,
)
_new = Event.__new__


class Chunk:
    """What one read of a source brought."""

    __slots__ = ("changes", "complete", "length", "source")

    def __init__(self, source: Source, changes: list[Change]) -> None:
        self.source = source
        #: Until when (epoch seconds) all that happened is in it or in those before, if that is
        #: known.
        self.complete: float | None = None
        #: What is not translated yet.
        self.changes: Iterator[Change] = iter(changes)
        #: How many that is.
        self.length = len(changes)


class Changes:
    """What has been read and not been translated yet."""

    def __init__(self, telling: Telling, growth: Growth, cases: Cases) -> None:
        self._telling = telling
        self._growth = growth
        self._cases = cases
        self.chunks: deque[Chunk] = deque()
        #: How many changes they have.
        self._length = 0

    def add(self, source: Source, changes: list[Change]) -> int:
        """Queue what was read; return how many changes are queued."""
        self.chunks.append(Chunk(source, changes))
        self._length += len(changes)
        return self._length

    def complete(self, source: Source, until: float) -> None:
        """All that happened until then (epoch seconds) has been read of `source`.

        As such it counts once it is translated.
        """
        last = next((each for each in reversed(self.chunks) if each.source is source), None)
        if last is None:
            source.complete = until
        else:
            last.complete = until

    def clear(self) -> float:
        """Forget what was read; return since when (epoch seconds) something is missed by that."""
        since = min(chunk.source.complete for chunk in self.chunks)
        self.chunks.clear()
        self._length = 0
        self._cases.moves.forget()
        return since

    def forget(self, source: Source) -> None:
        """`source` is lost, and with it what was read of it and is not translated."""
        self.chunks = deque(chunk for chunk in self.chunks if chunk.source is not source)
        self._length = sum(chunk.length for chunk in self.chunks)

    def translate(self, limit: int) -> bool:
        """Make events of `limit` changes at most, or until a directory is to be listed.

        Returns whether each change was of a file where nothing else is to be thought of.

        Hot: the loop is gone through once for every change. A file that comes, changes or goes
        where nothing else is to be thought of is all done in it, with the event made in place for
        a monitor that is alone; the rest is called.
        """
        chunk = self.chunks[0]
        nodes = chunk.source.nodes
        telling, arrivals = self._telling, self._growth.arrivals
        match, said, audiences = telling.match, telling.out.append, telling.audiences
        overwritten = self._cases.moves.overwritten
        last: object = chunk  # no key is ever equal to it
        node: Node | None = None
        names: dict[str, bool | Node] = {}
        told: set[str] = set()
        views: list[View] = []
        alone: Monitor | None = None
        prefix = ""
        is_unasked = telling.hook is None and chunk.source.tells_contents
        is_plain = True
        for change in islice(chunk.changes, limit):
            kind, key, name, is_directory, cookie = change
            if key != last:
                last, node = key, nodes.get(key)
                # Where more is to be thought of than names, there are no views here.
                views, alone = [], None
                if node is not None:
                    told = telling.told[node]
                    if (known := node.names) is not None and not node.crossing.pins and is_unasked:
                        names = known
                        views = audiences.get(node) or telling.audience(node)
                        if len(views) == 1:
                            alone, prefix = views[0]
            code = None
            if views and not cookie and is_directory is False:
                if kind == _KIND_CREATED:
                    if name not in names:
                        if match(name):
                            continue
                        names[name] = False
                        if told:
                            told.discard(name)
                        code = _CODE_CREATED
                elif names.get(name) is False:
                    if kind == _KIND_CHANGED:
                        if name in told:
                            continue
                        told.add(name)
                        code = _CODE_CHANGED
                    elif kind == _KIND_DELETED and (node, name) not in overwritten:
                        del names[name]
                        if told:
                            told.discard(name)
                        code = _CODE_DELETED
            if code is None:
                self._cases.tell(chunk.source, node, change)
                last = chunk
                is_plain = False
                if arrivals:
                    break
            elif alone is not None:
                if prefix:
                    name = prefix + name
                    if match(name):
                        continue
                event = _new(Event)
                event.request_id = alone.request_id
                event.filename = event._name = name
                event.action = code
                event.is_directory = False
                event.moved_from = None
                event._monitor = alone
                said(event)
            else:
                for monitor, before in views:
                    if not before or not match(before + name):
                        said(make_event(monitor, before + name, code, False))
        left = length_hint(chunk.changes)
        self._length -= chunk.length - left
        chunk.length = left
        if not left:
            self.chunks.popleft()
            if chunk.complete is not None:
                chunk.source.complete = chunk.complete
        return is_plain
