"""Nodes held against the disk: watched, looked at, listed."""

from __future__ import annotations

import enum
import time

from famcore.backend import Interest
from famcore.snapshot import Found, identify, identify_and_scan, is_missing, scan
from famcore.tree.doubts import EVER, Doubts
from famcore.tree.gaps import Gaps
from famcore.tree.glances import Glances
from famcore.tree.node import Node
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


class Inspection:
    """Watches before it looks, so that what changes after the look is told by the watch."""

    def __init__(self, watches: Watches, gaps: Gaps, glances: Glances, doubts: Doubts) -> None:
        self._watches = watches
        self._gaps = gaps
        self._glances = glances
        self._doubts = doubts

    def drop(self, node: Node) -> None:
        """`node` leaves the tree."""
        self._watches.drop(node)
        self._doubts.drop(node)

    def inspect(self, node: Node) -> tuple[Found, Held]:
        """Watch what is at `node`; return what it is, and how that compares with what was.

        What can't be watched is told of by the directory above, so that is watched for it.
        """
        before = node.identity
        found, renewed = Found.NOTHING, False
        for _ in range(_ATTEMPTS):
            found, same_watch = self._watch_what_is(node)
            renewed = renewed or not same_watch
            if found in (Found.DIRECTORY, Found.FILE):
                if self._is_still(node, found):
                    break
            elif not self._hear_above(node):
                break
        if node.identity != before:
            return found, Held.ANOTHER
        return found, Held.ANEW if renewed else Held.STILL

    def holds(self, node: Node) -> bool:
        """Whether the thing at `node` is watched, or said not to be, and still there."""
        is_held = node.source is not None or node in self._gaps
        return is_held and self._is_still(node, node.found)

    def _is_still(self, node: Node, found: Found) -> bool:
        """Whether what was found at `node` before it was watched is there now, too."""
        try:
            return identify(node.path) == (found, node.identity)
        except OSError:
            return False

    def _watch_what_is(self, node: Node) -> tuple[Found, bool]:
        """Watch what is at `node`, if it can be; whether that is by the watch it had."""
        found, identity = Found.NOTHING, 0
        parent = node.parent
        if parent is None or parent.found is Found.DIRECTORY:
            try:
                found, identity = identify(node.path)
                node.identity = identity
                if found is Found.DIRECTORY:
                    return found, self._watches.cover(node, node.interest())
                if found is Found.FILE:
                    is_needed = node.monitors or node.is_told_above
                    return found, self._watches.cover(node, Interest.ALL if is_needed else None)
            except OSError as error:
                found, node.identity = Found.NOTHING, 0
                if not is_missing(error):
                    self._watches.miss(node, error)
                    return found, True
        node.identity = identity
        if found is Found.SPECIAL:
            node.note_special()
        # The directory above tells what comes to be there.
        self._watches.drop(node)
        return found, True

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
        if node is not None and node.found is Found.DIRECTORY and node.is_attached:
            interest = node.interest()
            is_missed = node in self._gaps or node in self._glances
            if interest != node.heard or is_missed:
                self._rewatch(node, interest)

    def _rewatch(self, node: Node, interest: Interest | None) -> None:
        had = node.key
        try:
            same_watch = self._watches.cover(node, interest)
        except OSError:
            self._watches.release(node)
            self._doubts.suspect([node])
            return
        if had is not None and node.key is not None and not same_watch:
            # What the old watch had to say will not be heard.
            self._doubts.suspect(node.pins.values())
            before = node.identity
            try:
                _, node.identity = identify(node.path)
            except OSError as error:
                self._watches.miss(node, error)
                return
            self.doubt(node, Held.ANEW if node.identity == before else Held.ANOTHER)

    def doubt(self, node: Node, held: Held) -> None:
        """Have `node` looked at, which is held anew or holds another thing, as nobody told."""
        if held is Held.ANOTHER:
            self._doubts.ask(node, EVER)
        elif node.source is not None and node.source.is_live:
            self._doubts.ask(node, node.source.complete)

    def survey(self, node: Node, path: str) -> dict[str, bool] | None:
        """Watch, identify and list the directory that is said to be at `node`, whose path it is.

        For one that is followed and not known yet, of which there are many. None if it is no
        directory, which is told in its turn. What can't be watched is listed all the same.
        """
        if self._watches.cover_new(node, path):
            began = time.monotonic()
            try:
                node.identity, found = identify_and_scan(path)
            except OSError:
                pass
            else:
                node.found = Found.DIRECTORY
                self._note_time(node, began)
                return found
        node.found, _ = self.inspect(node)
        if node.found is Found.DIRECTORY:
            return self.scan(node, path) or {}
        self._doubts.suspect([node])
        return None

    def scan(self, node: Node, path: str) -> dict[str, bool] | None:
        """The entries of the directory at `path`, that of `node`; None if it can't be listed."""
        began = time.monotonic()
        try:
            found = scan(path)
        except OSError as error:
            if is_missing(error):
                self._doubts.suspect([node])
            else:
                self._watches.miss(node, error)
            return None
        self._note_time(node, began)
        return found

    def _note_time(self, node: Node, began: float) -> None:
        took = time.monotonic() - began
        if took > _SHORT:
            self._doubts.rest(node, took)
