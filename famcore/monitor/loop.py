"""Delivery: one thread at a time has the turn, takes a batch, and waits when there is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from famcore.dispatch import Announcer, Dispatch
from famcore.events import Event, Monitor
from famcore.monitor.burst import Burst
from famcore.monitor.reader import Reader

#: Seconds that an event loop may be kept waiting by a look at the disk.
_BRIEF = 0.005


class Loop:
    """What `FileMonitor` runs from `start` to `shutdown`."""

    def __init__(self, reader: Reader, dispatch: Dispatch) -> None:
        self.reader = reader
        self._dispatch = dispatch
        self._announcer = Announcer(dispatch)
        #: Held while handlers and consumers run; they may go on delivering, so it is taken anew.
        self._turn = threading.RLock()
        self.burst = Burst()

    def next_batch(
        self,
        timeout: float | None,
        token: int,
        *,
        kept: bool = False,
        patient: bool = True,
        brief: bool = False,
    ) -> list[Event]:
        """Deliver one batch and return it.

        Empty after `timeout` seconds (None: no limit), when asked to stop (`token` is the caller's
        of `Stops`), closed, or not live. `patient`: in a burst it may take some milliseconds more,
        to have more in a batch. `brief`: a long look at the disk is broken off, and the descriptor
        stays readable. `kept`: the caller will use the events, so handlers get copies.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        # Who gives no time wants to know what there is, and waits for that.
        until = deadline if timeout else None
        ready: set[int] | None = None
        if patient and (pause := self.burst.pause()):
            time.sleep(pause)
            self.burst.resume()
        try:
            while not self.reader.closed:
                if not (self._turn.acquire(blocking=False) or self._take_turn(deadline)):
                    break
                try:
                    if brief:
                        until = time.monotonic() + _BRIEF
                    events = self._deliver(ready, until, token, kept=kept)
                finally:
                    self._turn.release()
                if events:
                    self.burst.done(len(events))
                    return events
                ready = self.reader.wait(deadline, token)
                if ready is None:
                    break
            return []
        finally:
            self.reader.signal()

    @contextmanager
    def turn_by(self, deadline: float | None) -> Iterator[bool]:
        """The turn to deliver; false if it can't be had by `deadline` (monotonic seconds)."""
        if not self._take_turn(deadline):
            yield False
            return
        try:
            yield True
        finally:
            self._turn.release()

    def _take_turn(self, deadline: float | None) -> bool:
        left = -1 if deadline is None else max(0.0, deadline - time.monotonic())
        return self._turn.acquire(timeout=left)

    def _deliver(
        self, ready: set[int] | None, deadline: float | None, token: int, *, kept: bool
    ) -> list[Event]:
        """Deliver what is there, a batch at most."""
        while True:
            if self.reader.fill(ready):
                self.reader.fill_on(deadline, token)
            if not (self._dispatch.queue or self._dispatch):
                self.send_notices()
                self._announcer.log()
                return []
            events = self._dispatch.deliver(kept=kept)
            if not self._dispatch.queue:
                # What they say is of events that have been delivered now.
                self.send_notices()
            if events:
                return events
            ready = set()

    def send_notices(self) -> None:
        """Tell consumers what is no event."""
        self._announcer.announce(self.reader.tree.notices)

    # --- event by event

    def pending(self) -> bool:
        """Whether there is an undelivered event; reads, but does not wait."""
        try:
            return self._dispatch.has_undelivered() or self._fill_or_announce()
        finally:
            self.reader.signal()

    def take(self) -> Event | None:
        """The next undelivered event, which is the caller's; reads, but does not wait."""
        event = self._dispatch.take()
        while event is None and self._fill_or_announce():
            event = self._dispatch.take()
        self.reader.signal()
        return event

    def _fill_or_announce(self) -> bool:
        """Whether there are undelivered events; if not, consumers are told what they belong to."""
        if self.reader.fill(None):
            self.reader.fill_on()
        if self._dispatch.has_undelivered():
            return True
        # Whoever has the turn tells them otherwise.
        with self.turn_by(0.0) as has_turn:
            if has_turn:
                self.send_notices()
                self._announcer.log()
        return self._dispatch.has_undelivered()

    def deliver_one(self, monitor: Monitor, event: Event) -> None:
        """Give `event`, which was taken before, to its handler and the consumers."""
        with self.turn_by(None):
            if not self.reader.closed:
                self._dispatch.deliver_one(monitor, event)
