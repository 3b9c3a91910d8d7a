"""Renames under way: what the first half said, kept for the second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from famcore.events import Monitor
from famcore.tree.node import Node
from famcore.tree.telling import Telling

#: Renames that are remembered.
_KEPT = 1_024


class Origin(NamedTuple):
    """Where something that was renamed comes from."""

    #: Each monitor's name for it, before.
    names: dict[Monitor, str]
    #: What was known below it, relative to it; of a directory.
    below: frozenset[str] = frozenset()

    def of(self, name: str) -> Origin | None:
        """The origin of its entry `name`, if that was known."""
        if name not in self.below:
            return None
        start = name + "/"
        return Origin(
            {monitor: f"{old}/{name}" for monitor, old in self.names.items()},
            frozenset(each[len(start) :] for each in self.below if each.startswith(start)),
        )


class Moves:
    """The latest renames, by the cookie that both halves carry; the oldest are forgotten.

    Nothing waits for a second half: what went is told at once, where it went when that is known.
    """

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._origins: dict[int, Origin] = {}
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
            self._origins[cookie] = Origin(names, frozenset(_below(node.names[name])))
        if (node, name) in self.overwritten:
            self.suspects[node, name] = None
        if len(self._origins) > _KEPT:
            del self._origins[next(iter(self._origins))]

    def arrives(self, cookie: int, node: Node, name: str) -> Origin | None:
        """`name` has come to be in `node`; where from, if that was known."""
        if cookie or (node.names is not None and name in node.names):
            self.overwritten[node, name] = None
            if len(self.overwritten) > _KEPT:
                del self.overwritten[next(iter(self.overwritten))]
        return self._origins.pop(cookie, None)

    def forget(self) -> None:
        """Halves were lost: what is left pairs with nothing."""
        self._origins.clear()


def _below(entry: bool | Node) -> Iterator[str]:
    """What is known below an entry, relative to it."""
    todo = [(entry, "")]
    while todo:
        node, prefix = todo.pop()
        if isinstance(node, Node) and node.names:
            for name, below in node.names.items():
                yield prefix + name
                todo.append((below, f"{prefix}{name}/"))
