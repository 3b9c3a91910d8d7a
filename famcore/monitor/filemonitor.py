"""`FileMonitor`: what a program asks for and is told."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, ClassVar, Self

from famcore.backend import Backend
from famcore.dispatch import Dispatch
from famcore.errors import FamError
from famcore.events import Coverage, Event, Monitor
from famcore.ignore import DEFAULT_IGNORE, compile_patterns
from famcore.monitor.batches import Batches, EachEvent
from famcore.monitor.fam_names import FamNames
from famcore.monitor.loop import Loop
from famcore.monitor.opening import load, open_backend, sort_out
from famcore.monitor.reader import Reader
from famcore.monitor.requests import RequestIds, absolute_path, check_parent, handle_of
from famcore.monitor.stops import Stops
from famcore.plugins import Consumers
from famcore.tree import Tree

_Path = str | bytes | os.PathLike[Any]

#: Events after which one call of `handle_events` returns even if there are more: in a storm that
#: is delivered as fast as it goes on, it would never come back.
_MOST = 100_000

#: Seconds: as good as for ever, and a timer can be set to it.
_AGES = 1e9


class FileMonitor(FamNames):
    """Monitors files and directories through a backend and tells of them in events.

    `backend`
        A name, a `Backend` class, or None for `$FAM_BACKEND`, else the best live one that is
        installed.
    `ignore`
        `fnmatch` globs, tried on `Event.filename` and on its last part: names not to tell of.
    `consumers`
        Names of installed consumers, (name, options) pairs, or objects with hookimpls.
    `audit`
        Seconds at most between two looks at what can't be watched, and two attempts to watch it;
        about the seconds between two looks at each directory where the backend may lose changes
        in silence.
    `max_pending`
        How many changes are kept for a caller who does not come for them; past that they are
        dropped and the disk is compared instead.

    All methods may be called from any thread. Nothing is opened before `start`, so a server may
    fork until then; `with` starts it and shuts it down. One that is dropped without `shutdown` is
    closed with a `ResourceWarning`.
    """

    #: The backend of a subclass in `famcore.available`.
    bound_to: ClassVar[str | None] = None

    #: From `start` on, as is the process that did it.
    _loop: Loop | None = None
    _process: int

    def __init__(
        self,
        backend: str | type[Backend] | None = None,
        *,
        ignore: Iterable[str] = DEFAULT_IGNORE,
        consumers: Iterable[str | tuple[str, Mapping[str, str]] | object] = (),
        audit: float = 60.0,
        max_pending: int = 100_000,
    ) -> None:
        for name, given in (("ignore", ignore), ("consumers", consumers)):
            if isinstance(given, str) or not isinstance(given, Iterable):
                raise TypeError(f"{name} is {given!r}: give a list, [{given!r}]")
        if not isinstance(backend, str | type | None):
            raise TypeError(f"backend is {backend!r}: give a name or a Backend class")
        if not audit > 0:
            raise ValueError(f"audit is {audit!r}: give seconds above 0")
        if not max_pending > 0:
            raise ValueError(f"max_pending is {max_pending!r}: give a number above 0")
        #: The ignore patterns; a change of them takes effect at `start`.
        self.ignore: list[str] = [os.fsdecode(pattern) for pattern in ignore]
        self._wanted = backend if backend is not None else self.bound_to
        self._audit = min(audit, _AGES)
        self._max_pending = max_pending
        self._consumers = Consumers()
        self._named = sort_out(consumers, self._consumers)
        self._monitors: dict[int, Monitor] = {}
        self._ids = RequestIds()
        self._dispatch = Dispatch(self, self._consumers)
        #: Guards what is above and below; held for a moment, or while `start` opens things.
        self._lock = threading.RLock()
        self._stops = Stops()
        self._closed = False

    def __repr__(self) -> str:
        return f"<FileMonitor {self.backend or 'not started'}, {len(self._monitors)} monitors>"

    # --- monitors

    def add_monitor(
        self,
        path: _Path,
        handler: object = None,
        *,
        recursive: bool = False,
        request_id: int | None = None,
    ) -> int:
        """Set a monitor on `path`; return its request ID.

        `path`
            A directory, a file, or what is to come to be in a directory that is there. A relative
            one is taken from the working directory of the moment.
        `handler`
            Has `HandleEvent(event)`, or is called with the event; None leaves the events to
            consumers, iteration and `get_event`.
        `recursive`
            Whether to tell of all that is below a directory, too. Links are not followed.
        `request_id`
            One of the caller's choice, which is not in use.

        Raises `FileNotFoundError` if not even the directory it would be in is there, `ValueError`
        for an empty path, one with a NUL, or a request ID in use, `TypeError` for a handler that
        can't be called or is a coroutine function, `FamError` after `shutdown`. What can't be
        watched is no error: see `coverage`.
        """
        if handler is not None and handle_of(handler) is None:
            raise TypeError(f"handler {handler!r} has no HandleEvent and can't be called")
        return self._add(path, handler, recursive=recursive, request_id=request_id)

    def _add(self, path: _Path, handler: Any, *, recursive: bool, request_id: int | None) -> int:
        absolute, handle = absolute_path(path), handle_of(handler)
        with self._lock:
            self._check_open()
            check_parent(absolute)
            number = self._ids.take(request_id, self._monitors)
            monitor = Monitor(number, absolute, handler, recursive=recursive)
            monitor.handle = handle
            self._monitors[number] = monitor
            loop = self._loop
        if loop is not None:
            loop.reader.submit(partial(loop.reader.tree.add, monitor))
            self._tell_added(monitor)
        return number

    def remove_monitor(self, request_id: int) -> None:
        """Remove a monitor: from now on no delivery of an event of it begins.

        Raises `ValueError` if there is none of this request ID.
        """
        with self._lock:
            monitor = self._monitors.pop(request_id, None)
            if monitor is None:
                raise ValueError(f"there is no monitor of request ID {request_id!r}")
            monitor.removed = True
            self._dispatch.removals += 1
            loop = self._loop
        if loop is None or loop.reader.closed:
            return
        loop.reader.submit(partial(loop.reader.tree.remove, monitor))
        if monitor.announced:
            self._dispatch.notify("fam_monitor_removed", request_id=request_id, path=monitor.path)

    @property
    def handles(self) -> dict[int, Any]:
        """Request ID → handler, of all monitors."""
        return {monitor.request_id: monitor.handler for monitor in self._monitors_now()}

    def _monitors_now(self) -> list[Monitor]:
        with self._lock:
            return list(self._monitors.values())

    def _tell_added(self, monitor: Monitor) -> None:
        with self._lock:
            if monitor.removed:
                return
            monitor.announced = True
        self._dispatch.notify(
            "fam_monitor_added",
            request_id=monitor.request_id,
            path=monitor.path,
            recursive=monitor.recursive,
        )

    # --- consumers

    def register(self, consumer: object, name: str | None = None) -> None:
        """Add a consumer: an object with hookimpls. Raises `PluginError` if they are wrong.

        If this is started, its `fam_started` is called; what exists is not told again.
        """
        with self._lock:
            self._check_open()
            name = self._consumers.register(consumer, name)
            if self._loop is None:
                return
            self._loop.reader.tree.ask_to_ignore = self._ignore_hook()
        self._dispatch.notify("fam_started", only=name)

    def unregister(self, consumer: object) -> None:
        """Remove a consumer. Raises `PluginError` if it is none."""
        with self._lock:
            self._consumers.unregister(consumer)
            if self._loop is not None:
                self._loop.reader.tree.ask_to_ignore = self._ignore_hook()

    def _ignore_hook(self) -> Callable[[str, bool], bool] | None:
        if not self._consumers.callers("fam_ignore"):
            return None
        ask = self._dispatch.ask
        return lambda path, is_directory: bool(
            ask("fam_ignore", path=path, is_directory=is_directory)
        )

    # --- life

    @property
    def started(self) -> bool:
        """Whether a backend is open."""
        return self._loop is not None and not self._closed

    @property
    def backend(self) -> str | None:
        """The name of the backend in use; before `start` of the one asked for, if one was."""
        if self._loop is not None:
            return self._loop.reader.tree.sources[0].cls.name
        wanted = self._wanted
        return wanted if wanted is None or isinstance(wanted, str) else wanted.name

    @property
    def is_live(self) -> bool:
        """Whether a backend in use goes on telling."""
        return self._loop is not None and self._loop.reader.is_live

    def start(self) -> None:
        """Open the backend; a second time does nothing.

        Raises `BackendNotFound`, `BackendUnavailable`, `PluginError` or the system's `OSError` if
        the backend asked for can't start, `NoBackend` if none was asked for and none can,
        `FamError` after `shutdown`.
        """
        with ExitStack() as turn:
            with self._lock:
                self._check_open()
                if self._loop is not None:
                    return
                load(self._named, self._consumers)
                loop = self._open_loop()
                monitors = self._monitors_now()
                for monitor in monitors:
                    loop.reader.tree.add(monitor)
                loop.reader.signal()
                # Whoever else is to deliver waits until consumers know that they are started.
                turn.enter_context(loop.turn_by(None))
                self._loop, self._process = loop, os.getpid()
            self._dispatch.notify("fam_started")
            for monitor in monitors:
                self._tell_added(monitor)

    def _open_loop(self) -> Loop:
        backend = open_backend(self._wanted)
        try:
            tree = Tree(
                compile_patterns(self.ignore),
                audit=self._audit,
                max_pending=self._max_pending,
            )
            tree.ask_to_ignore = self._ignore_hook()
            tree.open(backend)
            reader = Reader(tree, self._dispatch, self._stops)
        except BaseException:
            backend.close()
            raise
        try:
            reader.open()
        except BaseException:
            reader.close()
            raise
        return Loop(reader, self._dispatch)

    def _started(self) -> Loop | None:
        """The loop, which is started if it is not yet; None after `shutdown`."""
        if not self._closed and self._loop is None:
            self.start()
        return None if self._closed else self._loop

    def shutdown(self) -> None:
        """Close everything, drop what is undelivered. Final; a second time does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._dispatch.clear()
        if self._loop is None:
            return
        self._loop.reader.close()
        self._loop.send_notices()
        self._dispatch.notify("fam_stopped")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()

    def __del__(self) -> None:
        # At the interpreter's end what closes it may be gone, and a fork shares what is open.
        if self.started and not sys.is_finalizing() and os.getpid() == self._process:
            message = f"{self!r} was not shut down"
            warnings.warn(message, ResourceWarning, stacklevel=2, source=self)
            self.shutdown()

    def _check_open(self) -> None:
        if self._closed:
            raise FamError("this FileMonitor was shut down; make another")

    # --- delivery

    def fileno(self) -> int:
        """A descriptor that is readable whenever `handle_events(0)` would deliver something.

        The same one from `start` to `shutdown`. Raises `FamError` after `shutdown`.
        """
        loop = self._started()
        if loop is None:
            raise FamError("this FileMonitor was shut down; make another")
        return loop.reader.fileno()

    def handle_events(self, timeout: float | None = 0.0) -> int:
        """Deliver what is there, waiting `timeout` seconds at most for the first; how many it was.

        None waits until there is something, or `stop` or `shutdown` is called. One thread delivers
        at a time: others wait for their turn, within their timeout. After `shutdown`, and where
        nothing is there and no backend is live, it returns 0 at once.
        """
        loop = self._started()
        if loop is None:
            return 0
        token = self._stops.begin()
        patient = timeout is None or timeout > 0
        count = len(loop.next_batch(timeout, token, patient=patient))
        while 0 < count < _MOST:
            events = loop.next_batch(0, token, patient=patient)
            if not events:
                break
            count += len(events)
        return count

    def run(self) -> None:
        """Deliver until `stop` or `shutdown`, or as long as there is a live backend."""
        loop = self._started()
        if loop is None:
            return
        token = self._stops.begin()
        while not self._stops.asked(token) and loop.next_batch(None, token):
            pass

    def stop(self) -> None:
        """End `run`, iteration or a wait: all that are under way, else the next one.

        May be called from any thread and from a signal handler.
        """
        self._stops.ask()
        if self._loop is not None:
            self._loop.reader.wake()

    def pending(self) -> bool:
        """Whether `get_event` would return an event. Reads, but does not wait."""
        loop = self._started()
        return loop is not None and loop.pending()

    def get_event(self) -> Event:
        """The next undelivered event, which is not delivered then. `IndexError` if there is none.

        `handle_one_event` gives it to its handler and the consumers.
        """
        loop = self._started()
        event = None if loop is None else loop.take()
        if event is None:
            raise IndexError("no event is pending")
        return event

    def handle_one_event(self, event: Event) -> None:
        """Give an event that `get_event` returned to its monitor's handler and the consumers."""
        loop = self._started()
        monitor = self._monitors.get(event.request_id)
        if loop is not None and monitor is not None:
            loop.deliver_one(monitor, event)

    @property
    def events(self) -> list[Event]:
        """A copy of the events that are made and not delivered yet."""
        return self._dispatch.undelivered()

    def coverage(self) -> list[Coverage]:
        """Each monitored path, and each directory that is not covered, with the reason."""
        loop = self._started()
        if loop is None:
            return []
        return loop.reader.coverage()

    # --- iteration

    def batches(self) -> Batches:
        """Iterates, also by `async for`, over batches: each is delivered, then yielded.

        Ends as `run` does. Of two iterations at once each event goes to one.
        """
        return Batches(self._started, self._stops, self._dispatch)

    def __iter__(self) -> Iterator[Event]:
        """Each event, of each batch that is delivered. Ends as `run` does."""
        return EachEvent(iter(self.batches()), self._dispatch)

    def __aiter__(self) -> AsyncIterator[Event]:
        """The same in an asyncio loop, without a thread."""
        return EachEvent(aiter(self.batches()), self._dispatch)
