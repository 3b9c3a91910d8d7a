"""Source, tree and dispatch tied together: read, translate, deliver, wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from famcore.dispatch import Dispatch
from famcore.events import Event, Monitor
from famcore.monitor.poller import Poller
from famcore.monitor.stops import Stops
from famcore.tree import Tree
from famcore.tree.watches import Source

#: In a burst, to read at every wake-up is to read one event at a time. A burst is told by its rate:
#: so many wake-ups in a row, each this soon (seconds) after the wait for it began; the pause then
#: made lets events gather.
_BURST_WAKES = 3
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
        self._waiting = 0
        self._turn = threading.Lock()
        self._deliverer: int | None = None
        self._quick_wakes = 0

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
    def waiting(self) -> Iterator[bool]:
        """While this is entered, the descriptor stays open; false if it is closed already."""
        with self.lock:
            self._waiting += not self.closed
            is_open = not self.closed
        try:
            yield is_open
        finally:
            if is_open:
                with self.lock:
                    self._waiting -= 1
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
            self._poller.signal(bool(self._dispatch) or self.tree.has_work(), when)

    @property
    def is_live(self) -> bool:
        """Whether there is something to wait for."""
        return not self.closed and any(source.is_live for source in self.tree.sources)

    # --- delivery

    def next_batch(self, timeout: float | None, token: int, *, kept: bool = False) -> list[Event]:
        """Deliver one batch and return it.

        Empty after `timeout` seconds (None: no limit), when asked to stop (`token` is the caller's
        of `Stops`), closed, or not live. `kept`: the caller will use the events, so handlers get
        copies.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        ready: set[int] | None = None
        try:
            while not self.closed:
                with self._turn_by(deadline) as has_turn:
                    if not has_turn:
                        break
                    events = self._deliver(ready, kept=kept)
                if events:
                    return events
                ready = self._wait(deadline, token)
                if ready is None:
                    break
            return []
        finally:
            self.signal()

    def deliver_one(self, monitor: Monitor, event: Event) -> None:
        """Give `event`, which was taken before, to its handler and the consumers."""
        with self._turn_by(None):
            if not self.closed:
                self._dispatch.deliver_one(monitor, event)

    def peek(self) -> Event | None:
        """The next undelivered event, which stays; reads, but does not wait."""
        with self.lock:
            event = self._dispatch.peek()
            while event is None and self._fill(None):
                event = self._dispatch.peek()
            return event

    @contextmanager
    def _turn_by(self, deadline: float | None) -> Iterator[bool]:
        """The turn to deliver; false if it can't be had by `deadline` (monotonic seconds)."""
        me = threading.get_ident()
        if self._deliverer == me:
            yield True
            return
        left = -1 if deadline is None else max(0.0, deadline - time.monotonic())
        if not self._turn.acquire(timeout=left):
            yield False
            return
        try:
            self._deliverer = me
            yield True
        finally:
            self._deliverer = None
            self._turn.release()

    def _deliver(self, ready: set[int] | None, *, kept: bool) -> list[Event]:
        """Deliver what is there, a batch at most."""
        while True:
            has_read = self._fill(ready)
            self._send_notices()
            if not has_read and not self._dispatch:
                return []
            events = self._dispatch.deliver(kept=kept)
            if events:
                return events
            ready = set()

    def _send_notices(self) -> None:
        notices = self.tree.notices
        while notices:
            notices.popleft()()

    def _wait(self, deadline: float | None, token: int) -> set[int] | None:
        """Wait for something new: which sources have it. None: time is up, or nothing comes."""
        began = time.monotonic()
        if deadline is not None and began >= deadline:
            return None
        with self.waiting() as is_open:
            if not is_open or not self.is_live:
                return None
            self.signal()
            if self._stops.asked(token):
                return None
            ready = self._poller.wait(None if deadline is None else deadline - began)
        if not ready or time.monotonic() - began > _BURST_SOON:
            self._quick_wakes = 0
        else:
            self._quick_wakes += 1
            if self._quick_wakes >= _BURST_WAKES:
                time.sleep(_BURST_PAUSE)
        return ready

    # --- reading

    def _fill(self, ready: set[int] | None) -> bool:
        """Read the sources (with a descriptor in `ready`, if that is known) and make events.

        Returns whether there are undelivered ones.
        """
        with self.lock:
            if self.closed:
                return False
            self._register_sources()
            if ready is None:
                ready = self._poller.wait(0)
            polled = self._polled()
            if ready or polled:
                self._read(ready, polled)
            queue = self._dispatch.queue
            if not queue:
                queue.extend(self.tree.produce())
            return bool(queue)

    def _read(self, ready: set[int], polled: list[Source]) -> None:
        now = time.monotonic()
        if polled and now >= self._poll_at:
            self._poll_at = now + min(source.cls.interval for source in polled)
            for source in polled:
                self.tree.read(source)
        for source in list(self.tree.sources):
            if source.backend is not None and source.backend.fileno() in ready:
                self.tree.read(source)

    def _polled(self) -> list[Source]:
        """The live sources without a descriptor."""
        return [
            source
            for source in self.tree.sources
            if source.is_live and source.backend is not None and source.backend.fileno() is None
        ]

    def _register_sources(self) -> None:
        if self._generation != self.tree.generation:
            self._generation = self.tree.generation
            backends = [source.backend for source in self.tree.sources]
            descriptors = {backend.fileno() for backend in backends if backend is not None}
            self._poller.watch_only({each for each in descriptors if each is not None})
