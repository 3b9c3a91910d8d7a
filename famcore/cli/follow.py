"""The loop of `fam watch`: a consumer that prints, until it is enough."""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from types import FrameType

from famcore.cli.ends import DONE, FAILED, INTERRUPTED, LOST, TIMED_OUT
from famcore.cli.monitors import Monitors
from famcore.cli.output import STDOUT, aside
from famcore.cli.printer import Printer
from famcore.cli.say import say_error
from famcore.cli.settle import Settle
from famcore.cli.signals import ENDS, WakeUp, ignore_ends, on_end
from famcore.cli.until import milliseconds, seconds
from famcore.events import Event
from famcore.hookspecs import hookimpl
from famcore.monitor import FileMonitor

#: Seconds for which more events are awaited where the core can gather those of a burst.
BURST = 0.1


class Follower:
    """Prints the events of the monitors. Serves one `FileMonitor`, once."""

    def __init__(
        self,
        monitors: Monitors,
        settle: Settle,
        printer: Printer,
        *,
        count: int | None = None,
        timeout: float | None = None,
    ) -> None:
        """`count` events are printed, `timeout` seconds pass without one: None, no end."""
        self._monitors = monitors
        self._settle = settle
        self._printer = printer
        self._left = count
        self._timeout = timeout
        #: When the last event was printed or, if that was later, the last monitor was ready.
        self._since = time.monotonic()
        #: The exit code, once it is known. Nothing is printed from then on.
        self._code: int | None = None
        #: Whether others may keep this process waiting: then a signal has to break in.
        self._waiting = True

    def follow(self, fam: FileMonitor) -> int:
        """Set the monitors, print what is told of them; return the exit code.

        `self` is among the consumers of `fam`, which is shut down at the end.
        """
        on_end(self._on_signal)
        try:
            with WakeUp() as woken:
                with aside():
                    fam.start()
                with fam:
                    try:
                        self._monitors.set(fam)
                        return self._run(fam, woken)
                    finally:
                        ignore_ends()  # a server is to be told that we leave
        except KeyboardInterrupt:
            return INTERRUPTED if self._code is None else self._code

    def _run(self, fam: FileMonitor, woken: WakeUp) -> int:
        poll = select.poll()
        poll.register(fam.fileno(), select.POLLIN)
        # After each signal its handler raises, or has us end.
        poll.register(woken.fileno(), select.POLLIN)
        # No event is asked for: poll(2) tells of the reader's end unasked.
        poll.register(STDOUT, 0)
        while True:
            self._waiting = False
            handled = fam.handle_events(min(BURST, seconds(self._until())))
            if self._code is None:
                self._show(fam, self._settle.due(time.monotonic()))
            self._waiting = True
            if self._code is None and self._monitors.is_lost:
                self._code = LOST
            if self._code is not None:
                return self._code
            if not (handled or fam.is_live):
                return DONE
            if self._is_late():
                return TIMED_OUT
            for descriptor, _ in poll.poll(0 if handled else milliseconds(self._until())):
                if descriptor == STDOUT:
                    return DONE

    @property
    def _is_enough(self) -> bool:
        # For type checkers, to which the attribute is the same after a call as before.
        return self._code is not None

    def _late_at(self) -> float | None:
        """When it will have been too long without an event."""
        if self._timeout is None or not self._monitors.is_ready or self._settle.when is not None:
            return None
        return self._since + self._timeout

    def _is_late(self) -> bool:
        late_at = self._late_at()
        return late_at is not None and late_at <= time.monotonic()

    def _until(self) -> float | None:
        """When something needs to be done if nothing comes."""
        times = (self._late_at(), self._settle.when)
        return min((at for at in times if at is not None), default=None)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        second = self._code is not None
        self._code = ENDS[number]
        if self._waiting or second:
            raise KeyboardInterrupt

    @hookimpl
    def fam_events(self, fam: FileMonitor, events: Sequence[Event]) -> None:
        """Print what of a batch is to be told at once."""
        if self._code is not None:
            raise KeyboardInterrupt  # nothing else gets through `handle_events`
        now = time.monotonic()
        monitors = self._monitors.paths
        ours = [event for event in events if event.request_id in monitors]
        self._show(fam, self._settle.take(ours, now))
        if not self._is_enough and self._monitors.look_for_ready(fam, events):
            self._since = now

    def _show(self, fam: FileMonitor, events: list[Event]) -> None:
        if self._left is not None:
            del events[self._left :]
            self._left -= len(events)
        if events:
            self._print(fam, events)
        if self._left == 0 and self._code is None:
            self._code = DONE

    def _print(self, fam: FileMonitor, events: list[Event]) -> None:
        self._waiting = True
        if self._code is not None:  # by a signal since the batch began
            raise KeyboardInterrupt
        try:
            self._printer.print(fam, events)
            self._since = time.monotonic()
        except BrokenPipeError:
            self._code = DONE
        except OSError as error:
            say_error(error)
            self._code = FAILED
        finally:
            self._waiting = False
