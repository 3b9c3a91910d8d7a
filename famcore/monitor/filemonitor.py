"""The loop: monitors in, events out, one descriptor to wait on."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

from famcore.backend import Backend
from famcore.dispatch import Dispatch
from famcore.errors import FamError, NoBackend
from famcore.events import Coverage, Event, Monitor
from famcore.ignore import DEFAULT_IGNORE, compile_patterns
from famcore.monitor.batches import Batches, Events
from famcore.monitor.fam_names import FamNames
from famcore.monitor.poller import Poller
from famcore.monitor.requests import RequestIds, absolute_path, check_parent, handle_of
from famcore.plugins import Consumers
from famcore.tree import Tree
from famcore.tree.watches import Source

log = logging.getLogger(__name__)

#: In a burst, to read at every wake-up is to read one event at a time. A burst is told by its rate:
#: so many wake-ups in a row, each this soon (seconds) after the wait for it began; the pause then
#: made lets events gather.
_BURST_WAKES = 3
_BURST_SOON = 0.001
_BURST_PAUSE = 0.002

_Path = str | bytes | os.PathLike[Any]


class FileMonitor(FamNames):
    """Monitors files and directories through one backend and tells of them in events.

    `backend`: a name, a `Backend` class, or None for `$FAM_BACKEND`, else the best live one that
    is installed. `ignore`: `fnmatch` globs of names not to tell of. `consumers`: names of installed
    consumers, (name, options) pairs, or objects with hookimpls. `audit`: seconds between two looks
    at what can't be watched. `max_pending`: how many changes are kept for a caller who does not
    come for them; past that they are dropped and the disk is compared instead.

    All methods may be called from any thread. Nothing is opened before `start`, so a server may
    fork until then.
    """

    #: The backend of a subclass in `famcore.available`.
    bound_to: ClassVar[str | None] = None

    def __init__(
        self,
        backend: str | type[Backend] | None = None,
        *,
        ignore: Iterable[str] = DEFAULT_IGNORE,
        consumers: Iterable[str | tuple[str, Mapping[str, str]] | object] = (),
        audit: float = 60.0,
        max_pending: int = 100_000,
    ) -> None:
        #: The ignore patterns; a change takes effect at `start`.
        self.ignore = list(ignore)
        self._wanted = backend if backend is not None else self.bound_to
        self._audit = audit
        self._max_pending = max_pending
        self._consumers = Consumers()
        self._named: list[tuple[str, Mapping[str, str]]] = []
        for consumer in consumers:
            if isinstance(consumer, str):
                self._named.append((consumer, {}))
            elif isinstance(consumer, tuple):
                self._named.append((consumer[0], consumer[1]))
            else:
                self._consumers.register(consumer)
        self._monitors: dict[int, Monitor] = {}
        self._ids = RequestIds()
        self._dispatch = Dispatch(self, self._consumers)
        #: Guards all that is below; never held while a handler or a consumer runs.
        self._lock = threading.RLock()
        self._tree: Tree | None = None
        self._poller: Poller | None = None
        self._generation = 0
        #: When (monotonic seconds) sources without a descriptor are read next.
        self._poll_at = 0.0
        self._waiting = 0
        self._closed = False
        self._stop_asked = False
        #: Held by the thread that delivers.
        self._turn = threading.Lock()
        self._deliverer: int | None = None
        self._quick_wakes = 0

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

        `handler`: has `HandleEvent(event)`, or is called with the event; None leaves the events to
        consumers, iteration and `get_event`. `request_id`: one of the caller's choice.

        Raises `FileNotFoundError` if not even the directory it would be in is there, `ValueError`
        for an empty path, one with a NUL, or a request ID in use, `FamError` after `shutdown`.
        """
        if handler is not None and handle_of(handler) is None:
            raise TypeError(f"handler {handler!r} has no HandleEvent and can't be called")
        return self._add(path, handler, recursive=recursive, request_id=request_id)

    def _add(self, path: _Path, handler: Any, *, recursive: bool, request_id: int | None) -> int:
        absolute = absolute_path(path)
        with self._lock:
            self._check_open()
            check_parent(absolute)
            number = self._ids.take(request_id, self._monitors)
            monitor = Monitor(number, absolute, handler, recursive=recursive)
            monitor.handle = handle_of(handler)
            self._monitors[number] = monitor
            if self._tree is None:
                return number
            self._tree.add(monitor)
            self._signal()
        self._notify_added(monitor)
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
            if self._tree is None:
                return
            self._tree.remove(monitor)
            self._signal()
        self._dispatch.notify("fam_monitor_removed", request_id=request_id, path=monitor.path)

    @property
    def handles(self) -> dict[int, Any]:
        """Request ID → handler, of all monitors."""
        return {monitor.request_id: monitor.handler for monitor in self._monitors_now()}

    def _monitors_now(self) -> list[Monitor]:
        with self._lock:
            return list(self._monitors.values())

    def _notify_added(self, monitor: Monitor) -> None:
        self._dispatch.notify(
            "fam_monitor_added",
            request_id=monitor.request_id,
            path=monitor.path,
            recursive=monitor.recursive,
        )

    # --- consumers

    def register(self, consumer: object, name: str | None = None) -> None:
        """Add a consumer: an object with hookimpls. Raises `PluginError` if they are wrong."""
        with self._lock:
            self._check_open()
            given = self._consumers.register(consumer, name)
            if self._tree is None:
                return
            self._tree.ask_to_ignore = self._ignore_hook()
        for found, call in self._consumers.callers("fam_started"):
            if found == given:
                self._dispatch.call(found, call, {})

    def unregister(self, consumer: object) -> None:
        """Remove a consumer. Raises `PluginError` if it is none."""
        with self._lock:
            self._consumers.unregister(consumer)
            if self._tree is not None:
                self._tree.ask_to_ignore = self._ignore_hook()

    # --- life

    @property
    def started(self) -> bool:
        """Whether a backend is open."""
        return self._tree is not None and not self._closed

    @property
    def backend(self) -> str | None:
        """The name of the backend in use; before `start` the one asked for, if one was."""
        tree = self._tree
        if tree is not None:
            return tree.sources[0].cls.name
        return (
            self._wanted
            if self._wanted is None or isinstance(self._wanted, str)
            else (self._wanted.name)
        )

    @property
    def is_live(self) -> bool:
        """Whether a backend in use goes on telling."""
        tree = self._tree
        return (
            tree is not None and not self._closed and any(source.is_live for source in tree.sources)
        )

    def start(self) -> None:
        """Open the backend; a second time does nothing.

        Raises `BackendNotFound`, `BackendUnavailable`, `PluginError` or the system's `OSError` if
        the backend asked for can't start, `NoBackend` if none was asked for and none can,
        `FamError` after `shutdown`.
        """
        if self._tree is not None and not self._closed:
            return
        with self._lock:
            self._check_open()
            if self._tree is not None:
                return
            self._load_consumers()
            backend = self._open_backend()
            tree = Tree(
                compile_patterns(self.ignore),
                audit=self._audit,
                max_pending=self._max_pending,
            )
            tree.open(backend)
            tree.ask_to_ignore = self._ignore_hook()
            self._poller = Poller()
            self._tree = tree
            monitors = list(self._monitors.values())
            for monitor in monitors:
                tree.add(monitor)
            self._signal()
        self._dispatch.notify("fam_started")
        for monitor in monitors:
            self._notify_added(monitor)

    def _load_consumers(self) -> None:
        if self._named:
            from famcore.catalog import load_consumer

            while self._named:
                name, options = self._named[0]
                self._consumers.register(load_consumer(name, options), name)
                del self._named[0]

    def _open_backend(self) -> Backend:
        from famcore.catalog import choose

        named = self._wanted is not None or bool(os.environ.get("FAM_BACKEND"))
        reasons = []
        for cls in choose(self._wanted):
            try:
                return cls()
            except Exception as error:
                if named:
                    raise
                log.warning("backend %r can't start, trying the next one: %s", cls.name, error)
                reasons.append(f"backend {cls.name!r}: {error}")
        raise NoBackend("\n  ".join(["no live backend can be started:", *reasons]))

    def _ignore_hook(self) -> Callable[[str, bool], bool] | None:
        if not self._consumers.callers("fam_ignore"):
            return None
        ask = self._dispatch.ask
        return lambda path, is_directory: bool(
            ask("fam_ignore", path=path, is_directory=is_directory)
        )

    def shutdown(self) -> None:
        """Close everything, drop what is undelivered. Final; a second time does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            was_started = self._tree is not None
            if self._tree is not None:
                self._tree.close()
            self._dispatch.clear()
            if self._poller is not None:
                self._poller.wake()
                if not self._waiting:
                    self._poller.close()
        if was_started:
            self._dispatch.notify("fam_stopped")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()

    def _check_open(self) -> None:
        if self._closed:
            raise FamError("this FileMonitor was shut down; make another")

    # --- delivery

    def fileno(self) -> int:
        """A descriptor that is readable whenever `handle_events(0)` would deliver something.

        The same one from `start` to `shutdown`. Raises `FamError` after `shutdown`.
        """
        self.start()
        with self._lock:
            self._check_open()
            assert self._poller is not None
            return self._poller.fileno()

    def handle_events(self, timeout: float | None = 0.0) -> int:
        """Deliver what is there, waiting `timeout` seconds at most for the first; how many it was.

        None waits until there is something, or `stop` or `shutdown` is called. One thread delivers
        at a time: others wait for their turn, within their timeout.
        """
        try:
            return self._handle(timeout)
        finally:
            if self._deliverer != threading.get_ident():
                self.take_stop()

    def run(self) -> None:
        """Deliver until `stop` or `shutdown`, or as long as there is a live backend."""
        try:
            while not self._stop_asked and self._handle(None):
                pass
        finally:
            self.take_stop()

    def stop(self) -> None:
        """End `run`, iteration or a wait; if none is under way, the next one.

        May be called from any thread and from a signal handler.
        """
        self._stop_asked = True
        if self._poller is not None and not self._closed:
            self._poller.wake()

    def take_stop(self) -> bool:
        """Whether `stop` was called since this was asked last."""
        asked, self._stop_asked = self._stop_asked, False
        return asked

    def pending(self) -> bool:
        """Whether `get_event` would return an event. Reads, but does not wait."""
        self.start_unless_closed()
        with self._lock:
            return self._peek() is not None

    def get_event(self) -> Event:
        """The next undelivered event, which is not delivered then. `IndexError` if there is none.

        `handle_one_event` gives it to its handler and the consumers.
        """
        self.start_unless_closed()
        with self._lock:
            event = self._peek()
            if event is None:
                raise IndexError("no event is pending")
            self._dispatch.queue.popleft()
            self._signal()
            return event

    def handle_one_event(self, event: Event) -> None:
        """Give an event that `get_event` returned to its monitor's handler and the consumers."""
        monitor = self._monitors.get(event.request_id)
        if monitor is not None:
            self._log_debug([event])
            self._dispatch.deliver_one(monitor, event)

    @property
    def events(self) -> list[Event]:
        """A copy of the events that are made and not delivered yet."""
        return list(self._dispatch.queue)

    def coverage(self) -> list[Coverage]:
        """Each monitored path, and each directory that is not covered, with the reason."""
        self.start_unless_closed()
        with self._lock:
            return [] if self._tree is None else self._tree.coverage()

    # --- iteration

    def batches(self) -> Batches:
        """Iterates, also by `async for`, over batches: each is delivered, then yielded.

        Ends as `run` does.
        """
        return Batches(self)

    def __iter__(self) -> Iterator[Event]:
        return iter(Events(self.batches()))

    def __aiter__(self) -> AsyncIterator[Event]:
        return aiter(Events(self.batches()))

    # --- the loop

    def start_unless_closed(self) -> None:
        """`start`, but after `shutdown` nothing."""
        if not self._closed:
            self.start()

    def _handle(self, timeout: float | None) -> int:
        """`handle_events`, but `stop` stays asked for."""
        count = 0
        while events := self.next_batch(0.0 if count else timeout):
            count += len(events)
            if self._stop_asked or count >= self._max_pending:
                break
        return count

    def next_batch(self, timeout: float | None, *, kept: bool = False) -> list[Event]:
        """Deliver one batch and return it; empty after `timeout` seconds, or if there is no more.

        `kept`: the caller will use the events, so handlers get copies.
        """
        if self._closed:
            return []
        self.start()
        deadline = None if timeout is None else time.monotonic() + timeout
        if self._deliverer == threading.get_ident():
            return self._next_batch(deadline, kept=kept)
        if not self._turn.acquire(timeout=-1 if timeout is None else max(0.0, timeout)):
            return []
        try:
            self._deliverer = threading.get_ident()
            return self._next_batch(deadline, kept=kept)
        finally:
            self._deliverer = None
            self._turn.release()

    def _next_batch(self, deadline: float | None, *, kept: bool) -> list[Event]:
        try:
            ready: set[int] | None = None
            while not self._closed:
                has_more = self._fill(ready)
                self._send_notices()
                if has_more:
                    events = self._dispatch.deliver(kept=kept)
                    if events:
                        self._log_debug(events)
                        return events
                    ready = set()
                else:
                    ready = self._wait(deadline)
                    if ready is None:
                        break
            return []
        finally:
            with self._lock:
                if not self._closed:
                    self._signal()

    def _peek(self) -> Event | None:
        while True:
            event = self._dispatch.peek()
            if event is not None or not self._fill(None):
                return event

    def _fill(self, ready: set[int] | None) -> bool:
        """Read the sources (those with a descriptor in `ready`, if that is known) and make events.

        Returns whether there is something to deliver.
        """
        with self._lock:
            tree, poller, dispatch = self._tree, self._poller, self._dispatch
            if self._closed or tree is None or poller is None:
                return False
            self._register_sources(tree, poller)
            if ready is None:
                ready = poller.wait(0)
            if ready or self._polled(tree):
                self._read(tree, ready)
            if not dispatch.queue:
                dispatch.queue.extend(tree.produce())
            return bool(dispatch)

    def _read(self, tree: Tree, ready: set[int]) -> None:
        polled = self._polled(tree)
        now = time.monotonic()
        due = bool(polled) and now >= self._poll_at
        if due:
            self._poll_at = now + min(source.cls.interval for source in polled)
        for source in list(tree.sources):
            if source in polled:
                if due:
                    tree.read(source)
            elif source.backend is not None and source.backend.fileno() in ready:
                tree.read(source)

    def _polled(self, tree: Tree) -> list[Source]:
        """The live sources without a descriptor."""
        return [
            source
            for source in tree.sources
            if source.backend is not None and source.is_live and source.backend.fileno() is None
        ]

    def _register_sources(self, tree: Tree, poller: Poller) -> None:
        if tree.generation != self._generation:
            self._generation = tree.generation
            backends = [source.backend for source in tree.sources if source.backend is not None]
            descriptors = {backend.fileno() for backend in backends}
            poller.watch_only({each for each in descriptors if each is not None})

    def _wait(self, deadline: float | None) -> set[int] | None:
        """Wait for something new; the sources' descriptors that are ready, None if time is up."""
        began = time.monotonic()
        with self._lock:
            if self._closed or not self.is_live:
                return None
            self._signal()
            poller = self._poller
            if poller is None or self._stop_asked or (deadline is not None and began >= deadline):
                return None
            self._waiting += 1
        try:
            ready = poller.wait(None if deadline is None else deadline - began)
        finally:
            with self._lock:
                self._waiting -= 1
                if self._closed and not self._waiting:
                    poller.close()
        ended = time.monotonic()
        if ready and ended - began < _BURST_SOON:
            self._quick_wakes += 1
            if self._quick_wakes >= _BURST_WAKES:
                time.sleep(_BURST_PAUSE)
        else:
            self._quick_wakes = 0
        return ready

    def _signal(self) -> None:
        """Have the descriptor readable exactly while there is something to deliver."""
        tree, poller = self._tree, self._poller
        if tree is not None and poller is not None:
            self._register_sources(tree, poller)
            when = tree.deadline()
            if self._polled(tree):
                when = self._poll_at if when is None else min(when, self._poll_at)
            poller.signal(bool(self._dispatch) or tree.has_work(), when)

    # --- what is to be told beside events

    def _send_notices(self) -> None:
        tree = self._tree
        while tree is not None and tree.notices:
            hook, arguments = tree.notices.popleft()
            _log_notice(hook, arguments)
            if hook == "fam_error":
                self._dispatch.report_error(**arguments)
            else:
                self._dispatch.notify(hook, **arguments)

    def _log_debug(self, events: list[Event]) -> None:
        if self.debug_flag:
            for event in events:
                log.info("%s %s", event.action, event.path)


def _log_notice(hook: str, arguments: dict[str, Any]) -> None:
    say: Callable[..., None] = log.info if hook == "fam_restored" else log.warning
    say("%s: %s", _SAID[hook], ", ".join(str(value) for value in arguments.values()))


_SAID = {
    "fam_degraded": "changes are not heard",
    "fam_restored": "changes are heard again",
    "fam_resynced": "changes were missed, the disk was compared (reason, events)",
    "fam_error": "backend failed",
}
