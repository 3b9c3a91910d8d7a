"""What could not be covered: why, what would help, and when it is tried again."""

from __future__ import annotations

import errno
import time
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from famcore.errors import BackendLost, BackendUnavailable, WatchLimitReached
from famcore.tree.doubts import Doubts
from famcore.tree.node import Node
from famcore.tree.notices import Degraded, Notice, Restored

#: Seconds until what could not be covered is tried again, at first; the pause doubles each time.
_FIRST_PAUSE = 1.0

#: Seconds until what a limit refused is tried again when a watch was given back.
_SOON = 0.05

#: What keeps all from being covered that was watched by a backend which is lost.
_LOST = "a lost backend"


#: What helps against what the system refuses.
_REMEDIES = {
    errno.EACCES: "grant read permission on it",
    errno.EPERM: "grant read permission on it",
    errno.EIO: "see what the kernel says of that filesystem",
    errno.ENAMETOOLONG: "shorten the names above it",
    errno.ENOTCONN: "mount that filesystem again",
    errno.ESTALE: "mount that filesystem again",
}


class Gap(NamedTuple):
    """Why a node is not covered, what would help, and since when (epoch seconds)."""

    reason: str
    remedy: str
    since: float
    #: The paths it was said of.
    paths: Sequence[str]
    #: What keeps others from being covered just as well: a limit of the system, a lost backend.
    limit: str = ""


class Gaps:
    """The nodes that are not covered. Each stays one until it is watched and was compared."""

    def __init__(self, longest_pause: float, doubts: Doubts, notices: deque[Notice]) -> None:
        self._longest_pause = longest_pause
        self._doubts = doubts
        self._notices = notices
        self._gaps: dict[Node, Gap] = {}
        #: Nodes above monitored paths that can't be watched: their entries are looked at instead.
        self.glanced: set[Node] = set()
        self._glance_at = 0.0
        #: When (monotonic seconds) the nodes are tried again; None: all are covered.
        self._retry_at: float | None = None
        self._pause = _FIRST_PAUSE
        #: Whether a limit has refused some of them.
        self._is_limited = False

    def __contains__(self, node: Node) -> bool:
        return node in self._gaps

    def __iter__(self) -> Iterator[Gap]:
        return iter(self._gaps.values())

    def get(self, node: Node) -> Gap | None:
        """Why `node` is not covered; None if it is."""
        return self._gaps.get(node)

    # --- one node

    def miss(self, node: Node, error: BaseException, since: float | None = None) -> None:
        """`node` can't be watched or listed, by `error`; nor could it since then, if given."""
        if not node.monitors and not node.is_followed:
            self.glanced.add(node)
            if isinstance(error, PermissionError):
                return
        reason, remedy, limit = explain(error)
        known = self._gaps.get(node)
        since = time.time() if since is None else since
        gap = Gap(reason, remedy, since, node.paths(), limit)
        if known is not None:
            gap = gap._replace(since=min(since, known.since), paths=known.paths)
        self._gaps[node] = gap
        self._is_limited = self._is_limited or bool(limit)
        if known is None or known.reason != reason:
            self._notices.extend(Degraded(path, reason, remedy) for path in gap.paths)
        if self._retry_at is None:
            self._pause = _FIRST_PAUSE
            self._retry_at = time.monotonic() + self._pause

    def still_lost(self, error: BaseException) -> None:
        """A lost backend can't be opened again, by `error`."""
        for node, gap in list(self._gaps.items()):
            if gap.limit == _LOST:
                self.miss(node, error)

    def watched(self, node: Node) -> None:
        """`node` is watched: a gap ends once it has been compared with the disk, too."""
        self.glanced.discard(node)
        gap = self._gaps.get(node)
        if gap is not None:
            self._doubts.ask(node, gap.since, then=partial(self._compared, node, gap))

    def _compared(self, node: Node, gap: Gap) -> None:
        # Another gap by now: comparing failed.
        if self._gaps.get(node) is gap:
            self.drop(node)

    def drop(self, node: Node) -> None:
        """There is nothing to be covered at `node`, or all is."""
        self.glanced.discard(node)
        gap = self._gaps.pop(node, None)
        if gap is not None:
            self._notices.extend(Restored(path, gap.reason) for path in gap.paths)

    # --- trying again

    def gave_back(self) -> None:
        """A watch was given back: what a limit refused may have it."""
        if self._is_limited and self._retry_at is not None:
            self._pause = _FIRST_PAUSE
            self._retry_at = min(self._retry_at, time.monotonic() + _SOON)

    def due(self, now: float) -> Iterator[Node]:
        """The nodes to be tried again at `now` (monotonic seconds), if the time has come.

        Those that the same limit refused are passed by as soon as it refuses one again.
        """
        if self._retry_at is None or now < self._retry_at:
            return
        self._pause = min(self._pause * 2, self._longest_pause)
        self._retry_at = now + self._pause if self._gaps else None
        met = set()
        self._is_limited = False
        for node, before in list(self._gaps.items()):
            if before.limit in met:
                continue
            yield node
            after = self._gaps.get(node)
            if after is not None and after is not before and after.limit:
                met.add(after.limit)
        self._is_limited = bool(met)

    def due_for_a_glance(self, now: float) -> list[Node]:
        """The nodes whose entries are to be looked at now, if the time has come."""
        if not self.glanced or now < self._glance_at:
            return []
        self._glance_at = now + self._longest_pause
        return list(self.glanced)

    def deadline(self) -> float | None:
        """When (monotonic seconds) something is due; None: never."""
        if not self.glanced:
            return self._retry_at
        return self._glance_at if self._retry_at is None else min(self._glance_at, self._retry_at)


def explain(error: BaseException) -> tuple[str, str, str]:
    """Why something can't be covered, in words; the remedy; what it shares with others."""
    if isinstance(error, WatchLimitReached):
        value = "" if error.value is None else f" = {error.value}"
        return f"{error.limit}{value} is reached", error.remedy, error.limit
    if isinstance(error, BackendUnavailable):
        return error.reason, error.hint, _LOST
    if isinstance(error, BackendLost):
        return str(error), "it is opened again as soon as that works", _LOST
    if isinstance(error, OSError) and error.strerror:
        reason = "permission denied" if isinstance(error, PermissionError) else error.strerror
        return reason, _REMEDIES.get(error.errno or 0, ""), ""
    return f"{type(error).__name__}: {error}", "", ""
