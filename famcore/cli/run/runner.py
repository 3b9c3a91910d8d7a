"""The loop of `fam run`: a consumer that gathers changes, and the runs of the command."""

from __future__ import annotations

import os
import select
import stat
import time
from collections.abc import Iterator, Sequence

from famcore.catalog import find_backend
from famcore.cli.ends import DONE, INTERRUPTED, LOST
from famcore.cli.monitors import Monitors
from famcore.cli.output import STDOUT, aside
from famcore.cli.run.batch import Batch
from famcore.cli.run.handout import Handout
from famcore.cli.run.manner import Manner
from famcore.cli.run.runs import Runs
from famcore.cli.run.words import Words
from famcore.cli.signals import ENDS, QUIT, QUITTED, URGENT, Signals
from famcore.cli.until import milliseconds
from famcore.events import Event, EventCode
from famcore.hookspecs import hookimpl
from famcore.monitor import FileMonitor

#: Seconds for which more events are awaited where the core can gather those of a burst. Few, for
#: signals, and that the command has ended, are not seen meanwhile.
BURST = 0.001


class Runner:
    """Has the command run on what is told of the monitors. Serves one `FileMonitor`, once."""

    def __init__(
        self,
        monitors: Monitors,
        codes: frozenset[EventCode],
        words: Words,
        manner: Manner,
        handout: Handout,
    ) -> None:
        """`codes`: the others are no reason to run."""
        self._monitors = monitors
        self._codes = codes
        self._backend = ""
        self._runs = Runs(words, manner, handout, self._lines)

    def _lines(self, batch: Batch) -> Iterator[bytes]:
        return batch.lines(self._backend)

    def follow(self, fam: FileMonitor, signals: Signals) -> int:
        """Set the monitors, run the command on changes; return the exit code.

        `self` is among the consumers of `fam`, which is shut down at the end. No signal is obeyed
        any more then.
        """
        try:
            with aside():
                fam.start()
            with fam:
                self._backend = str(fam.backend)
                self._runs.latency = _latency(fam)
                self._monitors.set(fam)
                return self._loop(fam, signals)
        except KeyboardInterrupt:
            signals.ignore()
            self._obey(signals.take())
            self._runs.close()
            return INTERRUPTED if self._runs.code is None else self._runs.code
        finally:
            signals.ignore()
            self._runs.close()

    def _loop(self, fam: FileMonitor, signals: Signals) -> int:
        runs = self._runs
        poll = select.poll()
        poll.register(fam.fileno(), select.POLLIN)
        poll.register(signals.fileno(), select.POLLIN)
        if stat.S_ISFIFO(os.fstat(STDOUT).st_mode):
            # No event is asked for: poll(2) tells of the reader's end unasked.
            poll.register(STDOUT, 0)
        while True:
            timeout = milliseconds(runs.when(time.monotonic()))
            ready = {descriptor for descriptor, _ in poll.poll(timeout)}
            if STDOUT in ready:
                poll.unregister(STDOUT)
                runs.stop(DONE)
            # What the command did is told before its end is seen: under `Busy.IGNORE` that counts.
            fam.handle_events(BURST if fam.fileno() in ready else 0)
            self._obey(signals.take())
            if self._monitors.is_lost:
                runs.stop(LOST)
            runs.step(time.monotonic())
            if not fam.is_live and runs.is_idle:
                runs.stop(DONE)
            if runs.code is not None:
                return runs.code

    def _obey(self, signals: set[int]) -> None:
        runs = self._runs
        for number in signals & {*ENDS, QUIT}:
            if number == QUIT or (runs.is_ending and number in URGENT):
                runs.hurry()
            runs.stop(ENDS.get(number, QUITTED))

    @hookimpl
    def fam_events(self, fam: FileMonitor, events: Sequence[Event]) -> None:
        """Take in a batch."""
        ours, codes = self._monitors.paths, self._codes
        some = [event for event in events if event.request_id in ours and event.action in codes]
        if some:
            self._runs.add(some, time.monotonic())
        if self._monitors.look_for_ready(fam, events):
            self._runs.begin()


def _latency(fam: FileMonitor) -> float:
    """Seconds until a change is told."""
    backend = find_backend(str(fam.backend)).backend
    return 0.0 if backend is None else backend.latency
