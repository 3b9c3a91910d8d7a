"""The tree kept up: sources read, events made, and one descriptor to wait on for more."""

from __future__ import annotations

import gc
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from famcore.dispatch import Dispatch
from famcore.errors import BackendLost
from famcore.events import Coverage
from famcore.monitor.poller import Poller
from famcore.monitor.stops import Stops
from famcore.tree import Tree
from famcore.tree.source import Source

#: Seconds of one call for which sources are read again and again.
_READS_ON = 1.0


class Reader:
    """Fills the dispatch's queue, one thread at a time.

    Its lock guards tree and poller. Of a consumer's methods only `fam_ignore` is called under it;
    monitors that are added or removed meanwhile are set once it has answered.
    """

    def __init__(self, tree: Tree, dispatch: Dispatch, stops: Stops) -> None:
        self.tree = tree
        self.closed = False
        self._dispatch = dispatch
        self._stops = stops
        self._lock = threading.RLock()
        #: Whether the tree is in the middle of something: `fam_ignore` may call from there.
        self._busy = False
        #: What is to be done to the tree as soon as it is free.
        self._work: deque[Callable[[], None]] = deque()
        self._poller = Poller()
        #: What `tree.generation` was when the poller was told of the sources.
        self._generation = -1
        #: The live sources without a descriptor, and when (monotonic seconds) they are read next.
        self._polled: list[Source] = []
        self._poll_at = 0.0
        #: Whether some source was said to be readable, and has not been read since.
        self._is_unread = False
        #: The tokens (of `Stops`) of those who wait.
        self._waiting: list[int] = []

    # --- the tree to oneself

    def submit(self, work: Callable[[], None]) -> None:
        """Do something to the tree: at once, or when whoever has it is done with it."""
        self._work.append(work)
        self._do_work()

    def _do_work(self) -> None:
        while self._work and self._lock.acquire(blocking=False):
            try:
                if self._busy:
                    return
                while self._work and not self.closed:
                    self._work.popleft()()
                if self.closed:
                    self._work.clear()
                self.signal()
            finally:
                self._lock.release()

    def fill(self, ready: set[int] | None) -> bool:
        """Read the sources (with a descriptor in `ready`; None: all), make about a batch of events.

        Returns whether there are none yet and a look at the disk is under way, for `fill_on`.
        """
        try:
            with self._lock:
                if self._busy or self.closed:
                    return False
                self._busy = True
                # The collector would go through the many new events several times.
                collects = gc.isenabled()
                gc.disable()
                try:
                    self._read(ready)
                    if self._dispatch.queue and self._dispatch.has_undelivered():
                        return False
                    events = self.tree.produce()
                    if not self.closed:
                        self._dispatch.queue.extend(events)
                    return not (events or self.closed) and self.tree.has_work()
                finally:
                    self._busy = False
                    if collects:
                        gc.enable()
                    if self.closed:
                        self._close_all()
        finally:
            if self._work:
                self._do_work()

    def fill_on(self, deadline: float | None = None, token: int | None = None) -> None:
        """Go on until an event is brought, or there is nothing to bring.

        Not past the `deadline` (monotonic seconds), nor when `token` (of `Stops`) is to stop. What
        is said meanwhile is read for a second.
        """
        began = now = time.monotonic()
        while deadline is None or now < deadline:
            if token is not None and self._stops.is_over(token):
                break
            if not self.fill(None if now - began < _READS_ON else set()):
                break
            now = time.monotonic()

    def _read(self, ready: set[int] | None) -> None:
        """Read the sources with a descriptor in `ready`, and those whose time has come.

        None: all are read, rather than asked whether they are readable. A descriptor that says so
        once may have said it to somebody else.
        """
        if self._generation != self.tree.generation:
            self._register_sources()
        if self._polled and (now := time.monotonic()) >= self._poll_at:
            self._poll_at = now + min(source.cls.interval for source in self._polled)
            for source in self._polled:
                self.tree.read(source)
        for source in self.tree.sources:
            descriptor = source.descriptor
            if descriptor is not None and (ready is None or descriptor in ready):
                self.tree.read(source)
        self._is_unread = False

    def open(self) -> None:
        """Wait for the sources from now on. Raises `OSError` if one can't be waited for."""
        for error in self._wait_for_sources().values():
            raise error

    def _register_sources(self) -> None:
        """Wait for what is open now; what can't be waited for is lost."""
        while self._generation != self.tree.generation:
            for source, error in self._wait_for_sources().items():
                self.tree.lose(source, BackendLost(f"its descriptor can't be polled: {error}"))

    def _wait_for_sources(self) -> dict[Source, OSError]:
        self._generation = self.tree.generation
        sources = self.tree.sources
        by_descriptor = {each.descriptor: each for each in sources if each.descriptor is not None}
        self._polled = [
            each
            for each in sources
            if each.is_live and each.backend is not None and each.descriptor is None
        ]
        refused = self._poller.watch_only(by_descriptor)
        return {by_descriptor[descriptor]: error for descriptor, error in refused.items()}

    def coverage(self) -> list[Coverage]:
        """What is covered and what is not."""
        with self._lock:
            return self.tree.coverage()

    def close(self) -> None:
        """Close the backends; the descriptor too, once nobody waits on it."""
        with self._lock:
            self.closed = True
            self._poller.wake()
            if not self._busy:
                self._close_all()

    def _close_all(self) -> None:
        self.tree.close()
        self._close_if_unused()

    # --- waiting

    def fileno(self) -> int:
        """The one descriptor."""
        return self._poller.fileno()

    def wake(self) -> None:
        """End a wait, if it is to end. For signal handlers too."""
        self._poller.wake()

    @property
    def is_live(self) -> bool:
        """Whether there is something to wait for."""
        return not self.closed and any(source.is_live for source in self.tree.sources)

    @contextmanager
    def waiting(self, token: int) -> Iterator[bool]:
        """While this is entered, the descriptor stays open, and readable if `token` is to stop.

        False if it is closed already.
        """
        is_open = self._begin_to_wait(token)
        try:
            yield is_open
        finally:
            if is_open:
                self._end_to_wait(token)

    def _begin_to_wait(self, token: int) -> bool:
        with self._lock:
            is_open = not self.closed
            if is_open:
                self._waiting.append(token)
        self._do_work()
        return is_open

    def _end_to_wait(self, token: int) -> None:
        with self._lock:
            self._waiting.remove(token)
            if self.closed:
                self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self.closed and not self._waiting:
            self._poller.close()

    def wait(self, deadline: float | None, token: int) -> set[int] | None:
        """Wait for something new: which sources have it. None: time is up, or nothing comes."""
        began = time.monotonic()
        if deadline is not None and began >= deadline:
            return None
        if not self._begin_to_wait(token):
            return None
        try:
            self.signal()
            if not self.is_live or self._stops.asked(token):
                return None
            ready = self._poller.wait(None if deadline is None else deadline - began)
            self._is_unread = self._is_unread or bool(ready)
            return ready
        finally:
            self._end_to_wait(token)

    def signal(self) -> None:
        """Have the descriptor readable exactly while there is something to deliver."""
        with self._lock:
            if self.closed:
                return
            if self._generation != self.tree.generation:
                self._register_sources()
            has_work, when = self.tree.outlook()
            if self._polled:
                when = self._poll_at if when is None else min(when, self._poll_at)
            wanted = bool(self._dispatch) or self._is_unread or has_work
            for token in self._waiting:
                wanted = wanted or self._stops.is_over(token)
            self._poller.signal(wanted, when)
        if self._work:
            self._do_work()
