"""Monitors whose events are kept, and a `FileMonitor` pumped until it has no more to tell."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from famcore.backend import Backend, Capability
from famcore.errors import BackendLost
from famcore.events import Event, EventCode
from famcore.hookspecs import hookimpl
from famcore.monitor import FileMonitor
from famcore.testing.fold import Fold, names_on_disk

#: Seconds between two looks at what a backend may have lost, where it may.
_AUDIT = 1.0
#: Seconds to wait for what has to come, besides what the backend says that it takes.
_PATIENCE = 10.0


class Log:
    """The handler of one monitor: keeps its events, and folds them as they come."""

    def __init__(self, recorder: Recorder, path: str, *, recursive: bool) -> None:
        self.path = path
        self.recursive = recursive
        self.request_id = 0
        self.events: list[Event] = []
        self.fold = Fold(path)
        self._recorder = recorder

    def HandleEvent(self, event: Event) -> None:
        """Keep the event."""
        if event.request_id != self.request_id:
            self.fold.breaches.append(f"{event!r} is of another monitor")
        self.events.append(event)
        self.fold.add(event)
        self._recorder.sequence.append((self, event))


class Recorder:
    """A `FileMonitor` on one backend, with monitors whose events are kept. A context manager."""

    def __init__(self, backend: type[Backend], ignore: Sequence[str]) -> None:
        self._ignore = ignore
        exact = Capability.EXACT in backend.capabilities
        #: Seconds without an event after which none is to be expected.
        self.quiet = backend.latency + (0.0 if exact else _AUDIT)
        self.logs: list[Log] = []
        #: Every event with the log of its monitor, in the order of delivery.
        self.sequence: list[tuple[Log, Event]] = []
        #: One sentence for each thing that must not happen, whatever the events.
        self.breaches: list[str] = []
        #: Why the disk was compared: something was lost.
        self.resynced: list[str] = []
        #: The backend said so; it was opened again, or will be.
        self.is_source_lost = False
        self._seen = 0
        self.fam = FileMonitor(
            backend, ignore=ignore, consumers=[self], audit=60.0 if exact else _AUDIT
        )

    def __enter__(self) -> Recorder:
        self.fam.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.fam.shutdown()

    def monitor(self, path: str | bytes | os.PathLike[Any], *, recursive: bool = False) -> Log:
        """Set a monitor."""
        full = os.path.join(os.getcwd(), os.fsdecode(path)).rstrip("/") or "/"
        log = Log(self, full, recursive=recursive)
        log.request_id = self.fam.add_monitor(path, log, recursive=recursive)
        self.logs.append(log)
        return log

    def remove(self, log: Log) -> None:
        """Remove a monitor."""
        self.fam.remove_monitor(log.request_id)
        self.logs.remove(log)

    def forget(self) -> None:
        """Keep none of the events so far; what they leave standing is remembered."""
        for log in self.logs:
            log.events.clear()
        self.sequence.clear()
        self._seen = 0

    # --- pumping

    def rest(self, is_done: Callable[[], bool] = lambda: True) -> None:
        """Deliver until `is_done` or out of patience, then until nothing more comes."""
        deadline = time.monotonic() + _PATIENCE + 10 * self.quiet
        while not is_done():
            told = self.fam.handle_events(max(0.0, deadline - time.monotonic()))
            if time.monotonic() >= deadline:
                if told or self.fam.handle_events(0):
                    self.breaches.append(
                        "what was there was told once the wait was over, not before"
                    )
                break
            if not told:  # no backend in use is live
                break
        while self.fam.handle_events(self.quiet):
            if time.monotonic() > deadline:
                self.breaches.append("events have not come to an end")
                break

    def wrongs(self) -> Iterator[str]:
        """One sentence for each promise that does not hold, now that nothing more comes."""
        yield from self.breaches
        for log in self.logs:
            yield from log.fold.breaches
            found = names_on_disk(log.path, self._ignore, recursive=log.recursive)
            yield from log.fold.differences(found)
        for row in self.fam.coverage():
            if not row.covered:
                yield f"{row.path} is not covered: {row.reason}"

    # --- as a consumer

    @hookimpl
    def fam_events(self, events: Sequence[Event]) -> None:
        """Hold a batch against what handlers were given, and the rule on repeated `changed`."""
        given = [event for _, event in self.sequence[self._seen :]]
        self._seen = len(self.sequence)
        if list(map(_content, given)) != list(map(_content, events)):
            self.breaches.append(f"handlers were given {given}, consumers {list(events)}")
        told: set[tuple[int, str]] = set()
        for event in events:
            entry = event.request_id, event.path
            if event.action is not EventCode.CHANGED:
                told.discard(entry)
            elif entry in told and event.moved_from is None:
                self.breaches.append(f"{event!r} is repeated in one batch")
            else:
                told.add(entry)

    @hookimpl
    def fam_resynced(self, reason: str) -> None:
        """Keep the reason."""
        self.resynced.append(reason)

    @hookimpl
    def fam_degraded(self, path: str, reason: str) -> None:
        """All is covered all the time."""
        self.breaches.append(f"changes of {path} were not heard: {reason}")

    @hookimpl
    def fam_error(self, plugin_name: str, error: BaseException) -> None:
        """Nothing may fail."""
        self.is_source_lost |= isinstance(error, BackendLost)
        self.breaches.append(f"{plugin_name} failed: {error!r}")


def _content(event: Event) -> tuple[object, ...]:
    return event.request_id, event.action, event.filename, event.moved_from, event.is_directory
