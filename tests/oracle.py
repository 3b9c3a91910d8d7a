"""One round of the oracle: what monitors were told, against the disk.

    oracle.py DIRECTORY SEED COUNT [--backend NAME] [--queue LIMIT]

So many random operations are done by chaos.py, in a process of its own. Meanwhile monitors come and
go here. Once both are at rest, what does not hold is printed, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import runpy
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

from famcore import DEFAULT_IGNORE
from famcore.backend import Interest, Kind
from famcore.catalog import find_backend
from famcore.testing import Recorder
from famcore.testing.fold import Fold, names_on_disk

SCRIPT = str(Path(__file__).with_name("chaos.py"))
CHAOS = runpy.run_path(SCRIPT)
SMALL_QUEUE = runpy.run_path(str(Path(__file__).with_name("small_queue.py")))

#: Monitors at a time.
MANY = 16
#: Lines of a kind that a report shows.
SHOWN = 40
#: Seconds without an event: longer than anything rests that was being listed while this was
#: stopped.
QUIET = 0.1


def counting(backend):
    class Counting(backend):
        """Knows the watches that it holds."""

        held: ClassVar[set] = set()

        def watch(self, path, interest=Interest.ALL):
            key = super().watch(path, interest)
            self.held.add(key)
            return key

        def unwatch(self, key):
            super().unwatch(key)
            self.held.discard(key)

        def read(self):
            changes = list(super().read())
            self.held.difference_update(each[1] for each in changes if each[0] == Kind.GONE)
            return changes

    return Counting


class Round:
    def __init__(self, place, seed, backend):
        self.place = place
        self.chance = random.Random(seed)
        self.backend = counting(backend)
        self.recorder = Recorder(self.backend, DEFAULT_IGNORE)
        self.fam = self.recorder.fam
        #: Logs of removed monitors → how many events they had.
        self.removed = {}

    # --- monitors that come and go

    def set(self, path, *, recursive):
        # Its parent may be missing, too.
        with contextlib.suppress(OSError):
            self.recorder.monitor(f"{self.place}/{path}", recursive=recursive)

    def set_any(self):
        path = CHAOS["any_monitored"](self.chance.choice)
        self.set(path, recursive=self.chance.random() < 0.5)

    def remove_any(self):
        log = self.chance.choice(self.recorder.logs)
        self.recorder.logs.remove(log)
        self.fam.remove_monitor(log.request_id)
        self.removed[log] = len(log.events)

    # --- the round

    def run(self, count, *, slow):
        """Lines about what does not hold; `slow`: come late for what there is to be read."""
        self.set("root", recursive=False)
        self.set("root", recursive=True)
        seed = str(self.chance.randrange(2**32))
        chaos = subprocess.Popen([sys.executable, SCRIPT, self.place, seed, str(count)])
        while chaos.poll() is None and not self.is_broken():
            self.fam.handle_events(0.002)
            dice = self.chance.random()
            if dice < 0.25 and len(self.recorder.logs) < MANY:
                self.set_any()
            elif dice < 0.4 and len(self.recorder.logs) > 1:
                self.remove_any()
            elif slow:
                time.sleep(0.01)
        status = chaos.wait()
        if not self.is_broken():
            while self.fam.handle_events(max(QUIET, self.recorder.quiet)):
                pass
        if status:
            yield f"chaos.py ended with {status}"
        yield from self.report()

    def is_broken(self):
        folds = (log.fold for log in self.recorder.logs)
        return bool(self.recorder.breaches) or any(fold.breaches for fold in folds)

    def report(self):
        """What does not hold, and the last events of each monitor concerned."""
        if self.recorder.breaches:
            yield from self.recorder.breaches[:SHOWN]
            yield "the last events of all:"
            for log, event in self.recorder.sequence[-SHOWN:]:
                yield f"    {log.request_id}: {told(event)}"
        broken = self.is_broken()
        for log in self.recorder.logs:
            found = names_on_disk(log.path, DEFAULT_IGNORE, recursive=log.recursive)
            wrongs = log.fold.breaches if broken else list(log.fold.differences(found))
            if wrongs:
                how = "recursive" if log.recursive else "plain"
                yield f"{how} monitor {log.request_id} on {log.path}:"
                yield from (f"  {wrong}" for wrong in wrongs[:SHOWN])
                events = until_breach(log)
                yield f"  the last of {len(events)} events:"
                yield from (f"    {told(event)}" for event in events[-SHOWN:])
        for row in self.fam.coverage():
            if not row.covered and not broken:
                yield f"{row.path} is not covered: {row.reason}"
        for log, count in self.removed.items():
            if len(log.events) > count:
                yield f"monitor {log.request_id} was told after its end: {told(log.events[count])}"

    def end(self):
        """Remove all monitors. Lines about what is left of them."""
        while self.recorder.logs:
            self.remove_any()
        self.fam.handle_events(0)
        if self.backend.held:
            yield f"{len(self.backend.held)} watches are left when all monitors are removed"


def until_breach(log):
    """Its events, up to the first that can't be."""
    fold = Fold(log.path)
    for number, event in enumerate(log.events, 1):
        fold.add(event)
        if fold.breaches:
            return log.events[:number]
    return log.events


def told(event):
    what = {True: " (directory)", False: "", None: " (?)"}[event.is_directory]
    origin = "" if event.moved_from is None else f" from {event.moved_from!r}"
    return f"{event.action} {event.filename!r}{what}{origin}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("place")
    parser.add_argument("seed", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("--backend", default="inotify")
    parser.add_argument("--queue", type=int)
    asked = parser.parse_args()
    CHAOS["prepare"](asked.place)
    oracle = Round(asked.place, asked.seed, find_backend(asked.backend).backend)
    room = SMALL_QUEUE["queue_of"](asked.queue) if asked.queue else contextlib.nullcontext()
    with room:
        oracle.fam.start()
    with oracle.recorder:
        wrongs = list(oracle.run(asked.count, slow=bool(asked.queue))) or list(oracle.end())
    print(*wrongs, sep="\n", end="")
    return bool(wrongs)


if __name__ == "__main__":
    sys.exit(main())
