"""One descriptor to wait on: it is readable when a source, a wake-up or a timer is."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Protocol

from famcore.monitor.timer import Timer


class _Queue(Protocol):
    """The system's way to wait for many descriptors by one, and for a time."""

    def fileno(self) -> int: ...
    def add(self, descriptor: int) -> None: ...
    def discard(self, descriptor: int) -> None: ...
    def set_timer(self, when: float | None) -> None: ...
    def wait(self, timeout: float | None) -> list[tuple[int, int]]: ...
    def close(self) -> None: ...


class Poller:
    """Waits for the sources' descriptors, a pipe for wake-ups, and a timer."""

    def __init__(self) -> None:
        self._queue: _Queue = _SystemQueue()
        try:
            self._woken, self._waker = os.pipe()
        except OSError:
            self._queue.close()
            raise
        for descriptor in (self._woken, self._waker):
            os.set_blocking(descriptor, False)
        self._queue.add(self._woken)
        #: Our own copy of each source's descriptor → the source's.
        self._sources: dict[int, int] = {}
        self._when: float | None = None
        self._signalled = False
        #: Whether something may have been written to the pipe since it was drained.
        self._written = False

    def fileno(self) -> int:
        """The one descriptor; close-on-exec, as all behind it."""
        return self._queue.fileno()

    def watch_only(self, descriptors: Iterable[int]) -> dict[int, OSError]:
        """Wait for these sources' descriptors from now on; return those that can't be waited for.

        Copies are: the original may be closed here and live on in a forked child, and could then
        not be let go of any more (epoll(7), "Will closing a file descriptor…").
        """
        self._let_go()
        refused = {}
        for descriptor in descriptors:
            try:
                copy = os.dup(descriptor)
            except OSError as error:
                refused[descriptor] = error
                continue
            try:
                self._queue.add(copy)
                self._sources[copy] = descriptor
            except OSError as error:
                os.close(copy)
                refused[descriptor] = error
        return refused

    def _let_go(self) -> None:
        for copy in self._sources:
            self._queue.discard(copy)
            os.close(copy)
        self._sources.clear()

    def wait(self, timeout: float | None) -> set[int]:
        """Those sources' descriptors that are readable, after `timeout` seconds at most.

        Returns early, with none, when woken or when the timer is due; None waits for ever.
        """
        if timeout == 0 or threading.current_thread() is not threading.main_thread():
            return self._wait(timeout)
        # A signal that comes just before the wait would not run its handler, nor end the wait:
        # Python itself is to write to the pipe then.
        others = signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        if others != -1:
            signal.set_wakeup_fd(others, warn_on_full_buffer=False)
            self._pass_on(others)
        try:
            return self._wait(timeout)
        finally:
            if others == -1:
                signal.set_wakeup_fd(-1)
            # Also where it is another's: one may have come before that was put back.
            self._written = True

    def _pass_on(self, descriptor: int) -> None:
        """Write to another's `descriptor` the signals that came while it was not the one set."""
        self._signalled = False  # so that `signal` writes again, should a handler raise amid this
        with contextlib.suppress(BlockingIOError):
            came = os.read(self._woken, 512)
            self.wake()
            if signals := came.replace(b"\0", b""):
                with contextlib.suppress(OSError):  # full: it is readable then
                    os.write(descriptor, signals)

    def _wait(self, timeout: float | None) -> set[int]:
        ready = set()
        for copy, _ in self._queue.wait(timeout):
            if copy in self._sources:
                ready.add(self._sources[copy])
        return ready

    def wake(self) -> None:
        """Make it readable. May be called from a signal handler and from any thread."""
        # Full: it is readable then. Closed: nobody waits.
        with contextlib.suppress(OSError):
            os.write(self._waker, b"\0")
        self._written = True

    def signal(self, wanted: bool, when: float | None) -> None:
        """Have it readable now, or not; and at `when` (monotonic seconds), or at no time."""
        if not wanted:
            if self._written:
                self._drain()
        elif not self._signalled:
            self.wake()
        self._signalled = wanted
        if when != self._when:
            self._queue.set_timer(when)
            self._when = when

    def _drain(self) -> None:
        self._written = False
        with contextlib.suppress(BlockingIOError):
            while len(os.read(self._woken, 512)) == 512:
                pass

    def close(self) -> None:
        """Close the descriptor and what is behind it."""
        self._let_go()
        self._queue.close()
        os.close(self._woken)
        waker, self._waker = self._waker, -1
        os.close(waker)


if sys.platform == "linux":

    class _SystemQueue:
        """epoll(7) and a timerfd."""

        def __init__(self) -> None:
            self._epoll = select.epoll()
            #: Which are readable, each with what the system says of it.
            self.wait: Callable[[float | None], list[tuple[int, int]]] = self._epoll.poll
            # Now, and not when it is needed: what backends open may leave none.
            self._timer = Timer()
            self.add(self._timer.fileno())

        def fileno(self) -> int:
            return self._epoll.fileno()

        def add(self, descriptor: int) -> None:
            self._epoll.register(descriptor, select.EPOLLIN)

        def discard(self, descriptor: int) -> None:
            self._epoll.unregister(descriptor)

        def set_timer(self, when: float | None) -> None:
            self._timer.set(when)

        def close(self) -> None:
            self._epoll.close()
            self._timer.close()

else:
    import time

    class _SystemQueue:
        """kqueue(2), which has timers of its own."""

        _TIMER = 1

        def __init__(self) -> None:
            self._kqueue = select.kqueue()

        def fileno(self) -> int:
            return self._kqueue.fileno()

        def add(self, descriptor: int) -> None:
            self._control(descriptor, select.KQ_FILTER_READ, select.KQ_EV_ADD)

        def discard(self, descriptor: int) -> None:
            self._control(descriptor, select.KQ_FILTER_READ, select.KQ_EV_DELETE)

        def wait(self, timeout: float | None) -> list[tuple[int, int]]:
            events = self._kqueue.control(None, 64, timeout)
            # A timer's number is no descriptor.
            readable = select.KQ_FILTER_READ
            return [(each.ident, each.flags) for each in events if each.filter == readable]

        def set_timer(self, when: float | None) -> None:
            with contextlib.suppress(OSError):
                self._control(self._TIMER, select.KQ_FILTER_TIMER, select.KQ_EV_DELETE)
            if when is not None:
                milliseconds = max(0, round((when - time.monotonic()) * 1000))
                self._control(
                    self._TIMER, select.KQ_FILTER_TIMER, select.KQ_EV_ADD, data=milliseconds
                )

        def _control(self, ident: int, kind: int, flags: int, data: int = 0) -> None:
            event = select.kevent(ident, filter=kind, flags=flags, data=data)
            self._kqueue.control([event], 0)

        def close(self) -> None:
            self._kqueue.close()
