"""The tree as its owner sees it: monitors in and out, sources read, events taken."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

from famcore.backend import Backend
from famcore.events import BATCH, Coverage, Event, Monitor
from famcore.snapshot import Found
from famcore.tree.changes import Changes
from famcore.tree.growth import Growth
from famcore.tree.inspection import Inspection
from famcore.tree.node import Node
from famcore.tree.paths import Paths
from famcore.tree.repair import Repair
from famcore.tree.source import Source
from famcore.tree.telling import Telling
from famcore.tree.watches import Watches

#: Reads of one source in a row, before what they brought is translated.
_READS = 16


class Listener(Protocol):
    """Who is told of what is no event."""

    def degraded(self, path: str, reason: str) -> None:
        """Changes of `path` are not heard."""

    def restored(self, path: str) -> None:
        """Changes of `path` are heard again."""

    def resynced(self, reason: str, count: int) -> None:
        """The disk was compared, which brought `count` events."""

    def backend_failed(self, plugin_name: str, error: BaseException) -> None:
        """A backend raised what it may not, or is gone."""


class Tree:
    """What is known of the disk, and who wants to know. Not thread-safe: its owner locks."""

    def __init__(
        self,
        match: Callable[[str], object],
        listener: Listener,
        *,
        audit: float,
        max_pending: int,
    ) -> None:
        self._audit = audit
        self._max_pending = max_pending
        self._listener = listener
        #: What the listener is to be told, in order; the owner calls them, without its lock.
        self.notices: deque[Callable[[], None]] = deque()
        #: Counts the times that a source was opened or lost.
        self.generation = 0
        self._watches = Watches(
            audit, degraded=self._degraded, restored=self._restored, failed=self._failed
        )
        self._telling = Telling(match)
        self._inspection = Inspection(self._watches)
        self._growth = Growth(self._watches, self._inspection, self._telling)
        self._paths = Paths(self._inspection, self._telling, self._growth)
        self._repair = Repair(self._inspection, self._telling, self._growth)
        self._repair.report = self._resynced
        self._changes = Changes(self._paths.root, self._telling, self._growth, self._repair)
        #: When (monotonic seconds) what can't be watched is looked at next.
        self._glance_at = 0.0

    @property
    def ask_to_ignore(self) -> Callable[[str, bool], bool] | None:
        """Asked of a path, and whether it is a directory, if patterns let it pass: ignore it?"""
        return self._telling.hook

    @ask_to_ignore.setter
    def ask_to_ignore(self, hook: Callable[[str, bool], bool] | None) -> None:
        self._telling.hook = hook

    # --- sources

    @property
    def sources(self) -> list[Source]:
        """The backends in use, open or lost."""
        return self._watches.sources

    def open(self, backend: Backend) -> None:
        """Watch by `backend` from now on."""
        source = Source(type(backend))
        self._watches.open(source, backend)
        self.sources.append(source)
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
            for _ in range(_READS):
                began = time.time()
                changes = backend.read()
                if not isinstance(changes, list):
                    changes = list(changes)
                if changes:
                    self._changes.add(source, changes, source.complete)
                    if len(self._changes) > self._max_pending:
                        self._changes.give_up()
                if not changes or source.descriptor is None:
                    source.complete = began
                    return
        except (Exception, SystemExit) as error:
            self._watches.lose(source, error)
            self.generation += 1

    def _failed(self, source: Source, error: BaseException) -> None:
        self.notices.append(partial(self._listener.backend_failed, source.cls.name, error))

    # --- monitors

    def add(self, monitor: Monitor) -> None:
        """Watch what `monitor` needs; its `exists` events are the next to be told."""
        self._paths.add(monitor)

    def remove(self, monitor: Monitor) -> None:
        """Make no more events of `monitor`, and watch nothing on its behalf."""
        self._paths.remove(monitor)

    def coverage(self) -> list[Coverage]:
        """Each monitored path, and each directory that is not covered."""
        rows = {}
        names = ", ".join(source.cls.name for source in self.sources)
        for node, gap in self._watches.gaps.items():
            rows[node.path] = Coverage(node.path, names, False, gap.reason, gap.remedy)
        for monitor, route in self._paths.routes.items():
            gaps = [self._watches.gaps[node] for node in route if node in self._watches.gaps]
            rows[monitor.path] = (
                Coverage(monitor.path, names, False, gaps[-1].reason, gaps[-1].remedy)
                if gaps
                else Coverage(monitor.path, names, True)
            )
        return list(rows.values())

    # --- events

    def produce(self) -> list[Event]:
        """The next events, about a batch; none if there is nothing to be told for now."""
        self._tick()
        telling, growth = self._telling, self._growth
        while len(telling.out) < BATCH:
            if growth.arrivals and not self._paths.is_listing:
                growth.grow()
            elif self._paths.listings:
                # What a switch tells as changed may have been told: not in one batch, then.
                is_switch = self._paths.listings[0].is_switch
                if is_switch and telling.out:
                    break
                self._paths.tell_listing(BATCH - len(telling.out))
                if is_switch and telling.out:
                    break
            elif not self._go_on():
                break
        return telling.begin_batch()

    def _go_on(self) -> bool:
        """Translate what was read, look at what is in doubt, repair; false if all is done."""
        done = False
        if self._changes.chunks:
            self._changes.translate(BATCH)
            done = True
        elif self._changes.has_suspects:
            self._changes.look_for_suspect()
            done = True
        elif self._inspection.doubtful:
            self._growth.settle_doubtful()
            done = True
        return self._repair.step() or done

    def has_work(self) -> bool:
        """Whether `produce` may have something to tell without reading more."""
        if self._telling.out or self._paths.listings or self._changes.chunks:
            return True
        if self._growth.arrivals or self._inspection.doubtful or self._changes.has_suspects:
            return True
        due = self._repair.due()
        return due is not None and due <= time.monotonic()

    # --- time

    def deadline(self) -> float | None:
        """When (monotonic seconds) `produce` is to be called even if nothing is read."""
        glance_at = self._glance_at if self._watches.glanced else None
        times = (self._repair.due(), self._watches.retry_at, glance_at)
        return min((each for each in times if each is not None), default=None)

    def _tick(self) -> None:
        """Do what is due by the clock."""
        watches, growth = self._watches, self._growth
        if watches.retry_at is None and not watches.glanced:
            return
        now = time.monotonic()
        retried = watches.take_due(now)
        if retried:
            self._reopen()
        for node in retried:
            if not node.is_attached:
                watches.drop(node)
            elif node.found is Found.DIRECTORY:
                self._inspection.review(node)
            else:
                growth.settle(node)
        if watches.glanced and now >= self._glance_at:
            self._glance_at = now + self._audit
            for node in list(watches.glanced):
                for pin in list(node.pins.values()):
                    growth.settle(pin)

    def _reopen(self) -> None:
        for source in self.sources:
            if source.backend is None and self._watches.reopen(source):
                self.generation += 1
                reason = f"backend {source.cls.name!r} was lost"
                self._repair.ask_all(self._paths.root, source.complete, reason)

    # --- what others are to hear

    def _degraded(self, node: Node, reason: str) -> None:
        for path in self._paths_of(node):
            self.notices.append(partial(self._listener.degraded, path, reason))

    def _restored(self, node: Node, since: float) -> None:
        paths = self._paths_of(node)

        def tell() -> None:
            for path in paths:
                self.notices.append(partial(self._listener.restored, path))

        self._repair.ask(node, since, then=tell)

    def _resynced(self, reason: str, count: int) -> None:
        self.notices.append(partial(self._listener.resynced, reason, count))

    def _paths_of(self, node: Node) -> list[str]:
        """`node` as its monitors spell it, or its path if it is none's own."""
        return list(dict.fromkeys(monitor.path for monitor in node.monitors)) or [node.path]
