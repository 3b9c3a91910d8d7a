"""The tree kept up: sources read, events made, and one descriptor to wait on for more."""

from __future__ import annotations

import gc
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from famcore.dispatch import Dispatch
from famcore.events import Coverage
from famcore.monitor.poller import Poller
from famcore.monitor.stops import Stops
from famcore.tree import Tree
from famcore.tree.source import Source


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
        #: When (monotonic seconds) live sources without a descriptor are read next.
        self._poll_at = 0.0
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

    @contextmanager
    def _tree_alone(self) -> Iterator[bool]:
        """The tree to oneself; false if it is in the middle of something, or closed."""
        try:
            with self._lock:
                if self._busy or self.closed:
                    yield False
                    return
                self._busy = True
                try:
                    yield True
                finally:
                    self._busy = False
                    if self.closed:
                        self._close_all()
        finally:
            self._do_work()

    def fill(self, ready: set[int] | None) -> bool:
        """Read the sources (with a descriptor in `ready`; None: all) and make events.

        Returns whether there are undelivered ones.
        """
        while self._fill_once(ready):
            ready = None
        return self._dispatch.has_undelivered()

    def _fill_once(self, ready: set[int] | None) -> bool:
        """As `fill`, for a while; true if it has brought no event yet and is to be gone on with.

        All are read rather than asked whether they are readable: of a descriptor that says so once
        (a change of mounts), somebody else may have been told.
        """
        with self._tree_alone() as is_free, _no_collection():
            if not is_free:
                return False
            self._register_sources()
            self._read(ready)
            if self._dispatch.has_undelivered():
                return False
            events = self.tree.produce()
            if self.closed:
                return False
            self._dispatch.queue.extend(events)
            return not events and self.tree.has_work()

    def coverage(self) -> list[Coverage]:
        """What is covered and what is not."""
        with self._lock:
            return self.tree.coverage()

    def _read(self, ready: set[int] | None) -> None:
        polled = self._polled()
        if polled and (now := time.monotonic()) >= self._poll_at:
            self._poll_at = now + min(source.cls.interval for source in polled)
            for source in polled:
                self.tree.read(source)
        for source in self.tree.sources:
            descriptor = source.descriptor
            if descriptor is not None and (ready is None or descriptor in ready):
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
        with self._lock:
            is_open = not self.closed
            if is_open:
                self._waiting.append(token)
        self._do_work()
        try:
            yield is_open
        finally:
            if is_open:
                with self._lock:
                    self._waiting.remove(token)
                    self._close_if_unused()

    def _close_if_unused(self) -> None:
        if self.closed and not self._waiting:
            self._poller.close()

    def wait(self, deadline: float | None, token: int) -> set[int] | None:
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

    def signal(self) -> None:
        """Have the descriptor readable exactly while there is something to deliver."""
        with self._lock:
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
        self._do_work()


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
