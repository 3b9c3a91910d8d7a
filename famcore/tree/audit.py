"""For backends that may lose changes in silence: when to look at which directory all the same."""

from __future__ import annotations

import math
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from functools import partial

from famcore.backend import Change
from famcore.events import BATCH
from famcore.snapshot import device_of, stamps_are_ours
from famcore.tree.doubts import NEVER, Doubts
from famcore.tree.node import Node
from famcore.tree.source import Source

#: Seconds, besides the backend's latency, without a change after which a directory has come to
#: rest.
_REST = 0.1
#: So many changes in a row are a burst, in which a backend may have lost others.
_BURST = BATCH
#: Seconds between two nodes that are looked at in turn, at least; and between two wake-ups.
_APART, _TICK = 0.001, 0.05


class _Activity:
    """What was heard of one node since it was last at rest."""

    __slots__ = ("began", "heard", "is_burst", "is_doubtful", "last", "since")

    def __init__(self, now: float, since: float, *, is_doubtful: bool = False) -> None:
        #: When (monotonic seconds) it began, and was last heard of.
        self.began = self.last = now
        #: Since when (epoch seconds) changes of files may have been missed, if any may have been.
        self.since = since
        self.is_doubtful = is_doubtful
        self.is_burst = False
        #: Name → when (epoch seconds) it was last heard of: what it was before has been told.
        self.heard: dict[str, float] = {}


class Audit:
    """Has each node that such a backend watches looked at: after changes, and in its turn.

    A look after few changes compares names; after a burst, or in turn, what files were changed
    too.
    """

    def __init__(self, interval: float, doubts: Doubts) -> None:
        self._interval = interval
        self._doubts = doubts
        #: The nodes watched → until when (epoch seconds) all that happened is known.
        self._known: dict[Node, float] = {}
        #: Node → names of which more than that is known, and until when: of its other files nobody
        #: has looked whether they were changed.
        self._told: dict[Node, dict[str, float]] = {}
        #: Nodes that are not at rest, the one first that was heard of least lately.
        self._active: OrderedDict[Node, _Activity] = OrderedDict()
        #: Nodes that are to be looked at.
        self._asked: dict[Node, _Activity] = {}
        #: Source → how many changes it told in a row, and when (monotonic seconds) the last.
        self._rows: dict[Source, tuple[int, float]] = {}
        #: Those whose turn is still to come, and when (monotonic seconds) the next one's is.
        self._line: deque[Node] = deque()
        self._turn_at = 0.0
        #: Device → whether its stamps are of this machine's clock; asked anew in each round.
        self._are_ours: dict[int, bool] = {}
        #: Whether the present round is made at once, for there was a burst.
        self._is_hasty = False

    # --- what is watched, and heard

    def watched(self, node: Node, since: float) -> None:
        """`node` is watched from about now on, surely not before `since` (epoch seconds).

        When exactly, such a backend can't tell: what came meanwhile is looked for.
        """
        now = time.monotonic()
        if not self._known:
            self._turn_at = now + self._interval
        self._known[node] = since
        self._active[node] = _Activity(now, since, is_doubtful=True)
        self._active.move_to_end(node)

    def forget(self, node: Node) -> None:
        """`node` is watched no longer."""
        self._known.pop(node, None)
        self._told.pop(node, None)
        self._active.pop(node, None)
        self._asked.pop(node, None)

    def heard(self, source: Source, changes: Iterable[Change]) -> None:
        """These changes were read."""
        now, moment = time.monotonic(), time.time()
        count, last = self._rows.get(source, (0, now))
        if now - last > _rest(source):
            count = 0
        was_burst = count > _BURST
        for _, key, name, *_ in changes:
            count += 1
            node = source.nodes.get(key)
            if node is not None and node in self._known:
                self._note(node, name, now, moment)
        self._rows[source] = count, now
        if count > _BURST:
            # Those that were heard of before are in doubt since it was found to be a burst.
            heard = {source.nodes.get(change[1]) for change in changes}
            for node, activity in self._active.items():
                if not was_burst or node in heard:
                    activity.is_burst = activity.is_doubtful = True

    def _note(self, node: Node, name: str, now: float, moment: float) -> None:
        activity = self._active.get(node)
        if activity is None:
            activity = self._active[node] = _Activity(now, self._known[node])
        activity.last = now
        activity.heard[name] = moment
        self._active.move_to_end(node)

    def heard_of(self, node: Node) -> Mapping[str, float]:
        """Names of `node`, "" for itself → until when (epoch seconds) all of them was heard."""
        heard = dict(self._told.get(node, ()))
        for activity in (self._asked.get(node), self._active.get(node)):
            if activity is not None:
                heard.update(activity.heard)
        return heard

    def found(self, node: Node, name: str) -> None:
        """A look at `node` has found that `name` came, which is told now."""
        activity = self._asked.get(node)
        if activity is not None:
            activity.heard[name] = time.time()

    # --- when to look

    def deadline(self) -> float | None:
        """When (monotonic seconds) `tick` has something to do; None: never."""
        if not self._known:
            return None
        if not self._active:
            return self._turn_at
        node, activity = next(iter(self._active.items()))
        return min(self._turn_at, activity.last + _rest(node.source))

    def tick(self, now: float) -> None:
        """Have those looked at whose time has come (monotonic seconds)."""
        while self._active:
            node, activity = next(iter(self._active.items()))
            if now < activity.last + _rest(node.source):
                break
            del self._active[node]
            self._look(node, activity)
        for source, (count, last) in list(self._rows.items()):
            if now - last >= _rest(source):
                del self._rows[source]
                if count > _BURST:
                    # Of where nothing was heard all may have been lost.
                    self._line, self._is_hasty = deque(self._known), True
                    self._turn_at = now
        if self._known and now >= self._turn_at:
            self._take_turns(now)

    def _take_turns(self, now: float) -> None:
        if not self._line:
            self._line, self._is_hasty = deque(self._known), False
            self._are_ours.clear()
        apart = _APART if self._is_hasty else max(self._interval / len(self._known), _APART)
        tick = max(_TICK, apart)
        self._turn_at = now + tick
        if self._doubts:
            # They can't be looked at as fast as that.
            return
        for _ in range(min(len(self._line), math.ceil(tick / apart))):
            node = self._line.popleft()
            activity = self._active.get(node)
            # What is not at rest is looked at when it is; but what never is, now.
            if node in self._known and (activity is None or now - activity.began > self._interval):
                self._active.pop(node, None)
                activity = activity or _Activity(now, self._known[node])
                activity.is_doubtful = True
                self._look(node, activity)

    def _can_tell(self, node: Node) -> bool:
        """Whether stamps tell which files were changed: if not, all would be said to be."""
        device = device_of(node.identity)
        if device not in self._are_ours:
            self._are_ours[device] = stamps_are_ours(device)
        return self._are_ours[device]

    def _look(self, node: Node, activity: _Activity) -> None:
        before = self._asked.get(node)
        if before is not None:
            activity.heard = before.heard | activity.heard
        self._asked[node] = activity
        # After a burst all are told, rather than none.
        activity.is_doubtful &= activity.is_burst or self._can_tell(node)
        moment = time.time()
        if not activity.is_doubtful and node.source is not None:
            # What is on its way will be heard.
            moment -= node.source.cls.latency
        since = activity.since if activity.is_doubtful else NEVER
        self._doubts.ask(node, since, then=partial(self._looked, node, activity, moment))

    def _looked(self, node: Node, activity: _Activity, moment: float) -> None:
        """`node` was looked at: nothing is missed from before `moment` (epoch seconds)."""
        if self._asked.get(node) is not activity:
            return
        del self._asked[node]
        if activity.is_doubtful:
            self._known[node] = moment
            self._told.pop(node, None)
        elif activity.heard:
            self._keep(node, activity, moment)
        if activity.is_burst and node not in self._active:
            # The end of a burst may be lost after the look that its middle had brought.
            self.watched(node, moment)

    def _keep(self, node: Node, activity: _Activity, moment: float) -> None:
        """Only the names of `node` were looked at: its files are known as far as they were told."""
        told = self._told.get(node, {})
        told.update((name, max(moment, at)) for name, at in activity.heard.items())
        names = node.names or {}
        self._told[node] = {name: at for name, at in told.items() if not name or name in names}
        node.pack()


def _rest(source: Source | None) -> float:
    return _REST if source is None else source.cls.latency + _REST
