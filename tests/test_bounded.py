"""Who does not come for events, or is slow to take them, costs no more memory than agreed upon."""

from __future__ import annotations

import itertools
import os
import time
import weakref

import pytest

import famcore
from famcore.backend import Backend, Capability, Interest, Kind, WatchLimitReached
from famcore.catalog import Status, find_backends
from famcore.testing.fold import Fold, names_on_disk

#: Changes that may be pending.
PENDING = 500
#: Events that are made at a time, about.
BATCH = 1_000
#: Seconds at most between two attempts to cover what is not covered.
AUDIT = 0.05

LIVE = [found for found in find_backends() if found.live and found.status is Status.USABLE]
#: Where all that was done is there to be read at once.
EXACT = [
    found for found in LIVE if found.backend and Capability.EXACT in found.backend.capabilities
]


def on(backends):
    return pytest.mark.parametrize("backend", backends, ids=lambda found: found.name, indirect=True)


@pytest.fixture
def backend(request):
    if request.param.backend is None:
        pytest.skip(str(request.param))
    return request.param.backend


class Name(str):
    """One that can be counted as long as somebody has it."""

    __slots__ = ("__weakref__",)


class Talking(Backend):
    """Always has more to say, of files that are there."""

    name = "talking"
    api = 1
    priority = 50
    capabilities = Capability.LIVE | Capability.CONTENTS | Capability.EXACT

    #: Changes that a read brings.
    most = 200
    #: How many are left to be said.
    left = 0
    refused = False

    @classmethod
    def check(cls):
        pass

    def __init__(self):
        self.keys = {}
        #: Of what was said: number → the name, if it is known to somebody.
        self.said = weakref.WeakValueDictionary()
        self.numbers = itertools.count()
        #: The most that there were of them before a read.
        self.peak = 0
        self.reader, self.writer = os.pipe()
        os.write(self.writer, b"x")
        type(self).made = self

    def watch(self, path, interest=Interest.ALL):
        os.lstat(path)
        if self.refused:
            raise WatchLimitReached(path, "talking.watches", 0, "raise it")
        return self.keys.setdefault(path, len(self.keys) + 1)

    def unwatch(self, key):
        pass

    def fileno(self):
        return self.reader

    def read(self):
        self.peak = max(self.peak, len(self.said))
        count = min(self.left, self.most)
        type(self).left = self.left - count
        names = [Name(f"{number:05}") for number in range(count)]
        self.said.update(zip(self.numbers, names, strict=False))
        key = max(self.keys.values(), default=0)
        return [(Kind.CHANGED, key, name, False, 0) for name in names]

    def close(self):
        if self.reader >= 0:
            os.close(self.reader)
            os.close(self.writer)
        self.reader = self.writer = -1


@pytest.fixture
def talking():
    class Here(Talking):
        pass

    return Here


def fill(spot, numbers):
    for number in numbers:
        (spot / f"{number:05}").touch()


def is_true(fold, path):
    found = names_on_disk(str(path), famcore.DEFAULT_IGNORE)
    return not fold.breaches and not list(fold.differences(found))


def take_all(fam):
    """As one who handles nothing."""
    taken = []
    while fam.pending():
        taken.append(fam.get_event())
    return taken


# --- what is kept


@pytest.mark.parametrize("way", ["handle_events", "pending and get_event"])
def test_no_more_is_kept_than_may_be_pending_and_one_read(way, make_fam, talking, spot):
    # Three times as much as events are made of before the next read.
    talking.most, pending = 3 * BATCH, 10 * BATCH
    fill(spot, range(talking.most))
    fam = make_fam(backend=talking, max_pending=pending)
    fam.add_monitor(spot)
    fam.handle_event_set()
    talking.left = 10 * pending

    def take():
        while fam.pending():
            fam.get_event()

    ways = {"handle_events": fam.handle_events, "pending and get_event": take}
    deadline = time.monotonic() + 60
    while talking.left:
        assert time.monotonic() < deadline
        ways[way]()
    # Events are made of a batch, and each known name is remembered.
    bound = pending + talking.most + BATCH + talking.most
    assert talking.most <= talking.made.peak <= bound


def test_who_only_asks_what_is_pending_has_no_more_read(make_fam, talking, spot):
    fill(spot, range(talking.most))
    fam = make_fam(backend=talking, max_pending=PENDING)
    fam.add_monitor(spot)
    fam.handle_event_set()
    talking.left = 50 * PENDING
    for _ in range(100):
        assert fam.pending()
        assert len(fam.events) <= PENDING + BATCH
    assert len(talking.made.said) <= PENDING + talking.most


def test_a_backend_that_never_ends_does_not_keep_handle_events(make_fam, talking, spot):
    fill(spot, range(talking.most))
    fam = make_fam(backend=talking, max_pending=PENDING)
    fam.add_monitor(spot, lambda event: None)
    fam.handle_event_set()
    talking.left = 10**9
    assert fam.handle_events(0)
    assert talking.left
    talking.left = 0


# --- what is told instead


@on(LIVE)
@pytest.mark.parametrize("count", [PENDING // 2, 5 * PENDING, 10_000])
def test_who_was_away_is_told_what_is_there(backend, count, make_fam, told, spot, pump):
    fill(spot, range(100))
    fam = make_fam(backend=backend, max_pending=PENDING, consumers=[told])
    fold = Fold(str(spot))
    fam.add_monitor(spot, fold.add)
    fam.handle_event_set()
    fill(spot, range(50, count))
    for number in range(20):
        (spot / f"{number:05}").unlink()
        (spot / f"{number + 20:05}").rename(spot / f"renamed {number}")
    pump(fam, lambda: is_true(fold, spot))
    fam.handle_event_set()
    assert is_true(fold, spot)
    resynced = told.of("resynced")
    if Capability.EXACT not in backend.capabilities:
        # What was not told yet waits at the server's.
        return
    if count > PENDING:
        assert resynced
        for reason, events in resynced:
            assert reason
            assert events > 0
    else:
        assert resynced == []


@on(LIVE)
@pytest.mark.parametrize("recursive", [False, True], ids=["plain", "recursive"])
def test_a_slow_consumer_is_told_what_is_there(backend, recursive, make_fam, told, spot, pump):
    """More comes meanwhile than it takes, for a while."""
    if "famd" in backend.about():
        pytest.skip("famd ends by SIGSEGV when thousands of names come and go")
    rounds = iter(range(20))

    class Slow:
        @famcore.hookimpl
        def fam_events(self, fam, events):
            assert len(fam.events) <= PENDING + BATCH
            number = next(rounds, None)
            if number is not None:
                (spot / f"d{number}").mkdir()
                fill(spot / f"d{number}", range(100))
                fill(spot, range(number * 500, number * 500 + 1_000))
                for each in range(number * 500, number * 500 + 500):
                    (spot / f"{each:05}").unlink()

    fam = make_fam(backend=backend, max_pending=PENDING, consumers=[told, Slow()])
    fold = Fold(str(spot))
    fam.add_monitor(spot, fold.add, recursive=recursive)

    def is_done():
        found = names_on_disk(str(spot), famcore.DEFAULT_IGNORE, recursive=recursive)
        return next(rounds, None) is None and not list(fold.differences(found))

    pump(fam, is_done)
    fam.handle_event_set()
    assert is_done()
    assert fold.breaches == []
    assert told.of("resynced") or Capability.EXACT not in backend.capabilities


@on(EXACT)
def test_a_handler_that_holds_the_delivery_keeps_nothing_from_being_true(
    backend, make_fam, told, spot, pump, background, until
):
    """Another thread asks meanwhile what is pending."""
    fam = make_fam(backend=backend, max_pending=PENDING, consumers=[told])
    fold = Fold(str(spot))
    release = []

    def handle(event):
        fold.add(event)
        if event.filename == "held":
            until(lambda: release)

    fam.add_monitor(spot, handle)
    fam.handle_event_set()
    (spot / "held").mkdir()
    delivering = background(fam.handle_events, 60)
    until(lambda: "held" in fold.standing)
    for start in range(0, 8_000, 1_000):
        fill(spot, range(start, start + 1_000))
        fam.pending()
        assert len(fam.events) <= PENDING + BATCH
    release.append(True)
    delivering()
    pump(fam, lambda: is_true(fold, spot))
    fam.handle_event_set()
    assert is_true(fold, spot)
    assert told.of("resynced")


# --- those who take events one by one


@on(EXACT)
def test_who_takes_events_one_by_one_is_told_of_a_repair(backend, make_fam, told, spot):
    fam = make_fam(backend=backend, max_pending=PENDING, consumers=[told])
    fold = Fold(str(spot))
    fam.add_monitor(spot)
    for event in take_all(fam):
        fold.add(event)
    fill(spot, range(3_000))
    for event in take_all(fam):
        fold.add(event)
    assert is_true(fold, spot)
    ((reason, count),) = told.of("resynced")
    assert reason
    assert count == 3_000


@pytest.mark.parametrize("way", ["pending", "get_event"])
def test_who_takes_events_one_by_one_is_told_of_what_is_not_covered(
    way, make_fam, told, talking, spot
):
    talking.refused = True
    fam = make_fam(backend=talking, consumers=[told], audit=AUDIT)
    fam.add_monitor(spot)

    def take():
        if way == "pending":
            return take_all(fam)
        taken = []
        try:
            while True:
                taken.append(fam.get_event())
        except IndexError:
            return taken

    actions = [str(event.action) for event in take()]
    assert actions == ["exists", "endExist"]
    assert told.degraded.count(str(spot)) == 1
    # It is tried again whoever asks.
    (spot / "new").touch()
    talking.refused = False
    deadline = time.monotonic() + 60
    taken = []
    while str(spot) not in told.restored:
        assert time.monotonic() < deadline, told.calls
        taken += take()
    assert ("created", "new") in [(str(event.action), event.filename) for event in taken]


def test_who_takes_events_one_by_one_is_told_of_what_failed(make_fam, told, talking, spot):
    class Failing(talking):
        fails = False

        def read(self):
            if self.fails:
                type(self).fails = False
                raise RuntimeError("a mistake of the backend's")
            return super().read()

    fam = make_fam(backend=Failing, consumers=[told], audit=AUDIT)
    fam.add_monitor(spot)
    take_all(fam)
    Failing.fails = True
    deadline = time.monotonic() + 60
    while not told.of("error"):
        assert time.monotonic() < deadline
        take_all(fam)
    ((name, error),) = told.of("error")
    assert name == "talking"
    assert "mistake" in str(error)


def test_notices_come_after_the_events_that_were_to_be_taken_before(make_fam, told, talking, spot):
    """A repair is told when its events have been taken, not while they are pending."""
    talking.most = 2 * PENDING
    fill(spot, range(100))
    fam = make_fam(backend=talking, max_pending=PENDING, consumers=[told])
    fam.add_monitor(spot)
    take_all(fam)
    for number in range(50):
        (spot / f"{number:05}").unlink()
    talking.left = 3 * PENDING
    while fam.pending():
        assert told.of("resynced") == []
        fam.get_event()
    assert told.of("resynced")
