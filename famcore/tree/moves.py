"""Renames under way: what the first half said, kept for the second."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from famcore.events import Monitor
from famcore.tree.node import Node
from famcore.tree.telling import Telling

#: Renames that are remembered, and names that were known below what was renamed.
_KEPT = 1_024
_KEPT_BELOW = 100_000


#: What was known below a directory: name → the same of it, empty if it was none.
Below = dict[str, "Below"]


#: Shared by all that are not followed.
_NOTHING: Below = {}


class Origin(NamedTuple):
    """Where something that was renamed comes from."""

    #: Each monitor's name for it, before.
    names: dict[Monitor, str]
    #: What was known in it.
    below: Below

    def of(self, name: str) -> Origin | None:
        """The origin of its entry `name`, if that was known."""
        below = self.below.get(name)
        if below is None:
            return None
        names = {monitor: f"{old}/{name}" for monitor, old in self.names.items()}
        return Origin(names, below)


class Moves:
    """The latest renames, by the cookie that both halves carry; the oldest are forgotten.

    Nothing waits for a second half: what went is told at once, where it went when that is known.
    """

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._origins: OrderedDict[int, Origin] = OrderedDict()
        #: Cookie → how many names are remembered below.
        self._sizes: dict[int, int] = {}
        self._size = 0
        #: Names that something was renamed to, or that were known when they came. (Of two renames
        #: to one name, one after the other, the kernel tells the first alone.)
        self.overwritten: dict[tuple[Node, str], None] = {}
        #: Names to be looked for once all that was read is translated: renamed over and renamed
        #: away, they are gone; exchanged, they are there. The kernel says the same of both.
        self.suspects: dict[tuple[Node, str], None] = {}

    def leaves(self, cookie: int, node: Node, name: str) -> None:
        """A known entry of `node` has gone; by a rename, if there is a cookie."""
        assert node.names is not None
        if cookie:
            names = {monitor: prefix + name for monitor, prefix in self._telling.audience(node)}
            self._remember(cookie, Origin(names, {}), node.names[name])
        if (node, name) in self.overwritten:
            self.suspects[node, name] = None

    def _remember(self, cookie: int, origin: Origin, entry: bool | Node) -> None:
        self._pop(cookie)
        self._size += (size := _note_below(entry, origin.below))
        self._origins[cookie] = origin
        self._sizes[cookie] = size
        while len(self._origins) > 1 and (len(self._origins) > _KEPT or self._size > _KEPT_BELOW):
            self._pop(next(iter(self._origins)))

    def _pop(self, cookie: int) -> Origin | None:
        self._size -= self._sizes.pop(cookie, 0)
        return self._origins.pop(cookie, None)

    def arrives(self, cookie: int, node: Node, name: str) -> Origin | None:
        """`name` has come to be in `node`; where from, if that was known."""
        if cookie or (node.names is not None and name in node.names):
            self.overwritten[node, name] = None
            if len(self.overwritten) > _KEPT:
                del self.overwritten[next(iter(self.overwritten))]
        return self._pop(cookie)

    def forget(self) -> None:
        """Halves were lost: what is left pairs with nothing."""
        self._origins.clear()
        self._sizes.clear()
        self._size = 0


def _note_below(entry: bool | Node, top: Below) -> int:
    """Add to `top` what is known below an entry; return how many names that is."""
    count = 0
    todo = [(entry, top)]
    while todo:
        node, below = todo.pop()
        if not isinstance(node, Node) or not node.names:
            continue
        count += len(node.names)
        for name, known in node.names.items():
            below[name] = {} if isinstance(known, Node) else _NOTHING
            if isinstance(known, Node):
                todo.append((known, below[name]))
    return count
