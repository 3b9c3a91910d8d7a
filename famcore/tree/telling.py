"""Who is told of an entry: changes of nodes made into events of monitors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container

from famcore.events import Event, EventCode, Monitor, make_event
from famcore.ignore import should_ignore
from famcore.snapshot import Found
from famcore.tree.node import Node

#: A monitor, and the path of a node relative to it: "" or ending in a slash.
View = tuple[Monitor, str]

#: Audiences kept at most; they are made again at need.
_KEPT = 4_096


class Telling:
    """The events made so far and not yet taken, and what is needed to make more."""

    def __init__(self, match: Callable[[str], object]) -> None:
        #: Events in order; the tree's owner takes them.
        self.out: list[Event] = []
        #: Whether an ignore pattern matches a filename, or its last part.
        self.match = match
        #: The consumers' `fam_ignore`; None if no consumer has it.
        self.hook: Callable[[str, bool], bool] | None = None
        #: Node → the entries that the hook said to ignore.
        self._refused: dict[Node, set[str]] = {}
        #: Node → what `audience` says, as far as it has been asked for.
        self.audiences: dict[Node, list[View]] = {}
        #: New monitors, which are told nothing until their `exists` events begin.
        self.silent: set[Monitor] = set()
        #: Node → the names told as `changed` in this batch, with no `created` or `deleted` since.
        self.told: defaultdict[Node, set[str]] = defaultdict(set)

    # --- who

    def audience(self, node: Node) -> list[View]:
        """The monitors that are told of the entries of `node`."""
        views = self.audiences.get(node)
        if views is None:
            views = self._find_audience(node)
        return views

    def _find_audience(self, node: Node) -> list[View]:
        # A tree may be deeper than Python's stack: up to the first that is known, then down.
        line = [node]
        while line[-1].is_followed and (parent := line[-1].parent) is not None:
            line.append(parent)
            if parent in self.audiences:
                break
        if len(self.audiences) > _KEPT:
            above = self.audiences.get(line[-1])
            self.audiences.clear()
            if above is not None:
                self.audiences[line[-1]] = above
        views: list[View] = []
        for each in reversed(line):
            known = self.audiences.get(each)
            if known is None:
                known = [(mine, "") for mine in each.monitors if mine not in self.silent]
                for monitor, prefix in views:
                    if monitor.recursive and not (
                        prefix and should_ignore(self.match, prefix + each.name)
                    ):
                        known.append((monitor, f"{prefix}{each.name}/"))
                self.audiences[each] = known
            views = known
        return views

    def follows(self, node: Node) -> bool:
        """Whether some monitor wants to be told of what is in the directories in `node`."""
        return any(monitor.recursive for monitor, _ in self.audience(node))

    def regroup(self) -> None:
        """Monitors came or went."""
        self.audiences.clear()

    def leave(self, node: Node) -> None:
        """`node` is empty, or out of the tree."""
        self.audiences.pop(node, None)
        self._refused.pop(node, None)
        self.told.pop(node, None)

    # --- what is ignored

    def ignores(self, node: Node, name: str, is_directory: bool) -> bool:
        """Whether no monitor is told of this entry, nor of anything below it."""
        if self.match(name):
            return True
        if self.hook is None:
            return False
        refused = self._refused.setdefault(node, set())
        if name in refused:
            return True
        if self.hook(node.path_to(name), is_directory):
            refused.add(name)
            return True
        return False

    def forget(self, node: Node, name: str) -> None:
        """An entry has gone: whether to ignore one of its name is asked anew."""
        if node in self._refused:
            self._refused[node].discard(name)

    def forget_all_but(self, node: Node, names: Container[str]) -> None:
        """All other entries of `node` have gone."""
        if node in self._refused:
            self._refused[node] = {name for name in self._refused[node] if name in names}

    # --- what is told

    def begin_batch(self) -> list[Event]:
        """Take the events made so far; what follows is another batch."""
        events, self.out = self.out, []
        self.told.clear()
        return events

    def entry(
        self,
        node: Node,
        name: str,
        code: EventCode,
        is_directory: bool,
        origins: dict[Monitor, str] | None = None,
        only: Container[Monitor] | None = None,
    ) -> None:
        """Tell of an entry of `node`; `origins`: each monitor's old name for what was renamed."""
        told = self.told[node]
        repeats = code is EventCode.CHANGED and name in told
        if code is EventCode.CHANGED:
            told.add(name)
        else:
            told.discard(name)
        for monitor, prefix in self.audience(node):
            filename = prefix + name
            if prefix and self.match(filename):
                continue
            if only is not None and monitor not in only:
                continue
            moved_from = origins.get(monitor) if origins else None
            if repeats and moved_from is None:
                continue
            self.out.append(make_event(monitor, filename, code, is_directory, moved_from))

    def content(self, node: Node) -> None:
        """Tell that what is at `node` changed, to all who are told of that by its own watch."""
        self.itself(node, EventCode.CHANGED)
        if node.is_told_above and node.parent is not None:
            is_directory = node.found is Found.DIRECTORY
            self.entry(node.parent, node.name, EventCode.CHANGED, is_directory)

    def itself(self, node: Node, code: EventCode) -> None:
        """Tell the monitors that are set on `node` of itself."""
        if not node.monitors:
            return
        told = self.told[node]
        if code is not EventCode.CHANGED:
            told.discard("")
        elif "" in told:
            return
        else:
            told.add("")
        is_directory = node.found is Found.DIRECTORY
        for monitor in node.monitors:
            if monitor not in self.silent:
                self.out.append(make_event(monitor, "", code, is_directory))
