"""What comes and what goes: nodes made to match the disk, the difference told."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable
from typing import NamedTuple

from famcore.backend import Interest
from famcore.events import EventCode, Monitor
from famcore.snapshot import Found, identify, look, scan
from famcore.tree.node import Node
from famcore.tree.telling import Telling
from famcore.tree.watches import Watches

#: How often a path is looked at again that changes while it is looked at.
_ATTEMPTS = 8

#: Seconds that a listing may take without a rest after it.
_SHORT = 0.001


class Held(enum.Enum):
    """How what is at a node compares with what was known to be there."""

    #: The same thing, by the same watch.
    STILL = enum.auto()
    #: The same thing by another watch, or a later one in its place that has its inode.
    ANEW = enum.auto()
    #: Another thing.
    ANOTHER = enum.auto()


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


class Growth:
    """Brings nodes up to date, one at a time; directories that came are listed by `grow`."""

    def __init__(self, watches: Watches, telling: Telling) -> None:
        self._watches = watches
        self._telling = telling
        #: Directories that have come and are not listed yet, the next one last.
        self.arrivals: list[tuple[Node, Origin | None]] = []
        #: Nodes whose thing has gone, to be looked at once all that was read is told.
        self.doubtful: dict[Node, None] = {}
        #: Directories → until when (monotonic seconds) they rest: as long as listing them took.
        self.resting: dict[Node, float] = {}
        #: Called with a node that is or was a link, to make it what is there now.
        self.relink: Callable[[Node, Found], None] = lambda node, found: None
        #: Called with a node that is held anew, or holds another thing, which nobody told.
        self.missed: Callable[[Node, Held], None] = lambda node, held: None

    # --- watching

    def inspect(self, node: Node) -> tuple[Found, Held]:
        """Watch what is at `node`; return what it is, and how that compares with what was.

        Watched first and looked at after: what changes from then on is told by the watch, or by
        the one on the directory above.
        """
        before = node.identity
        found, renewed = Found.NOTHING, False
        for _ in range(_ATTEMPTS):
            found, same_watch = self._watch_what_is(node)
            renewed = renewed or not same_watch
            if found in (Found.DIRECTORY, Found.FILE):
                if look(node.path) is found:
                    break
            elif not self._hear_above(node):
                break
        if node.identity != before:
            return found, Held.ANOTHER
        return found, Held.ANEW if renewed else Held.STILL

    def _watch_what_is(self, node: Node) -> tuple[Found, bool]:
        """Watch what is at `node`, if it can be; whether that is by the watch it had."""
        parent = node.parent
        if parent is None or parent.found is Found.DIRECTORY:
            try:
                found, node.identity = identify(node.path)
                if found is Found.DIRECTORY:
                    return found, self._watches.cover(node, node.interest())
                if found is Found.FILE:
                    return found, self._watches.cover(node, Interest.ALL if node.monitors else None)
                self._watches.release(node)
                return found, True
            except (FileNotFoundError, NotADirectoryError):
                pass
            except OSError as error:
                self._watches.miss(node, error)
        self._watches.release(node)
        node.identity = 0
        return Found.NOTHING, True

    def _hear_above(self, node: Node) -> bool:
        """Have the directory above tell of its entries; true if it did not do so before."""
        parent = node.parent
        if parent is None or parent.found is not Found.DIRECTORY:
            return False
        if parent.heard is not None and parent.heard >= Interest.ENTRIES:
            return False
        self._rewatch(parent, Interest.ENTRIES)
        return parent.heard is not None

    def review(self, node: Node | None) -> None:
        """See that as much is heard of the directory at `node` as is needed, and no more."""
        if node is not None and node.found is Found.DIRECTORY:
            interest = node.interest()
            if interest != node.heard:
                self._rewatch(node, interest)

    def _rewatch(self, node: Node, interest: Interest | None) -> None:
        had = node.key
        try:
            same_watch = self._watches.cover(node, interest)
        except OSError:
            self._watches.release(node)
            self.doubtful[node] = None
            return
        if had is not None and node.key is not None and not same_watch:
            # What the old watch had to say will not be heard.
            self.doubtful.update(dict.fromkeys(node.pins.values()))
            before = node.identity
            _, node.identity = identify(node.path)
            self.missed(node, Held.ANEW if node.identity == before else Held.ANOTHER)

    # --- bringing up to date

    def settle(self, node: Node) -> None:
        """Make `node` what is at its path now, and tell the difference."""
        self.doubtful.pop(node, None)
        before = node.found
        found, held = self.inspect(node)
        if found is not before:
            if before not in (Found.NOTHING, Found.LINK):
                self.depart(node)
            self._keep_in_step(node, found)
            if Found.LINK in (before, found):
                self.relink(node, found)
            else:
                node.found = found
                if found is not Found.NOTHING:
                    self._telling.itself(node, EventCode.CREATED, found is Found.DIRECTORY)
            if found is Found.DIRECTORY:
                self.arrivals.append((node, None))
        elif found is not Found.NOTHING and held is not Held.STILL:
            self._renew(node, held)
        self.review(node.parent)

    def _renew(self, node: Node, held: Held) -> None:
        """What is at `node` is of the kind that was known, but may be another, or have changed."""
        if held is Held.ANEW or node.found is Found.DIRECTORY:
            self.missed(node, held)
        elif node.found is Found.LINK:
            self.relink(node, Found.LINK)
        else:
            self._telling.itself(node, EventCode.CHANGED, False)

    def _keep_in_step(self, node: Node, found: Found) -> None:
        """Have the entries of the directory above agree with what was found at `node`."""
        parent, name = node.parent, node.name
        if parent is None or parent.names is None:
            return
        is_directory = found is Found.DIRECTORY
        known = parent.names.get(name)
        if known is not None and (found is Found.NOTHING or (known is not False) != is_directory):
            self.vanish(parent, name)
            known = None
        if known is not None or found is Found.NOTHING:
            return
        if not self._telling.ignores(parent, name, is_directory):
            self.appear(parent, name, is_directory, None)

    def came(self, node: Node) -> None:
        """A name has come to be where `node` is, by whatever way."""
        before = node.found
        self.settle(node)
        if node.found is before:
            if before is Found.LINK:
                self.relink(node, before)
            elif before is Found.FILE or before is Found.SPECIAL:
                self._telling.itself(node, EventCode.CHANGED, False)

    def went(self, node: Node) -> None:
        """The name where `node` is has gone."""
        if node.found is not Found.NOTHING:
            self._watches.release(node)
            self.depart(node)
        self.doubtful[node] = None

    def ended(self, node: Node) -> None:
        """The thing at `node` is no longer there, says its own watch, now released."""
        self._watches.forget(node)
        if node.found is Found.DIRECTORY:
            self.depart(node)
        # Of a file: whether its name went or was given to another, the directory above tells.
        self.doubtful[node] = None

    def depart(self, node: Node) -> None:
        """Tell that what was at `node` is gone, deepest first. Its own watch is the caller's."""
        line = [node]
        for each in line:  # grows while it is gone through
            line.extend(each.children())
        links = []
        for each in reversed(line):
            if each.names is not None:
                for name, entry in each.names.items():
                    self._telling.entry(each, name, EventCode.DELETED, entry is not False)
            if each.found is Found.LINK:
                links.append(each)
                continue
            if each.found is not Found.NOTHING:
                self._telling.itself(each, EventCode.DELETED, each.found is Found.DIRECTORY)
            each.found = Found.NOTHING
        for each in line:
            followed = each is not node and each.is_followed
            each.names = None
            self._telling.leave(each)
            if each is not node:
                self._watches.drop(each)
            if followed:
                self.doubtful.pop(each, None)
        for link in links:
            self.relink(link, Found.NOTHING)

    # --- entries of a listed directory

    def list(self, node: Node) -> dict[str, bool]:
        """List the directory at `node` anew; the entries that are not ignored become its names."""
        found = {
            name: is_directory
            for name, is_directory in self.scan(node).items()
            if not self._telling.ignores(node, name, is_directory)
        }
        node.names = dict(found)
        return found

    def scan(self, node: Node) -> dict[str, bool]:
        """The entries of the directory at `node`; none if it is gone or may not be read."""
        began = time.monotonic()
        try:
            found = scan(node.path)
            ended = time.monotonic()
            if ended - began > _SHORT:
                self.resting[node] = 2 * ended - began
            return found
        except (FileNotFoundError, NotADirectoryError):
            self.doubtful[node] = None
        except OSError as error:
            self._watches.miss(node, error)
        return {}

    def follow(self, node: Node, name: str) -> Node:
        """The node of the directory `name` in `node`, for recursive monitors to go on in."""
        assert node.names is not None
        child = node.pins.get(name) or Node(node, name)
        node.names[name] = child
        return child

    def appear(self, node: Node, name: str, is_directory: bool, origin: Origin | None) -> None:
        """An entry has come into the listed directory at `node`."""
        assert node.names is not None
        node.names[name] = is_directory
        origins = origin.names if origin else None
        self._telling.entry(node, name, EventCode.CREATED, is_directory, origins)
        if is_directory and self._telling.follows(node):
            child = self.follow(node, name)
            if child.names is not None:
                self._introduce(child)
            elif child.found is Found.DIRECTORY or name not in node.pins:
                self.arrivals.append((child, origin))

    def _introduce(self, top: Node) -> None:
        """Tell those who come to follow `top` of what others had been told of before."""
        new = {monitor for monitor, prefix in self._telling.audience(top) if prefix}
        todo = [top]
        while todo:
            node = todo.pop()
            for name, entry in list((node.names or {}).items()):
                self._telling.entry(node, name, EventCode.CREATED, entry is not False, only=new)
                if entry is not False:
                    child = entry if isinstance(entry, Node) else self.follow(node, name)
                    if child.names is not None:
                        todo.append(child)
                    elif child is not entry:
                        self.arrivals.append((child, None))

    def lose(self, node: Node, name: str) -> None:
        """The name has gone from the listed directory at `node`: its own monitors hear it first."""
        if name in node.pins:
            self.went(node.pins[name])
        if node.names is not None and name in node.names:
            self.vanish(node, name)

    def vanish(self, node: Node, name: str) -> None:
        """A known entry has left the listed directory at `node`."""
        assert node.names is not None
        entry = node.names[name]
        if isinstance(entry, Node):
            self._watches.release(entry)
            self.depart(entry)
            if name not in node.pins:
                self._watches.drop(entry)
                self.doubtful.pop(entry, None)
        del node.names[name]
        self._telling.entry(node, name, EventCode.DELETED, entry is not False)

    def grow(self) -> None:
        """List the next of the directories that have come, and tell its entries as created."""
        node, origin = self.arrivals.pop()
        if not node.is_attached or node.names is not None:
            return
        if node.found is not Found.DIRECTORY:
            if node.routes:
                self.settle(node)
                return
            node.found, _ = self.inspect(node)
            if node.found is not Found.DIRECTORY:
                self.doubtful[node] = None
                return
        self.review(node)
        if node.monitors or node.is_followed:
            first = len(self.arrivals)
            for name, is_directory in self.list(node).items():
                self.appear(node, name, is_directory, origin.of(name) if origin else None)
            self.arrivals[first:] = reversed(self.arrivals[first:])
        for pin in list(node.pins.values()):
            self.settle(pin)
