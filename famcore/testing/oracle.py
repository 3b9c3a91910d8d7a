"""One round of the oracle: what monitors were told of random operations, against the disk.

The operations are done by `famcore.testing.chaos` at full speed, in a process of its own. Meanwhile
monitors come and go here. Once both are at rest, each line that a round yields is about something
that does not hold.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Hashable, Iterable, Iterator
from typing import Any, ClassVar

from famcore.backend import Backend, Interest, Kind
from famcore.events import Event
from famcore.ignore import DEFAULT_IGNORE
from famcore.monitor import FileMonitor
from famcore.testing import chaos
from famcore.testing.fold import Fold, names_on_disk
from famcore.testing.recorder import Log, Recorder

#: Monitors at a time.
_MANY = 16
#: Lines of a kind that a report shows.
SHOWN = 40
#: Seconds without an event: longer than anything rests that was being listed while this was
#: stopped.
_QUIET = 0.1


class Counting(Backend):
    """What `counting` gives."""

    #: Keys of the watches that are out.
    held: ClassVar[set[Hashable]]


def counting(backend: type[Backend]) -> type[Counting]:
    """The same backend, which knows the watches that it holds."""

    class Counted(backend):  # type: ignore[misc, valid-type]
        held: ClassVar[set[Hashable]] = set()

        def watch(self, path: str, interest: Interest = Interest.ALL) -> Hashable:
            key: Hashable = super().watch(path, interest)
            self.held.add(key)
            return key

        def unwatch(self, key: Hashable) -> None:
            super().unwatch(key)
            self.held.discard(key)

        def read(self) -> Any:
            changes = list(super().read())
            self.held.difference_update(each[1] for each in changes if each[0] == Kind.GONE)
            return changes

    return Counted


class Round:
    """Monitors below `place`, which `chaos.prepare` has filled, and what is done there."""

    def __init__(self, place: str | os.PathLike[str], seed: int, backend: type[Backend]) -> None:
        self.place = os.fspath(place)
        self.chance = random.Random(seed)
        self.backend = counting(backend)
        self.recorder = self.record()
        #: Logs of removed monitors → how many events they had.
        self.removed: dict[Log, int] = {}

    def record(self) -> Recorder:
        """What keeps the events."""
        return Recorder(self.backend, DEFAULT_IGNORE)

    @property
    def fam(self) -> FileMonitor:
        """What the monitors are set on."""
        return self.recorder.fam

    # --- monitors that come and go

    def set(self, path: str, *, recursive: bool) -> None:
        """Set a monitor, if that is possible now."""
        # Its parent may be missing, too.
        with contextlib.suppress(OSError):
            self.recorder.monitor(f"{self.place}/{path}", recursive=recursive)

    def _set_any(self) -> None:
        path = chaos.any_monitored(self.chance.choice)
        self.set(path, recursive=self.chance.random() < 0.5)

    def _remove_any(self) -> None:
        log = self.chance.choice(self.recorder.logs)
        self.recorder.logs.remove(log)
        self.fam.remove_monitor(log.request_id)
        self.removed[log] = len(log.events)

    # --- the round

    def run(self, count: int, *, slow: bool = False) -> Iterator[str]:
        """Do so many operations; `slow`: come late for what there is to be read."""
        self.set("root", recursive=False)
        self.set("root", recursive=True)
        seed = str(self.chance.randrange(2**32))
        command = [sys.executable, "-m", chaos.__name__, self.place, seed, str(count)]
        operations = subprocess.Popen(command)
        while operations.poll() is None and not self.is_broken():
            self.fam.handle_events(0.002)
            dice = self.chance.random()
            if dice < 0.25 and len(self.recorder.logs) < _MANY:
                self._set_any()
            elif dice < 0.4 and len(self.recorder.logs) > 1:
                self._remove_any()
            elif slow:
                time.sleep(0.01)
        status = operations.wait()
        if not self.is_broken():
            self.rest()
        if status:
            yield f"the operations ended with {status}"
        yield from self.outcome()

    def rest(self) -> None:
        """Deliver until nothing more comes."""
        while self.fam.handle_events(max(_QUIET, self.recorder.quiet)):
            pass

    def outcome(self) -> Iterable[str]:
        """What does not hold, once all is at rest."""
        return self.report()

    def end(self) -> Iterator[str]:
        """Remove all monitors; what is left of them."""
        while self.recorder.logs:
            self._remove_any()
        self.fam.handle_events(0)
        if self.backend.held:
            yield f"{len(self.backend.held)} watches are left when all monitors are removed"

    # --- the report

    def is_broken(self) -> bool:
        """Whether something came that can't be."""
        folds = (log.fold for log in self.recorder.logs)
        return bool(self.recorder.breaches) or any(fold.breaches for fold in folds)

    def differences(self, log: Log) -> Iterable[str]:
        """What is not as on disk by what `log` was told."""
        return log.fold.differences(
            names_on_disk(log.path, DEFAULT_IGNORE, recursive=log.recursive)
        )

    def report(self) -> Iterator[str]:
        """What does not hold, and the last events of each monitor concerned."""
        broken = self.is_broken()
        if self.recorder.breaches:
            yield from self.recorder.breaches[:SHOWN]
            yield "the last events of all:"
            for log, event in self.recorder.sequence[-SHOWN:]:
                yield f"    {log.request_id}: {_told(event)}"
        for log in self.recorder.logs:
            wrongs = log.fold.breaches if broken else list(self.differences(log))
            if wrongs:
                how = "recursive" if log.recursive else "plain"
                yield f"{how} monitor {log.request_id} on {log.path}:"
                yield from (f"  {wrong}" for wrong in wrongs[:SHOWN])
                events = _until_breach(log)
                yield f"  the last of {len(events)} events:"
                yield from (f"    {_told(event)}" for event in events[-SHOWN:])
        if not broken:
            yield from self.uncovered()
        for log, count in self.removed.items():
            if len(log.events) > count:
                yield f"monitor {log.request_id} was told after its end: {_told(log.events[count])}"

    def uncovered(self) -> Iterator[str]:
        """What is not covered, and should be."""
        for row in self.fam.coverage():
            if not row.covered:
                yield f"{row.path} is not covered: {row.reason}"


def _until_breach(log: Log) -> list[Event]:
    """Its events, up to the first that can't be."""
    fold = Fold(log.path)
    for number, event in enumerate(log.events, 1):
        fold.add(event)
        if fold.breaches:
            return log.events[:number]
    return log.events


def _told(event: Event) -> str:
    what = {True: " (directory)", False: "", None: " (?)"}[event.is_directory]
    origin = "" if event.moved_from is None else f" from {event.moved_from!r}"
    return f"{event.action} {event.filename!r}{what}{origin}"
