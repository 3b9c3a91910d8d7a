"""The loop of `fam watch`: a consumer that prints, until it is enough."""

from __future__ import annotations

import select
import signal
import time
from collections.abc import Iterable, Sequence
from types import FrameType

from famcore.cli.lines import Lines, Told
from famcore.cli.output import STDOUT, aside, write
from famcore.cli.say import say, say_error
from famcore.events import Event, EventCode
from famcore.hookspecs import hookimpl
from famcore.monitor import FileMonitor

#: Exit codes.
DONE, FAILED, TIMED_OUT, INTERRUPTED = 0, 1, 3, 130
#: Seconds for which more events are awaited where the core can gather those of a burst.
BURST = 0.1
#: Seconds at most to wait in poll(2), which takes milliseconds in an int.
LONGEST = 86_400.0
#: Paths named in the ready line; of more only the number is told.
NAMED = 3


class Follower:
    """Sets monitors and prints their events. Serves one `FileMonitor`, once."""

    def __init__(
        self,
        lines: Lines,
        codes: frozenset[EventCode],
        *,
        count: int | None = None,
        timeout: float | None = None,
    ) -> None:
        """`count` events are printed, `timeout` seconds pass without one: None, no end."""
        self._lines = lines
        self._codes = codes
        self._left = count
        self._timeout = timeout
        #: The full path of each monitor set here by its request ID.
        self._monitors: dict[int, str] = {}
        self._adding = False
        #: The monitors whose `endExist` is still to come.
        self._awaited: set[int] = set()
        #: Those of the paths that were not there.
        self._missing: list[str] = []
        #: When the last event was printed or, if that was later, the last monitor was ready.
        self._since = time.monotonic()
        #: The exit code, once it is known. Nothing is printed from then on.
        self._code: int | None = None
        #: Whether others may keep this process waiting: then a signal has to break in.
        self._waiting = True

    def follow(self, fam: FileMonitor, paths: Iterable[str], *, recursive: bool) -> int:
        """Monitor `paths`, print what is told of them; return the exit code.

        `self` is among the consumers of `fam`, which is shut down at the end.
        """
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)
        try:
            with aside():
                fam.start()
            with fam:
                self._adding = True
                for path in paths:
                    fam.add_monitor(path, recursive=recursive)
                self._adding = False
                return self._run(fam)
        except KeyboardInterrupt:
            return INTERRUPTED if self._code is None else self._code

    def _run(self, fam: FileMonitor) -> int:
        poll = select.poll()
        poll.register(fam.fileno(), select.POLLIN)
        # No event is asked for: poll(2) tells of the reader's end unasked.
        poll.register(STDOUT, 0)
        while True:
            self._waiting = False
            handled = fam.handle_events(min(BURST, self._seconds()))
            self._waiting = True
            if self._code is not None:
                return self._code
            seconds = self._seconds()
            if not (handled or fam.is_live):
                return DONE
            if seconds <= 0:
                return TIMED_OUT
            for descriptor, _ in poll.poll(0 if handled else seconds * 1000):
                if descriptor == STDOUT:
                    return DONE

    def _seconds(self) -> float:
        """How long no event may be printed yet."""
        if self._timeout is None or self._awaited:
            return LONGEST
        return min(LONGEST, max(0.0, self._since + self._timeout - time.monotonic()))

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        second = self._code is not None
        self._code = INTERRUPTED if number == signal.SIGINT else DONE
        if self._waiting or second:
            raise KeyboardInterrupt

    @hookimpl
    def fam_monitor_added(self, request_id: int, path: str) -> None:
        """Note a monitor, unless it is another consumer's."""
        if self._adding:
            self._monitors[request_id] = path
            self._awaited.add(request_id)

    @hookimpl
    def fam_events(self, fam: FileMonitor, events: Sequence[Event]) -> None:
        """Print a batch by one write."""
        if self._code is not None:
            raise KeyboardInterrupt  # nothing else gets through `handle_events`
        monitors, codes = self._monitors, self._codes
        shown = [e for e in events if e.action in codes and e.request_id in monitors]
        if self._left is not None:
            del shown[self._left :]
            self._left -= len(shown)
        told = Told(str(fam.backend), time.time(), monitors)
        if shown and not self._print(self._lines(shown, told)):
            return
        if self._left == 0:
            self._code = DONE
        elif self._awaited:
            self._look_for_ready(fam, events)

    def _print(self, data: bytes) -> bool:
        self._waiting = True
        if self._code is not None:  # by a signal since the batch began
            raise KeyboardInterrupt
        try:
            write(data)
            self._since = time.monotonic()
            return True
        except BrokenPipeError:
            self._code = DONE
        except OSError as error:
            say_error(error)
            self._code = FAILED
        finally:
            self._waiting = False
        return False

    def _look_for_ready(self, fam: FileMonitor, events: Sequence[Event]) -> None:
        for event in events:
            if event.action is EventCode.END_EXIST and event.request_id in self._awaited:
                self._awaited.remove(event.request_id)
                if event.is_directory is None:
                    self._missing.append(event.path)
        if not self._awaited:
            self._since = time.monotonic()
            paths = list(self._monitors.values())
            what = ", ".join(paths) if len(paths) <= NAMED else f"{len(paths)} paths"
            say(f"watching {what} ({fam.backend})")
            say(*(f"{path} is not there yet; it is waited for" for path in self._missing[:NAMED]))
