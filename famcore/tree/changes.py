"""What the backends say, translated: changes of watches in, events of monitors out."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from itertools import islice
from operator import length_hint
from typing import Any

from famcore.backend import Change, Kind
from famcore.events import Event, EventCode, Monitor, make_event
from famcore.snapshot import Found, look
from famcore.tree.doubts import Doubts
from famcore.tree.gaps import Gaps
from famcore.tree.growth import Growth
from famcore.tree.moves import Moves
from famcore.tree.node import Node
from famcore.tree.source import Source
from famcore.tree.telling import Telling, View


class Chunk:
    """What one read of a source brought."""

    __slots__ = ("changes", "complete", "source")

    def __init__(self, source: Source, changes: list[Change]) -> None:
        self.source = source
        #: Until when (epoch seconds) all that happened is in it or in those before, if that is
        #: known.
        self.complete: float | None = None
        #: What is not translated yet.
        self.changes: Iterator[Change] = iter(changes)


class Changes:
    """What has been read and not been translated yet."""

    def __init__(
        self, root: Node, gaps: Gaps, doubts: Doubts, telling: Telling, growth: Growth
    ) -> None:
        self._root = root
        self._gaps = gaps
        self._doubts = doubts
        self._telling = telling
        self._growth = growth
        self.chunks: deque[Chunk] = deque()
        self._moves = Moves(telling)

    def add(self, source: Source, changes: list[Change]) -> None:
        """Queue what was read."""
        if source.twins:
            changes = source.expand(changes)
        self.chunks.append(Chunk(source, changes))

    def complete(self, source: Source, until: float) -> None:
        """All that happened until then (epoch seconds) has been read of `source`.

        As such it counts once it is translated.
        """
        last = next((each for each in reversed(self.chunks) if each.source is source), None)
        if last is None:
            source.complete = until
        else:
            last.complete = until

    def bound(self, limit: int) -> None:
        """If there are more than `limit` changes, forget them: everything is looked at instead."""
        if sum(length_hint(chunk.changes) for chunk in self.chunks) > limit:
            since = min(chunk.source.complete for chunk in self.chunks)
            self.chunks.clear()
            self._moves.forget()
            self._doubts.ask_all(self._root, since, "more changes than may be pending")

    def forget(self, source: Source) -> None:
        """`source` is lost, and with it what was read of it and is not translated."""
        self.chunks = deque(chunk for chunk in self.chunks if chunk.source is not source)

    def translate(self, limit: int) -> None:
        """Make events of `limit` changes at most, or until a directory is to be listed.

        Hot: the loop is gone through once for every change. A file that comes, changes or goes
        where nothing else is to be thought of is all done in it, with the event made in place for
        a monitor that is alone; the rest is called.
        """
        chunk = self.chunks[0]
        nodes = chunk.source.nodes
        telling, arrivals = self._telling, self._growth.arrivals
        match, said = telling.match, telling.out.append
        overwritten = self._moves.overwritten
        kind_created, kind_changed, kind_deleted = Kind.CREATED, Kind.CHANGED, Kind.DELETED
        created, changed, deleted = EventCode.CREATED, EventCode.CHANGED, EventCode.DELETED
        new, event_class = Event.__new__, Event
        last: object = chunk  # no key is ever equal to it
        node: Node | None = None
        names: dict[str, bool | Node] = {}
        told: set[str] = set()
        views: list[View] = []
        alone: Monitor | None = None
        prefix = ""
        is_unasked = telling.hook is None
        for change in islice(chunk.changes, limit):
            kind, key, name, is_directory, cookie = change
            if key != last:
                last, node = key, nodes.get(key)
                # Where more is to be thought of than names, there are no views here.
                views, alone = [], None
                if node is not None:
                    told = telling.told_of(node)
                    if (known := node.names) is not None and not node.pins and is_unasked:
                        names, views = known, telling.audience(node)
                        if len(views) == 1:
                            alone, prefix = views[0]
            code = None
            if views and not cookie and is_directory is False:
                if kind == kind_created:
                    if name not in names:
                        if match(name):
                            continue
                        names[name] = False
                        if told:
                            told.discard(name)
                        code = created
                elif names.get(name) is False:
                    if kind == kind_changed:
                        if name in told:
                            continue
                        told.add(name)
                        code = changed
                    elif kind == kind_deleted and (node, name) not in overwritten:
                        del names[name]
                        if told:
                            told.discard(name)
                        code = deleted
            if code is None:
                self._rare(chunk, node, change)
                last = chunk
                if arrivals:
                    break
            elif alone is not None:
                if prefix:
                    name = prefix + name
                    if match(name):
                        continue
                event = new(event_class)
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
        if not length_hint(chunk.changes):
            self.chunks.popleft()
            if chunk.complete is not None:
                chunk.source.complete = chunk.complete

    def _created(self, node: Node, name: str, is_directory: bool | None, cookie: int) -> None:
        if name in (".", "..") or "/" in name:
            raise ValueError(f"no entry can be called {name!r}")
        names = node.names
        assert names is not None
        origin = self._moves.arrives(cookie, node, name)
        known = names.get(name)
        if is_directory is None:
            is_directory = look(node.path_to(name)) is Found.DIRECTORY
        if known is not None and (known is not False) is not is_directory:
            self._growth.lose(node, name)
            known = None
        if known is None:
            if not self._telling.ignores(node, name, is_directory):
                self._growth.appear(node, name, is_directory, origin)
        else:
            origins = origin.names if origin else None
            self._telling.entry(node, name, EventCode.CHANGED, is_directory, origins)
            if isinstance(known, Node) and name not in node.pins:
                self._growth.settle(known)
        if name in node.pins:
            self._growth.came(node.pins[name])

    def _deleted(self, node: Node, name: str, cookie: int) -> None:
        names = node.names
        assert names is not None
        if name in names:
            self._moves.leaves(cookie, node, name)
        self._growth.lose(node, name)
        self._telling.forget(node, name)

    @property
    def has_suspects(self) -> bool:
        """Whether names are to be looked for."""
        return bool(self._moves.suspects)

    def look_for_suspect(self) -> None:
        """Look for the next name that a rename has left in doubt."""
        node, name = self._moves.suspects.popitem()[0]
        if node.is_attached and node.names is not None and name not in node.names:
            self._appeared(node, name)

    def _appeared(self, node: Node, name: str) -> None:
        """A name that is not known was spoken of: it has come, if it is there."""
        found = look(node.path_to(name))
        if found is not Found.NOTHING:
            self._created(node, name, found is Found.DIRECTORY, 0)

    def _rare(self, chunk: Chunk, node: Node | None, change: tuple[Any, ...]) -> None:
        """Translate one change, of whatever kind."""
        kind, key, name, is_directory, cookie = change
        if node is None:
            # Of a watch that has ended meanwhile, or of all.
            if kind == Kind.RESCAN and key is None:
                self._rescan(name, chunk.source.complete)
        elif kind == Kind.GONE:
            self._growth.ended(node)
        elif kind == Kind.RESCAN:
            self._doubts.ask(node, chunk.source.complete)
        elif not name:
            if kind == Kind.CHANGED:
                self._changed_itself(node)
        elif node.names is not None:
            self._entry(node, kind, name, is_directory, cookie)
        elif (pin := node.pins.get(name)) is not None:
            if kind == Kind.CREATED:
                self._growth.came(pin)
            elif kind == Kind.DELETED:
                self._growth.went(pin)
            else:
                self._pin_changed(pin)

    def _rescan(self, path: str, since: float) -> None:
        """Anything may have changed: everywhere, or at `path` and below."""
        path = path.rstrip("/")
        if not path:
            self._doubts.ask_all(self._root, since, "events were lost")
            return
        above, name = os.path.split(path)
        parent = self._known(above)
        if parent is None:
            return
        if parent.names and parent.names.get(name) is False:
            self._telling.entry(parent, name, EventCode.CHANGED, False)
        node = parent.child(name)
        if node is not None:
            self._doubts.ask_all(node, since, f"what is at {path} may be another")

    def _known(self, path: str) -> Node | None:
        """The node of an absolute path without links, if there is one."""
        node: Node | None = self._root
        for name in filter(None, path.split("/")):
            if node is None:
                break
            node = node.child(name)
        return node

    def _entry(
        self, node: Node, kind: Kind, name: str, is_directory: bool | None, cookie: int
    ) -> None:
        """Translate a change of an entry of a listed directory."""
        assert node.names is not None
        if kind == Kind.CREATED:
            self._created(node, name, is_directory, cookie)
        elif kind == Kind.DELETED:
            self._deleted(node, name, cookie)
        elif name in node.names:
            known = node.names[name]
            self._telling.entry(node, name, EventCode.CHANGED, known is not False)
            if isinstance(known, Node) and known in self._gaps:
                # Perhaps it may be read now.
                self._growth.settle(known)
            if name in node.pins:
                self._pin_changed(node.pins[name])
        elif not self._telling.ignores(node, name, bool(is_directory)):
            self._appeared(node, name)

    def _changed_itself(self, node: Node) -> None:
        if node.found not in (Found.NOTHING, Found.LINK):
            self._telling.itself(node, EventCode.CHANGED)

    def _pin_changed(self, pin: Node) -> None:
        """A directory tells of something in it that may have a watch of its own, and monitors."""
        if pin.source is None and pin.found is not Found.NOTHING:
            self._changed_itself(pin)
