"""What the backends hold on behalf of the tree, and what they could not cover."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import NamedTuple

from famcore.backend import Backend, Interest
from famcore.errors import BackendLost, FamError, WatchLimitReached
from famcore.snapshot import is_missing
from famcore.tree.node import Node
from famcore.tree.source import Source, Twin

#: Seconds until what could not be covered is tried again, at first; the pause doubles each time.
_FIRST_PAUSE = 1.0


class Gap(NamedTuple):
    """Why a node is not covered, what would help, and since when (epoch seconds)."""

    reason: str
    remedy: str
    since: float


class Watches:
    """The open backends, which node is watched by which, and which by none."""

    def __init__(
        self,
        longest_pause: float,
        *,
        degraded: Callable[[Node, str], None],
        restored: Callable[[Node, float], None],
        failed: Callable[[Source, BaseException], None],
    ) -> None:
        self.sources: list[Source] = []
        #: Nodes that are not covered → why.
        self.gaps: dict[Node, Gap] = {}
        #: Nodes above monitored paths that can't be watched: their entries are looked at instead.
        self.glanced: set[Node] = set()
        #: When (monotonic seconds) what is not covered is tried again; None: all is covered.
        self.retry_at: float | None = None
        self._longest_pause = longest_pause
        self._pause = _FIRST_PAUSE
        #: Called with a node that is no longer covered, and why.
        self._degraded = degraded
        #: Called with a node that is covered again, and since when it was not.
        self._restored = restored
        #: Called with a source whose backend raised what it may not.
        self._failed = failed

    # --- one node

    def cover(self, node: Node, interest: Interest | None) -> bool:
        """Watch what is at `node` now; true if that is the very thing that was watched before.

        Raises the system's `OSError` if nothing is there (`is_missing`). What else keeps it from
        being watched becomes a gap.
        """
        if interest is None:
            self.release(node)
            self._covered(node)
            return True
        source, backend = self._source_for(node)
        try:
            if backend is None:
                raise BackendLost(f"backend {source.cls.name!r} is lost")
            path = node.path
            key = backend.watch(path, interest)
            same = self._hold(source, key, node, interest)
            wanted = interest
            while (widest := source.widest(key)) > wanted:
                # For other nodes of the thing, too; but it may be another by now.
                wanted = widest
                key = backend.watch(path, wanted)
                same = self._hold(source, key, node, interest) and same
        except (Exception, SystemExit) as error:
            if is_missing(error):
                self.release(node)
                raise
            if not isinstance(error, OSError | FamError):
                self._failed(source, error)
            self.miss(node, error)
            return False
        self._covered(node)
        return same

    def _covered(self, node: Node) -> None:
        """All that is to be heard of `node` is."""
        self.glanced.discard(node)
        gap = self.gaps.pop(node, None)
        if gap is not None:
            self._restored(node, gap.since)

    def _hold(self, source: Source, key: Hashable, node: Node, interest: Interest) -> bool:
        """`node` is watched by `key` from now on; true if it was before."""
        if source.nodes.get(key, node) is not node or key in source.twins:
            key = self._share(source, key, node)
        same = node.source is source and node.key == key
        if not same:
            self.release(node)
            source.nodes[key] = node
            node.source, node.key = source, key
        node.heard = interest
        return same

    def _source_for(self, node: Node) -> tuple[Source, Backend | None]:
        """The source that watches `node`, or is to watch it."""
        source = node.source or next(
            (each for each in self.sources if each.backend is not None), self.sources[0]
        )
        return source, source.backend

    def _share(self, source: Source, key: Hashable, node: Node) -> Twin:
        """A key of our own for `node`, which is the same thing as another node."""
        twins = source.twins.setdefault(key, [])
        for twin in twins:
            if source.nodes.get(twin) is node:
                return twin
        twins.append(Twin(key))
        return twins[-1]

    def release(self, node: Node) -> None:
        """Watch `node` no longer."""
        source, key = node.source, node.key
        if source is None:
            return
        self.forget(node)
        origin = key.key if isinstance(key, Twin) else key
        if origin not in source.nodes and origin not in source.twins and source.backend is not None:
            try:
                source.backend.unwatch(origin)
            except (Exception, SystemExit) as error:
                self._failed(source, error)

    def forget(self, node: Node) -> None:
        """The watch of `node` has ended, the backend says."""
        source, key = node.source, node.key
        if source is None:
            return
        node.source = node.key = node.heard = None
        del source.nodes[key]
        if isinstance(key, Twin):
            source.twins[key.key].remove(key)
            if not source.twins[key.key]:
                del source.twins[key.key]

    def drop(self, node: Node) -> None:
        """`node` leaves the tree."""
        self.release(node)
        self.gaps.pop(node, None)
        self.glanced.discard(node)

    # --- what is not covered

    def miss(self, node: Node, error: BaseException) -> None:
        """`node` can't be watched or listed, by `error`: a gap, tried again after a while."""
        self.release(node)
        if not node.monitors and not node.is_followed:
            self.glanced.add(node)
            if isinstance(error, PermissionError):
                return
        reason, remedy = explain(error)
        known = self.gaps.get(node)
        self.gaps[node] = Gap(reason, remedy, time.time() if known is None else known.since)
        if known is None or known.reason != reason:
            self._degraded(node, reason)
        if self.retry_at is None:
            self._pause = _FIRST_PAUSE
            self.retry_at = time.monotonic() + self._pause

    def take_due(self, now: float) -> list[Node]:
        """The nodes to be tried again at `now` (monotonic seconds), if the time has come."""
        if self.retry_at is None or now < self.retry_at:
            return []
        self._pause = min(self._pause * 2, self._longest_pause)
        self.retry_at = now + self._pause if self.gaps else None
        return list(self.gaps)

    # --- whole backends

    def open(self, source: Source, backend: Backend) -> None:
        """Use `backend` from now on."""
        source.descriptor = backend.fileno()
        source.backend = backend

    def close(self, source: Source) -> None:
        """Close the backend, whatever it says to that."""
        backend, source.backend, source.descriptor = source.backend, None, None
        try:
            if backend is not None:
                backend.close()
        except (Exception, SystemExit) as error:
            self._failed(source, error)

    def lose(self, source: Source, error: BaseException) -> None:
        """The backend is gone, by `error`: nothing that it watched is covered."""
        self._failed(source, error)
        self.close(source)
        nodes = list(source.nodes.values())
        source.nodes.clear()
        source.twins.clear()
        for node in nodes:
            node.source = node.key = node.heard = None
            self.miss(node, error)
            if node in self.gaps:
                self.gaps[node] = self.gaps[node]._replace(since=source.complete)
        self.retry_at = time.monotonic()

    def reopen(self, source: Source) -> bool:
        """Open a lost backend again; false if that fails."""
        try:
            source.cls.check()
            self.open(source, source.cls())
        except (Exception, SystemExit):
            return False
        return True


def explain(error: BaseException) -> tuple[str, str]:
    """Why something can't be covered, in words, and the remedy."""
    if isinstance(error, WatchLimitReached):
        value = "" if error.value is None else f" = {error.value}"
        return f"{error.limit}{value} is reached", error.remedy
    if isinstance(error, PermissionError):
        return "permission denied", "grant read permission on it"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror, ""
    return f"{type(error).__name__}: {error}", ""
