"""The tree as its owner sees it: monitors in and out, sources read, events taken."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from famcore.backend import Backend
from famcore.errors import PluginError
from famcore.events import BATCH, Coverage, Event, Monitor
from famcore.snapshot import Found
from famcore.tree.audit import Audit
from famcore.tree.cases import Cases
from famcore.tree.changes import Changes
from famcore.tree.doubts import Doubts
from famcore.tree.gaps import Gaps
from famcore.tree.glances import Glances
from famcore.tree.growth import Growth
from famcore.tree.inspection import Inspection
from famcore.tree.notices import Notice, Resynced
from famcore.tree.paths import Paths
from famcore.tree.repair import Repair
from famcore.tree.source import Source
from famcore.tree.telling import Telling
from famcore.tree.watches import Watches

T = TypeVar("T")

#: Seconds of looking at the disk until what was read meanwhile is told.
_SLICE = 0.01


class Tree:
    """What is known of the disk, and who wants to know. Not thread-safe: its owner locks."""

    def __init__(self, match: Callable[[str], object], *, audit: float, max_pending: int) -> None:
        self._max_pending = max_pending
        #: What consumers are to hear that is no event; the owner takes them, without its lock.
        self.notices: deque[Notice] = deque()
        #: Counts the times that a source was opened or lost.
        self.generation = 0
        doubts, telling = Doubts(), Telling(match)
        self._doubts, self._telling = doubts, telling
        self._glances = Glances(audit)
        self._gaps = Gaps(audit, doubts, self._glances, self.notices)
        self._audit = Audit(audit, doubts)
        self._watches = Watches(audit, self._gaps, doubts, self._audit, self.notices)
        #: The backends in use, open or lost.
        self.sources: list[Source] = self._watches.sources
        self._inspection = Inspection(self._watches, self._gaps, self._glances, doubts)
        growth = self._growth = Growth(self._watches, self._inspection, doubts, telling)
        self._paths = Paths(self._inspection, telling, growth)
        self._repair = Repair(self._inspection, doubts, self._audit, telling, growth)
        #: How many events were brought by looking, since everything was asked for.
        self._brought = 0
        self._cases = Cases(self._paths.root, self._gaps, doubts, telling, growth)
        self._changes = Changes(telling, growth, self._cases)
        #: Until when (monotonic seconds) there is nothing to do but to translate what is read.
        self._calm_until = 0.0

    @property
    def ask_to_ignore(self) -> Callable[[str, bool], bool] | None:
        """Asked of a path, and whether it is a directory, if patterns let it pass: ignore it?"""
        return self._telling.hook

    @ask_to_ignore.setter
    def ask_to_ignore(self, hook: Callable[[str, bool], bool] | None) -> None:
        self._telling.hook = hook

    # --- sources

    def open(self, backend: Backend) -> None:
        """Watch by `backend` from now on. What its `fileno` raises passes through."""
        self._watches.open(backend)
        self._calm_until = 0.0
        self.generation += 1

    def close(self) -> None:
        """Close all backends."""
        for source in self.sources:
            self._watches.close(source)

    def read(self, source: Source) -> None:
        """Queue what `source` has to say. A backend that fails is lost, and tried again."""
        backend = source.backend
        if backend is None:
            return
        try:
            began = time.time()
            # A list of its own: the backend may go on to use the one it gave.
            changes = list(backend.read())
            if changes:
                if source.twins:
                    changes = source.expand(changes)
                count = self._changes.add(source, changes)
                if source.is_inexact:
                    self._calm_until = 0.0
                    self._audit.heard(source, changes)
                if count > self._max_pending:
                    self._calm_until = 0.0
                    reason = "more changes than may be pending"
                    self._doubts.ask_all(self._paths.root, self._changes.clear(), reason)
            if not changes or source.descriptor is None:
                self._changes.complete(source, began - source.cls.latency)
        except (Exception, SystemExit) as error:
            self.lose(source, error)

    def lose(self, source: Source, error: BaseException) -> None:
        """`source` is of no use any more, by `error`; it is opened again."""
        self._changes.forget(source)
        self._watches.lose(source, error)
        self._calm_until = 0.0
        self.generation += 1

    # --- monitors

    def add(self, monitor: Monitor) -> None:
        """Watch what `monitor` needs; its `exists` events are the next to be told."""
        self._calm_until = 0.0
        self._paths.add(monitor)

    def remove(self, monitor: Monitor) -> None:
        """Make no more events of `monitor`, and watch nothing on its behalf."""
        self._calm_until = 0.0
        self._paths.remove(monitor)

    def coverage(self) -> list[Coverage]:
        """Each monitored path, and each directory that is not covered."""
        rows = {}
        names = ", ".join(source.cls.name for source in self.sources)
        for cause, _, paths in self._gaps:
            for path in paths:
                rows[path] = Coverage(path, names, False, cause.reason, cause.remedy)
        for monitor, route in self._paths.routes.items():
            row = Coverage(monitor.path, names, True)
            for node in route:
                gap = self._gaps.get(node)
                if gap is not None:
                    row = Coverage(monitor.path, names, False, gap.cause.reason, gap.cause.remedy)
            rows[monitor.path] = row
        return list(rows.values())

    # --- events

    def produce(self) -> list[Event]:
        """The next events, about a batch.

        None does not mean that there is nothing to be told: `has_work` says so. What was read
        meanwhile is not to wait for a look at many directories that have not changed.
        """
        chunks = self._changes.chunks
        is_calm = chunks and time.monotonic() < self._calm_until
        # The short way of changes that come one by one, of which somebody waits to hear.
        if is_calm and self._translate() and self._telling.out and not chunks:
            return self._telling.begin_batch()
        self._calm_until = 0.0
        self._tick()
        telling, growth, listings = self._telling, self._growth, self._paths.listings
        until = time.monotonic() + _SLICE
        while len(telling.out) < BATCH:
            if growth.arrivals and not listings.is_amid:
                self._count(growth.grow)
            elif listings:
                # What a switch tells as changed may have been told: not in one batch, then.
                is_switch = listings.next_is_switch
                if is_switch and telling.out:
                    break
                listings.tell(BATCH - len(telling.out))
                if is_switch and telling.out:
                    break
            elif (
                not self._go_on()
                or (telling.out and not self._changes.chunks)
                or time.monotonic() > until
            ):
                break
        return telling.begin_batch()

    def _go_on(self) -> bool:
        """Translate what was read, settle suspects, repair; false if there is nothing to do."""
        did = True
        changes, doubts = self._changes, self._doubts
        if changes.chunks:
            self._translate()
        elif self._cases.has_suspects:
            self._cases.look_for_suspect()
        elif doubts.has_suspects:
            self._count(self._growth.settle_suspect)
        else:
            did = False
        if doubts and not changes.chunks:
            # Not before: the disk is ahead of what is still to be told.
            return self._count(self._repair.step) or did
        if doubts.reason is not None and not did:
            self.notices.append(Resynced(doubts.reason, self._brought))
            doubts.reason, self._brought = None, 0
        return did

    def _count(self, look: Callable[[], T]) -> T:
        """Look at the disk, and count what that brings if it is because of a repair."""
        before = len(self._telling.out)
        result = look()
        if self._doubts.reason is not None:
            self._brought += len(self._telling.out) - before
        return result

    def _translate(self) -> bool:
        source = self._changes.chunks[0].source
        try:
            return self._changes.translate(BATCH)
        except (TypeError, ValueError) as error:
            breach = PluginError(f"backend {source.cls.name!r} says what is no change: {error}")
            breach.__cause__ = error
            self.lose(source, breach)
            return False

    def has_work(self) -> bool:
        """Whether `produce` may have something to tell without reading more."""
        if self._telling.out or self._paths.listings or self._changes.chunks:
            return True
        if self._growth.arrivals or self._doubts.has_suspects or self._cases.has_suspects:
            return True
        due = self._doubts.due()
        if due is None:
            return self._doubts.reason is not None
        return due <= time.monotonic()

    # --- time

    def outlook(self) -> tuple[bool, float | None]:
        """What `has_work` says, and when (monotonic seconds) it will if nothing is read."""
        if self._calm_until == math.inf and not (self._changes.chunks or self._telling.out):
            return False, None
        has_work, when = self.has_work(), self._deadline()
        if not has_work:
            self._calm_until = math.inf if when is None else when
        return has_work, when

    def _deadline(self) -> float | None:
        times = [self._doubts.due(), self._gaps.deadline(), self._glances.deadline()]
        times.append(self._audit.deadline())
        times.extend(source.retry_at for source in self.sources if source.backend is None)
        return min((each for each in times if each is not None), default=None)

    def _tick(self) -> None:
        """Do what is due by the clock."""
        for source in self.sources:
            if source.backend is None and self._watches.reopen(source):
                self.generation += 1
                reason = f"backend {source.cls.name!r} was lost"
                self._doubts.ask_all(self._paths.root, source.complete, reason)
        # What a listing has not told yet is not to be told as gone: nothing is settled amid one.
        if self._paths.listings:
            return
        now = time.monotonic()
        self._audit.tick(now)
        for node in self._gaps.due(now):
            if not node.is_attached:
                self._watches.drop(node)
            elif node.found is Found.DIRECTORY:
                self._inspection.review(node)
            else:
                self._growth.settle(node)
        for node in self._glances.due(now):
            for pin in list(node.pins.values()):
                self._growth.settle(pin)
