"""Events given to handlers and consumers, each of which may fail on its own."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from famcore.events import BATCH, Event, Monitor, copy_event
from famcore.plugins import Consumers
from famcore.plugins.consumers import Caller

log = logging.getLogger(__name__)


class Dispatch:
    """The undelivered events of one `FileMonitor`, and their way to those who want them.

    One thread at a time delivers; others may meanwhile add to `queue` and take from it. A handler
    or consumer may itself have more delivered: what is begun here is gone on with there, so all
    that is left to do stands in attributes at any moment.
    """

    def __init__(self, fam: object, consumers: Consumers) -> None:
        self._fam = fam
        self._consumers = consumers
        #: Whether each delivered event is logged.
        self.debug = False
        #: Undelivered, the next one first.
        self.queue: deque[Event] = deque()
        #: Events that have been delivered and are to be iterated over.
        self.left: deque[Event] = deque()
        #: Events of this batch that handlers have had, and consumers have not.
        self._handled: list[Event] = []
        #: The consumers of this batch: those that were there when it was begun.
        self._callers: tuple[Caller, ...] = ()
        #: Those that have not had it.
        self._owed: deque[tuple[Caller, _Batch]] = deque()
        #: Counts the monitors that were removed; and how many it was when this batch was begun.
        self.removals = 0
        self._removals_before = 0

    def __bool__(self) -> bool:
        """Whether `deliver` has something to do."""
        return bool(self.queue or self._handled or self._owed)

    def clear(self) -> None:
        """Drop all that is undelivered, or not iterated over."""
        self.queue.clear()
        self.left.clear()
        self._handled.clear()
        self._owed.clear()

    def take(self) -> Event | None:
        """The next undelivered event, which is the caller's; None if there is none."""
        return _take(self.queue)

    def has_undelivered(self) -> bool:
        """Whether `take` would return an event."""
        if not self.removals:
            return bool(self.queue)
        while True:
            try:
                return any(not _is_removed(event) for event in self.queue)
            except RuntimeError:  # another thread took one meanwhile
                continue

    def undelivered(self) -> list[Event]:
        """A copy of the undelivered events."""
        return [event for event in list(self.queue) if not _is_removed(event)]

    # --- iteration

    def next_left(self) -> Event | None:
        """The next event to be iterated over, which is the caller's; None if there is none."""
        return _take(self.left)

    def take_left(self) -> list[Event]:
        """All events to be iterated over, which are the caller's."""
        return list(iter(self.next_left, None)) if self.left else []

    # --- delivery

    def deliver(self, *, kept: bool = False) -> list[Event]:
        """Give a batch to its handlers, then to the consumers; return what was given.

        Hot: gone through once for each event. `kept`: the caller goes on to use the events, which
        handlers must not change then.
        `KeyboardInterrupt` passes, the rest of the batch stays to be delivered.
        """
        delivered: list[Event] = []
        if not self._handled:
            self._begin()
        shared = kept or bool(self._callers)
        queue = self.queue
        while queue and len(self._handled) < BATCH:
            try:
                event = queue.popleft()
            except IndexError:  # another thread was quicker
                break
            monitor = event._monitor
            if monitor is None or monitor.removed:
                continue
            self._handled.append(event)
            delivered.append(event)
            handle = monitor.handle
            if handle is not None:
                try:
                    handle(copy_event(event) if shared else event)
                except (Exception, SystemExit) as error:
                    self._failed(monitor, error)
        self._hand_on()
        if self.debug:
            for event in delivered:
                log.info("%s %s", event.action, event.path)
        return delivered

    def deliver_one(self, monitor: Monitor, event: Event) -> None:
        """Give `event`, which was taken from the queue, to its handler and the consumers."""
        if not self._handled:
            self._begin()
        self._handled.append(event)
        if monitor.handle is not None:
            try:
                monitor.handle(copy_event(event))
            except (Exception, SystemExit) as error:
                self._failed(monitor, error)
        self._hand_on()

    def _begin(self) -> None:
        """Begin a batch; there is none under way."""
        self._callers = self._consumers.of_events
        self._removals_before = self.removals

    def _failed(self, monitor: Monitor, error: BaseException) -> None:
        name = _name_of(monitor.handler)
        log.error("handler %s of monitor %s failed", name, monitor, exc_info=error)
        self.report_error(name, error)

    def _hand_on(self) -> None:
        """Give the consumers the events that handlers have had."""
        if self._callers and self._handled:
            batch = _Batch(tuple(self._handled), self._removals_before)
            self._owed.extend([(caller, batch) for caller in self._callers])
        self._handled = []
        while self._owed:
            (name, call), batch = self._owed.popleft()
            events = batch.without_removed(self.removals)
            if events:
                self._call(name, call, {"events": events})

    # --- other hooks

    def notify(self, hook: str, *, only: str | None = None, **arguments: Any) -> None:
        """Call `hook` of each consumer that has it, or of the `only` one of that name."""
        for name, call in self._consumers.callers(hook):
            if only is None or name == only:
                self._call(name, call, arguments)

    def report_error(self, plugin_name: str, error: BaseException) -> None:
        """Tell the consumers that a handler, a consumer or a backend failed."""
        for name, call in self._consumers.callers("fam_error"):
            try:
                call(fam=self._fam, plugin_name=plugin_name, error=error)
            except (Exception, SystemExit):
                log.exception("consumer %s failed at being told of an error", name)

    def ask(self, hook: str, **arguments: Any) -> Any:
        """The first answer to a `firstresult` hook that is not None."""
        for name, call in self._consumers.callers(hook):
            try:
                answer = call(**arguments)
            except (Exception, SystemExit) as error:
                log.exception("consumer %s failed in %s", name, hook)
                self.report_error(name, error)
                continue
            if answer is not None:
                return answer
        return None

    def _call(self, name: str, call: Callable[..., Any], arguments: dict[str, Any]) -> None:
        try:
            call(fam=self._fam, **arguments)
        except (Exception, SystemExit) as error:
            log.exception("consumer %s failed", name)
            self.report_error(name, error)


class _Batch:
    """What all consumers are given, the same tuple, as long as no monitor is removed."""

    __slots__ = ("_events", "_removals")

    def __init__(self, events: tuple[Event, ...], removals: int) -> None:
        self._events = events
        self._removals = removals

    def without_removed(self, removals: int) -> tuple[Event, ...]:
        """The events, less those of monitors removed since there were `removals` of them."""
        if removals != self._removals:
            self._removals = removals
            self._events = tuple(event for event in self._events if not _is_removed(event))
        return self._events


def _take(events: deque[Event]) -> Event | None:
    """The first of `events` whose monitor is not removed, taken away with those before it."""
    while True:
        try:
            event = events.popleft()
        except IndexError:
            return None
        if not _is_removed(event):
            return event


def _is_removed(event: Event) -> bool:
    return event._monitor is not None and event._monitor.removed


def _name_of(handler: object) -> str:
    """What to call a handler: its own name or its class'."""
    name = getattr(handler, "__qualname__", None) or getattr(handler, "name", None)
    return name if isinstance(name, str) else type(handler).__name__
