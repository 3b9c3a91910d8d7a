"""Source, tree and dispatch tied together: read, translate, deliver, wait."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from famcore.dispatch import Dispatch
from famcore.events import BATCH, Event, Monitor
from famcore.monitor.poller import Poller
from famcore.monitor.stops import Stops
from famcore.tree import Tree
from famcore.tree.source import Source

#: In a burst, to read whenever there is something is to read one event at a time. A burst is told
#: by its rate: so many small batches in a row, each begun this soon (seconds) after the last. The
#: pause that is then made before the next lets events gather.
_BURST_CALLS = 3
_BURST_SOON = 0.001
_BURST_PAUSE = 0.002


class Loop:
    """What `FileMonitor` runs from `start` to `shutdown`.

    `lock` guards tree and poller, and is never held while a handler or a consumer is told of
    something. The turn is held by the one thread that delivers, while handlers and consumers run.
    """

    def __init__(self, tree: Tree, dispatch: Dispatch, stops: Stops, lock: threading.RLock) -> None:
        self.tree = tree
        self.lock = lock
        self._stops = stops
        self.closed = False
        self._dispatch = dispatch
        self._poller = Poller()
        #: What `tree.generation` was when the poller was told of the sources.
        self._generation = -1
        #: When (monotonic seconds) live sources without a descriptor are read next.
        self._poll_at = 0.0
        #: The tokens (of `Stops`) of those who wait.
        self._waiting: list[int] = []
        #: A handler or consumer may go on delivering, so its thread may take it again.
        self._turn = threading.RLock()
        #: How many batches in a row were small and asked for at once after the last.
        self._quick_calls = 0
        self._came_back = 0.0
        self._had_few = False

    # --- for others to wait on

    def fileno(self) -> int:
        """The one descriptor."""
        return self._poller.fileno()

    def wake(self) -> None:
        """End a wait, if it is to end. For signal handlers too."""
        self._poller.wake()

    def close(self) -> None:
        """Close the backends; the descriptor too, once nobody waits on it."""
        with self.lock:
            self.closed = True
            self.tree.close()
            self._poller.wake()
            self._close_if_unused()

    @contextmanager
    def waiting(self, token: int) -> Iterator[bool]:
        """While this is entered, the descriptor stays open, and readable if `token` is to stop.

        False if it is closed already.
        """
        with self.lock:
            is_open = not self.closed
            if is_open:
                self._waiting.append(token)
        try:
            yield is_open
        finally:
            if is_open:
                with self.lock:
                    self._waiting.remove(token)
                    self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self.closed and not self._waiting:
            self._poller.close()

    def signal(self) -> None:
        """Have the descriptor readable exactly while there is something to deliver."""
        with self.lock:
            if self.closed:
                return
            self._register_sources()
            when = self.tree.deadline()
            if self._polled():
                when = self._poll_at if when is None else min(when, self._poll_at)
            wanted = bool(self._dispatch) or self.tree.has_work()
            for token in self._waiting:
                wanted = wanted or self._stops.is_over(token)
            self._poller.signal(wanted, when)

    @property
    def is_live(self) -> bool:
        """Whether there is something to wait for."""
        return not self.closed and any(source.is_live for source in self.tree.sources)

    # --- delivery

    def next_batch(
        self, timeout: float | None, token: int, *, kept: bool = False, patient: bool = True
    ) -> list[Event]:
        """Deliver one batch and return it.

        Empty after `timeout` seconds (None: no limit), when asked to stop (`token` is the caller's
        of `Stops`), closed, or not live. `patient`: in a burst it may
        take milliseconds more, for all. `kept`: the caller will use the events, so handlers get
        copies.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        ready: set[int] | None = None
        try:
            while not self.closed:
                if patient:
                    self._pause_in_burst()
                with self.turn_by(deadline) as has_turn:
                    if not has_turn:
                        break
                    events = self._deliver(ready, kept=kept)
                if events:
                    self._had_few = len(events) < BATCH
                    return events
                ready = self._wait(deadline, token)
                if ready is None:
                    break
            return []
        finally:
            self.signal()
            self._came_back = time.monotonic()

    def _pause_in_burst(self) -> None:
        """Let events gather, if they are coming in faster than they are worth a batch each."""
        if self._had_few and time.monotonic() - self._came_back < _BURST_SOON:
            self._quick_calls += 1
            if self._quick_calls > _BURST_CALLS:
                time.sleep(_BURST_PAUSE)
        else:
            self._quick_calls = 0

    def deliver_one(self, monitor: Monitor, event: Event) -> None:
        """Give `event`, which was taken before, to its handler and the consumers."""
        with self.turn_by(None):
            if not self.closed:
                self._dispatch.deliver_one(monitor, event)

    def pending(self) -> bool:
        """Whether there is an undelivered event; reads, but does not wait."""
        with self.lock:
            try:
                return bool(self._dispatch.undelivered()) or self._fill(None)
            finally:
                self.signal()

    def take(self) -> Event | None:
        """The next undelivered event, which is the caller's; reads, but does not wait."""
        with self.lock:
            event = self._dispatch.take()
            while event is None and self._fill(None):
                event = self._dispatch.take()
            self.signal()
            return event

    @contextmanager
    def turn_by(self, deadline: float | None) -> Iterator[bool]:
        """The turn to deliver; false if it can't be had by `deadline` (monotonic seconds)."""
        left = -1 if deadline is None else max(0.0, deadline - time.monotonic())
        if not self._turn.acquire(timeout=left):
            yield False
            return
        try:
            yield True
        finally:
            self._turn.release()

    def _deliver(self, ready: set[int] | None, *, kept: bool) -> list[Event]:
        """Deliver what is there, a batch at most."""
        while True:
            has_read = self._fill(ready)
            self.send_notices()
            if not has_read and not self._dispatch:
                return []
            events = self._dispatch.deliver(kept=kept)
            if events:
                return events
            ready = set()

    def send_notices(self) -> None:
        """Tell consumers what is no event; not under the lock."""
        notices = self.tree.notices
        while notices:
            notices.popleft()()

    def _wait(self, deadline: float | None, token: int) -> set[int] | None:
        """Wait for something new: which sources have it. None: time is up, or nothing comes."""
        began = time.monotonic()
        if deadline is not None and began >= deadline:
            return None
        with self.waiting(token) as is_open:
            if not is_open or not self.is_live:
                return None
            self.signal()
            if self._stops.asked(token):
                return None
            return self._poller.wait(None if deadline is None else deadline - began)

    # --- reading

    def _fill(self, ready: set[int] | None) -> bool:
        """Read the sources (with a descriptor in `ready`, if that is known) and make events.

        Returns whether there are undelivered ones.
        """
        with self.lock, _no_collection():
            if self.closed:
                return False
            self._register_sources()
            if ready is None:
                ready = self._poller.wait(0)
            polled = self._polled()
            if ready or polled:
                self._read(ready, polled)
            queue = self._dispatch.queue
            if not queue or not self._dispatch.undelivered():
                queue.extend(self.tree.produce())
            return bool(queue) and bool(self._dispatch.undelivered())

    def _read(self, ready: set[int], polled: list[Source]) -> None:
        now = time.monotonic()
        if polled and now >= self._poll_at:
            self._poll_at = now + min(source.cls.interval for source in polled)
            for source in polled:
                self.tree.read(source)
        for source in list(self.tree.sources):
            if source.descriptor in ready:
                self.tree.read(source)

    def _polled(self) -> list[Source]:
        """The live sources without a descriptor."""
        return [
            source
            for source in self.tree.sources
            if source.is_live and source.backend is not None and source.descriptor is None
        ]

    def _register_sources(self) -> None:
        if self._generation != self.tree.generation:
            self._generation = self.tree.generation
            descriptors = [source.descriptor for source in self.tree.sources]
            self._poller.watch_only({each for each in descriptors if each is not None})


@contextmanager
def _no_collection() -> Iterator[None]:
    """The collector is off meanwhile: it would go through the many new events several times."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
