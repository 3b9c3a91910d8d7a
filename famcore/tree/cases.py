"""What a change means where more is to be thought of than one file's name."""

from __future__ import annotations

import os
from typing import Any

from famcore.backend import Kind
from famcore.events import EventCode
from famcore.snapshot import Found, look
from famcore.tree.doubts import Doubts
from famcore.tree.gaps import Gaps
from famcore.tree.growth import Growth
from famcore.tree.moves import Moves
from famcore.tree.node import Node
from famcore.tree.source import Source
from famcore.tree.telling import Telling


class Cases:
    """Tells one change at a time: of directories, renames, links, monitored paths, of all."""

    def __init__(
        self, root: Node, gaps: Gaps, doubts: Doubts, telling: Telling, growth: Growth
    ) -> None:
        self._root = root
        self._gaps = gaps
        self._doubts = doubts
        self._telling = telling
        self._growth = growth
        self.moves = Moves(telling)

    def tell(self, source: Source, node: Node | None, change: tuple[Any, ...]) -> None:
        """Tell one change, of whatever kind, of what is watched at `node`."""
        kind, key, name, is_directory, cookie = change
        if node is None:
            # Of a watch that has ended meanwhile, or of all.
            if kind == Kind.RESCAN and key is None:
                self._rescan(name, source.complete)
        elif kind == Kind.GONE:
            self._growth.ended(node)
        elif kind == Kind.RESCAN:
            self._doubts.ask(node, source.complete)
        elif not name:
            if kind == Kind.CHANGED:
                self._growth.changed(node)
        elif node.names is not None:
            if kind == Kind.CREATED and is_directory is None:
                found = look(node.path_to(name))
                if found is Found.NOTHING and not source.tells_each:
                    # Its end need not be told, or it was never called so.
                    return
                is_directory = found is Found.DIRECTORY
            self._entry(node, kind, name, is_directory, cookie)
        elif (pin := node.pins.get(name)) is not None:
            if kind == Kind.CREATED:
                self._growth.came(pin)
            elif kind == Kind.DELETED:
                self._growth.went(pin)
            else:
                self._pin_changed(pin)

    def _entry(
        self, node: Node, kind: Kind, name: str, is_directory: bool | None, cookie: int
    ) -> None:
        """Translate a change of an entry of a listed directory."""
        assert node.names is not None
        if kind == Kind.CREATED:
            self._created(node, name, bool(is_directory), cookie)
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

    def _created(self, node: Node, name: str, is_directory: bool, cookie: int) -> None:
        if name in (".", "..") or "/" in name:
            raise ValueError(f"no entry can be called {name!r}")
        names = node.names
        assert names is not None
        origin = self.moves.arrives(cookie, node, name)
        known = names.get(name)
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
            self.moves.leaves(cookie, node, name)
        self._growth.lose(node, name)
        self._telling.forget(node, name)

    def _appeared(self, node: Node, name: str) -> None:
        """A name that is not known was spoken of: it has come, if it is there."""
        found = look(node.path_to(name))
        if found is not Found.NOTHING:
            self._created(node, name, found is Found.DIRECTORY, 0)

    def _pin_changed(self, pin: Node) -> None:
        """A directory tells of something in it that may have a watch of its own, and monitors."""
        if pin.source is None and pin.found not in (Found.NOTHING, Found.LINK):
            self._telling.itself(pin, EventCode.CHANGED)

    # --- names in doubt

    @property
    def has_suspects(self) -> bool:
        """Whether names are to be looked for."""
        return bool(self.moves.suspects)

    def look_for_suspect(self) -> None:
        """Look for the next name that a rename has left in doubt."""
        node, name = self.moves.suspects.popitem()[0]
        if node.is_attached and node.names is not None and name not in node.names:
            self._appeared(node, name)

    # --- anywhere

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
            self._doubts.ask_all(node, since, f"{path} may have been replaced")

    def _known(self, path: str) -> Node | None:
        """The node of an absolute path without links, if there is one."""
        node: Node | None = self._root
        for name in filter(None, path.split("/")):
            if node is None:
                break
            node = node.child(name)
        return node
