"""One round of the oracle: what monitors were told, against the disk.

    oracle.py DIRECTORY SEED COUNT [--backend NAME] [--queue LIMIT] [--watches LIMIT]

So many random operations are done by chaos.py, in a process of its own. Meanwhile monitors come and
go here. Once both are at rest, what does not hold is printed, and the exit status is 1.

With --watches, as root of a user namespace: what is told holds but for what lies in the directories
that are said not to be covered. Then the limit is raised, and all of it has to hold.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import runpy
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

from famcore import DEFAULT_IGNORE, FileMonitor, hookimpl
from famcore.backend import Interest, Kind
from famcore.catalog import find_backend
from famcore.testing import Recorder
from famcore.testing.fold import Fold, names_on_disk

SCRIPT = str(Path(__file__).with_name("chaos.py"))
CHAOS = runpy.run_path(SCRIPT)
SMALL_QUEUE = runpy.run_path(str(Path(__file__).with_name("small_queue.py")))
WATCH_LIMIT = runpy.run_path(str(Path(__file__).with_name("watch_limit.py")))

#: As it is named where it is met in a user namespace.
LIMIT_NAME = "user.max_inotify_watches"
#: Monitors at a time.
MANY = 16
#: Lines of a kind that a report shows.
SHOWN = 40
#: Seconds without an event: longer than anything rests that was being listed while this was
#: stopped.
QUIET = 0.1
#: Seconds at most between two attempts to cover what is not covered, in a round with that limit.
AUDIT = 0.2
#: Seconds until all is covered once there is room, at the latest.
PATIENCE = 30


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


class LimitedRecorder(Recorder):
    """One that expects that not all is covered, and keeps what it is told of that."""

    def __init__(self, backend, ignore):
        super().__init__(backend, ignore)
        self.fam = FileMonitor(backend, ignore=ignore, consumers=[self], audit=AUDIT)
        #: What was said not to be covered → each reason; the last goes when it is covered again.
        #: As long as a link leads elsewhere, one name may be said of two directories.
        self.degraded = {}
        self.restored = set()
        #: What is said to be covered again, and had not been said not to be.
        self.unasked = []

    @hookimpl
    def fam_degraded(self, path, reason):
        self.degraded.setdefault(path, []).append(reason)

    @hookimpl
    def fam_restored(self, path):
        if not self.degraded.get(path):
            self.unasked.append(path)
        else:
            self.degraded[path].pop()
        self.restored.add(path)


class Round:
    def __init__(self, place, seed, backend, watches=None):
        self.place = place
        self.chance = random.Random(seed)
        self.backend = counting(backend)
        #: The limit of watches, if there is one.
        self.watches = watches
        self.recorder = (LimitedRecorder if watches else Recorder)(self.backend, DEFAULT_IGNORE)
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
            self.rest()
        if status:
            yield f"chaos.py ended with {status}"
        if self.watches is None or self.is_broken():
            yield from self.report()
        else:
            gaps = [row for row in self.fam.coverage() if not row.covered]
            yield from list(self.report(gaps)) or self.raise_limit(gaps)

    def rest(self):
        while self.fam.handle_events(max(QUIET, self.recorder.quiet)):
            pass

    # --- what is not covered

    def wrong_gaps(self, gaps):
        """Lines about what is said of that which is not covered."""
        limit = f"{LIMIT_NAME} = {self.watches}"
        for row in gaps:
            if limit not in row.reason or f"sysctl {LIMIT_NAME}=" not in row.remedy:
                yield f"{row.path} is not covered: {row.reason}; {row.remedy}"
        for path, reasons in self.recorder.degraded.items():
            for reason in reasons:
                if limit not in reason:
                    yield f"{path} was degraded: {reason}"

    def raise_limit(self, gaps):
        """Have all covered. Lines about what does not hold then."""
        degraded = {row.path for row in gaps if self.recorder.degraded.get(row.path)}
        self.recorder.restored.clear()
        WATCH_LIMIT["set_limit"](WATCH_LIMIT["NONE"])
        deadline = time.monotonic() + PATIENCE
        while not all(row.covered for row in self.fam.coverage()):
            self.fam.handle_events(AUDIT)
            if time.monotonic() > deadline:
                break
        self.rest()
        yield from self.report()
        for path in self.recorder.unasked:
            yield f"{path} was restored, which was not said to be degraded"
        for path in sorted(degraded - self.recorder.restored):
            yield f"{path} is covered again, which fam_restored has not told"

    def is_broken(self):
        folds = (log.fold for log in self.recorder.logs)
        return bool(self.recorder.breaches) or any(fold.breaches for fold in folds)

    def report(self, gaps=()):
        """What does not hold, and the last events of each monitor concerned.

        What lies in `gaps`, rows of the coverage, need not.
        """
        if self.recorder.breaches:
            yield from self.recorder.breaches[:SHOWN]
            yield "the last events of all:"
            for log, event in self.recorder.sequence[-SHOWN:]:
                yield f"    {log.request_id}: {told(event)}"
        broken = self.is_broken()
        for log in self.recorder.logs:
            found = names_on_disk(log.path, DEFAULT_IGNORE, recursive=log.recursive)
            wrongs = log.fold.breaches if broken else list(differences(log, found, gaps))
            if wrongs:
                how = "recursive" if log.recursive else "plain"
                yield f"{how} monitor {log.request_id} on {log.path}:"
                yield from (f"  {wrong}" for wrong in wrongs[:SHOWN])
                events = until_breach(log)
                yield f"  the last of {len(events)} events:"
                yield from (f"    {told(event)}" for event in events[-SHOWN:])
        if gaps:
            yield from self.wrong_gaps(gaps)
        for row in self.fam.coverage():
            if not row.covered and row not in gaps and not broken:
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


def differences(log, found, gaps):
    """Lines about the names by which what `log` was told is not what was found, but for `gaps`."""
    places = [os.path.realpath(row.path) for row in gaps]

    def is_heard(name):
        directory = os.path.realpath(os.path.dirname(f"{log.path}/{name}" if name else log.path))
        return not any(f"{directory}/".startswith(f"{place.rstrip('/')}/") for place in places)

    fold = Fold(log.path)
    fold.standing = {name: kind for name, kind in log.fold.standing.items() if is_heard(name)}
    return fold.differences({name: kind for name, kind in found.items() if is_heard(name)})


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
    parser.add_argument("--watches", type=int)
    asked = parser.parse_args()
    CHAOS["prepare"](asked.place)
    backend = find_backend(asked.backend).backend
    oracle = Round(asked.place, asked.seed, backend, asked.watches)
    if asked.watches is not None:
        WATCH_LIMIT["set_limit"](asked.watches)
    room = SMALL_QUEUE["queue_of"](asked.queue) if asked.queue else contextlib.nullcontext()
    with room:
        oracle.fam.start()
    with oracle.recorder:
        wrongs = list(oracle.run(asked.count, slow=bool(asked.queue))) or list(oracle.end())
    print(*wrongs, sep="\n", end="")
    return bool(wrongs)


if __name__ == "__main__":
    sys.exit(main())
