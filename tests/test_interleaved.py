"""Random operations between any two system calls of the reader: races, lost on purpose.

A seed does always the same, for time passes by calls alone. $FAM_SOAK: more seeds, other each time.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import time

import pytest

from famcore import DEFAULT_IGNORE
from famcore.backend import Capability, Interest, Kind
from famcore.catalog import Status, find_backends
from famcore.testing import NotHere, Recorder, chaos

#: What all the rest hangs on is done more often than at full speed: programs are short.
WEIGHTS = {
    do: weight * (6 if do.__name__.startswith(("root", "way")) else 1)
    for do, weight in chaos.OPERATIONS.items()
}

EXACT = [
    found.backend
    for found in find_backends()
    if found.status is Status.USABLE
    and found.backend
    and Capability.EXACT | Capability.LIVE in found.backend.capabilities
]
#: The soak takes that many seconds, about.
SOAK = int(20 * float(os.environ.get("FAM_SOAK", 0)))
SEEDS = [*range(200), *(random.randrange(10**9) for _ in range(SOAK))]
STEPS = 60
#: By how many calls something is put off.
CALLS = (1, 2, 3, 4, 5, 7, 10, 14, 20, 30, 40)
#: Lines that a report shows.
SHOWN = 80


class Calls:
    """Does what is due before a system call of the reader."""

    def __init__(self):
        self.count = 0
        #: Before which call, then a number to sort by.
        self.due = []
        #: What happened so far, a line each.
        self.journal = []
        self.is_off = True

    def __call__(self, name, path=""):
        if self.is_off:
            return
        self.count += 1
        while self.due and self.due[0][0] <= self.count:
            self.do_next(f" before {name} {path}".rstrip())

    def put_off(self, calls, number, *operation):
        self.due.append((self.count + calls, number, *operation))
        self.due.sort(key=lambda each: each[:2])

    def do_next(self, when=""):
        _, number, *operation = self.due.pop(0)
        self.do(number, *operation, when=when)

    def do(self, number, do, path, other, when=""):
        self.journal.append(f"{do.__name__} {path} {other} ({number}){when}")
        before, self.is_off = self.is_off, True
        with contextlib.suppress(OSError, NotHere):
            do(path, other, number)
        self.is_off = before


def interruptible(backend, calls):
    class Interruptible(backend):
        """Its calls count, too, and it knows the watches that it holds."""

        def __init__(self):
            super().__init__()
            self.held = set()
            calls.backend = self

        def watch(self, path, interest=Interest.ALL):
            calls("watch", path)
            key = super().watch(path, interest)
            self.held.add(key)
            return key

        def unwatch(self, key):
            calls("unwatch")
            super().unwatch(key)
            self.held.discard(key)

        def read(self):
            calls("read")
            changes = list(super().read())
            self.held.difference_update(each[1] for each in changes if each[0] == Kind.GONE)
            return changes

    return Interruptible


@pytest.fixture
def calls(monkeypatch):
    calls = Calls()

    def before(name):
        call = getattr(os, name)

        def called(path, *arguments, **options):
            calls(name, path)
            return call(path, *arguments, **options)

        monkeypatch.setattr(os, name, called)

    for name in ("lstat", "scandir", "readlink"):
        before(name)
    ticks = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: next(ticks) * 1e-5)
    return calls


class Program:
    def __init__(self, seed, recorder, calls, place):
        self.chance = random.Random(seed)
        self.recorder = recorder
        self.calls = calls
        self.place = place

    def run(self):
        """Lines about what does not hold."""
        for number in range(STEPS):
            dice = self.chance.random()
            if dice < 0.65:
                self.operate(number)
            elif dice < 0.75:
                self.set_monitor()
            elif dice < 0.8:
                self.remove_monitor()
            elif wrongs := self.rest():
                return wrongs
        return self.rest() or self.end()

    def operate(self, number):
        (do,) = self.chance.choices(list(WEIGHTS), WEIGHTS.values())
        path, other = chaos.any_paths(self.chance.choice, do)
        if self.chance.random() < 0.5:
            self.calls.do(number, do, path, other)
        else:
            self.calls.put_off(self.chance.choice(CALLS), number, do, path, other)

    def set_monitor(self):
        path = chaos.any_monitored(self.chance.choice)
        recursive = self.chance.random() < 0.5
        with self.interrupted(), contextlib.suppress(OSError):
            log = self.recorder.monitor(f"{self.place}/{path}", recursive=recursive)
            self.calls.journal.append(f"monitor {log.request_id} on {path}, {recursive=}")

    def remove_monitor(self):
        if self.recorder.logs:
            log = self.chance.choice(self.recorder.logs)
            self.recorder.logs.remove(log)
            with self.interrupted():
                self.recorder.fam.remove_monitor(log.request_id)
            self.calls.journal.append(f"monitor {log.request_id} is removed")

    @contextlib.contextmanager
    def interrupted(self):
        self.calls.is_off = False
        try:
            yield
        finally:
            self.calls.is_off = True

    def rest(self):
        """Deliver until nothing more happens."""
        while True:
            done = len(self.calls.journal)
            with self.interrupted():
                self.recorder.rest()
            for log, event in self.recorder.sequence:
                self.calls.journal.append(f"    {log.request_id} is told {event!r}")
            self.recorder.forget()
            if len(self.calls.journal) > done:
                continue
            if not self.calls.due:
                self.calls.journal.append("at rest")
                return list(self.recorder.wrongs())
            self.calls.do_next()

    def end(self):
        while self.recorder.logs:
            self.remove_monitor()
        self.recorder.fam.handle_events(0)
        held = len(self.calls.backend.held)
        return [f"{held} watches are left when all monitors are removed"] if held else []


@pytest.mark.parametrize("seed", SEEDS)
def test_what_happens_meanwhile_is_told(seed, deadline, calls, tmp_path, monkeypatch):
    if not EXACT:
        pytest.skip("no exact backend is installed")
    chaos.prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    with Recorder(interruptible(EXACT[0], calls), DEFAULT_IGNORE) as recorder:
        wrongs = Program(seed, recorder, calls, tmp_path).run()
    if wrongs:
        report = "\n".join([*wrongs, "what happened last:", *calls.journal[-SHOWN:]])
        pytest.fail(f"seed {seed}\n{report}", pytrace=False)
