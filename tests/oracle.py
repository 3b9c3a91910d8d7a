"""One round of the oracle, in a process of its own, perhaps where there is little room.

    oracle.py DIRECTORY SEED COUNT [--backend NAME] [--queue LIMIT] [--watches LIMIT]

What does not hold is printed, and the exit status is 1 then.

With --watches, as root of a user namespace: what is told holds but for what lies in the directories
that are said not to be covered. Then the limit is raised, and all of it has to hold.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import runpy
import sys
import time
from pathlib import Path

from famcore import DEFAULT_IGNORE, FileMonitor, hookimpl
from famcore.catalog import find_backend
from famcore.testing import Recorder, chaos
from famcore.testing.fold import Fold, names_on_disk
from famcore.testing.oracle import Round

SMALL_QUEUE = runpy.run_path(str(Path(__file__).with_name("small_queue.py")))
WATCH_LIMIT = runpy.run_path(str(Path(__file__).with_name("watch_limit.py")))

#: As it is named where it is met in a user namespace.
LIMIT_NAME = "user.max_inotify_watches"
#: Seconds at most between two attempts to cover what is not covered, in a round with that limit.
AUDIT = 0.2
#: Seconds until all is covered once there is room, at the latest.
PATIENCE = 30


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


class LimitedRound(Round):
    """One with so many watches: what lies in what is not covered need not hold."""

    def __init__(self, place, seed, backend, watches):
        super().__init__(place, seed, backend)
        self.watches = watches
        #: Rows of the coverage.
        self.gaps = []

    def record(self):
        return LimitedRecorder(self.backend, DEFAULT_IGNORE)

    def outcome(self):
        if not self.is_broken():
            self.gaps = [row for row in self.fam.coverage() if not row.covered]
        wrongs = list(self.report())
        return wrongs or (self.raise_limit() if not self.is_broken() else wrongs)

    def differences(self, log):
        """By the names that don't lie in the gaps."""
        places = [os.path.realpath(row.path) for row in self.gaps]

        def is_heard(name):
            path = f"{log.path}/{name}" if name else log.path
            directory = os.path.realpath(os.path.dirname(path))
            return not any(f"{directory}/".startswith(f"{place.rstrip('/')}/") for place in places)

        found = names_on_disk(log.path, DEFAULT_IGNORE, recursive=log.recursive)
        fold = Fold(log.path)
        fold.standing = {name: kind for name, kind in log.fold.standing.items() if is_heard(name)}
        return fold.differences({name: kind for name, kind in found.items() if is_heard(name)})

    def uncovered(self):
        """Beside the gaps; and what is said of these that is wrong."""
        limit = f"{LIMIT_NAME} = {self.watches}"
        for row in self.fam.coverage():
            if not row.covered and row not in self.gaps:
                yield f"{row.path} is not covered: {row.reason}"
        for row in self.gaps:
            if limit not in row.reason or f"sysctl {LIMIT_NAME}=" not in row.remedy:
                yield f"{row.path} is not covered: {row.reason}; {row.remedy}"
        for path, reasons in self.recorder.degraded.items():
            for reason in reasons if self.gaps else ():
                if limit not in reason:
                    yield f"{path} was degraded: {reason}"

    def raise_limit(self):
        """Have all covered. Lines about what does not hold then."""
        degraded = {row.path for row in self.gaps if self.recorder.degraded.get(row.path)}
        self.recorder.restored.clear()
        self.gaps = []
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("place")
    parser.add_argument("seed", type=int)
    parser.add_argument("count", type=int)
    parser.add_argument("--backend", default="inotify")
    parser.add_argument("--queue", type=int)
    parser.add_argument("--watches", type=int)
    asked = parser.parse_args()
    chaos.prepare(asked.place)
    backend = find_backend(asked.backend).backend
    if asked.watches is None:
        oracle = Round(asked.place, asked.seed, backend)
    else:
        oracle = LimitedRound(asked.place, asked.seed, backend, asked.watches)
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
