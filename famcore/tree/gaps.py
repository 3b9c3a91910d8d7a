"""What could not be covered: why, of which paths that was said, and when it is tried again."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from famcore.tree.causes import LOST, Cause, explain
from famcore.tree.doubts import Doubts
from famcore.tree.glances import Glances
from famcore.tree.node import Node
from famcore.tree.notices import Degraded, Notice, Restored
from famcore.tree.pause import Pause

#: Seconds until what could not be covered is tried again, at first.
_FIRST_PAUSE = 1.0

#: Seconds until what a shared cause keeps back is tried again when a watch was given back.
_SOON = 0.05


class Gap(NamedTuple):
    """Why a node is not covered."""

    cause: Cause
    #: Since when (epoch seconds).
    since: float
    #: The paths it was said of.
    paths: Sequence[str]


class Gaps:
    """The nodes that are not covered. Each stays one until it is watched and was compared."""

    def __init__(
        self, longest_pause: float, doubts: Doubts, glances: Glances, notices: deque[Notice]
    ) -> None:
        self._doubts = doubts
        self._glances = glances
        self._notices = notices
        self._gaps: dict[Node, Gap] = {}
        self._pause = Pause(_FIRST_PAUSE, longest_pause)
        #: When (monotonic seconds) the nodes are tried again; None: all are covered.
        self._retry_at: float | None = None

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
        if not node.monitors and not node.is_followed and not node.is_told_above:
            if isinstance(error, PermissionError):
                self.drop(node)
                self._glances.add(node)
                return
            self._glances.add(node)
        self._note(node, explain(error), time.time() if since is None else since)
        if self._retry_at is None:
            self._pause.reset()
            self._retry_at = time.monotonic() + self._pause.next()

    def _note(self, node: Node, cause: Cause, since: float) -> None:
        paths = node.paths()
        known = self._gaps.get(node)
        unsaid = paths
        if known is not None:
            since = min(since, known.since)
            paths = list(dict.fromkeys([*known.paths, *paths]))
            unsaid = paths[len(known.paths) :] if known.cause == cause else paths
        self._gaps[node] = Gap(cause, since, paths)
        self._notices.extend(Degraded(path, cause.reason, cause.remedy) for path in unsaid)

    def still_lost(self, error: BaseException) -> None:
        """A lost backend can't be opened again, by `error`."""
        for node, gap in list(self._gaps.items()):
            if gap.cause.shared == LOST:
                self.miss(node, error)

    def watched(self, node: Node) -> None:
        """`node` is watched: a gap ends once it has been compared with the disk, too."""
        self._glances.drop(node)
        gap = self._gaps.get(node)
        if gap is not None:
            self._doubts.ask(node, gap.since, then=partial(self._compared, node, gap))

    def _compared(self, node: Node, gap: Gap) -> None:
        # Another gap by now: comparing failed.
        if self._gaps.get(node) is gap:
            self._end(node, is_heard=True)

    def drop(self, node: Node) -> None:
        """There is nothing to be covered at `node`."""
        self._glances.drop(node)
        self._end(node, is_heard=False)

    def _end(self, node: Node, *, is_heard: bool) -> None:
        gap = self._gaps.pop(node, None)
        if gap is not None:
            self._notices.extend(Restored(path, is_heard) for path in gap.paths)

    # --- trying again

    def gave_back(self) -> None:
        """A watch was given back: what was refused may have it."""
        if self._retry_at is not None and self._gaps:
            soon = time.monotonic() + _SOON
            if soon < self._retry_at and any(gap.cause.shared for gap in self._gaps.values()):
                self._pause.reset()
                self._retry_at = soon

    def due(self, now: float) -> Iterator[Node]:
        """The nodes to be tried again at `now` (monotonic seconds), if the time has come.

        Those of a shared cause are passed by as soon as it keeps one of them back again.
        """
        if self._retry_at is None or now < self._retry_at:
            return
        self._retry_at = now + self._pause.next() if self._gaps else None
        met = set()
        for node, before in list(self._gaps.items()):
            if before.cause.shared in met:
                continue
            yield node
            after = self._gaps.get(node)
            if after is not None and after is not before and after.cause.shared:
                met.add(after.cause.shared)

    def deadline(self) -> float | None:
        """When (monotonic seconds) something is due; None: never."""
        return self._retry_at
