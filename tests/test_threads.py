"""One thread delivers at a time, and no lock is held while a handler or a consumer runs."""

from __future__ import annotations

import itertools
import os
import queue
import sys
import threading
import time

import pytest

import famcore

DEADLINE = 60.0
#: Seconds after which something surely waits, or would have come.
A_WHILE = 0.2
#: Seconds after which another thread most likely waits. What is expected does not depend on it.
SOON = 0.02


def say(events):
    return [(str(event.action), event.filename) for event in events]


class Gate:
    """A handler that holds the thread that delivers until it is opened."""

    def __init__(self, fam=None):
        self.fam = fam
        self.events = []
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self, event):
        self.events.append(event)
        self.entered.set()
        assert self.open.wait(DEADLINE)

    @famcore.hookimpl
    def fam_events(self, events):
        for event in events:
            self(event)


class Fold:
    """The names that a monitor's events leave standing."""

    def __init__(self):
        self.names = set()
        self.twice = []
        self.ended = False

    def __call__(self, event):
        if event.action in ("exists", "created"):
            if event.filename in self.names:
                self.twice.append(event.filename)
            self.names.add(event.filename)
        elif event.action == "deleted":
            self.names.discard(event.filename)
        elif event.action == "endExist":
            self.ended = True


@pytest.fixture
def hasty():
    """Have threads take turns as often as can be."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-7)
    yield
    sys.setswitchinterval(interval)


def fill(spot, number):
    for each in range(number):
        (spot / f"{each:05}").touch()


# Whose turn it is


def test_another_thread_waits_for_its_turn_within_its_timeout(fam, spot, background):
    gate = Gate()
    fam.add_monitor(spot, gate)
    running = background(fam.run)
    assert gate.entered.wait(DEADLINE)
    for timeout in (0, A_WHILE):
        began = time.monotonic()
        assert fam.handle_events(timeout) == 0
        assert timeout <= time.monotonic() - began < DEADLINE / 2
    assert len(gate.events) == 1
    gate.open.set()
    fam.stop()
    running()


def test_another_thread_gets_its_turn_as_soon_as_one_is_done(fam, spot, background):
    gate = Gate()
    fam.add_monitor(spot, gate)
    first = background(fam.handle_events)
    assert gate.entered.wait(DEADLINE)
    (spot / "new").mkdir()
    second = background(fam.handle_events, DEADLINE)
    gate.open.set()
    # Whichever of the two: it is delivered once.
    assert first() >= 2
    (spot / "newer").mkdir()
    assert first() + second() + fam.handle_events() == 4
    assert say(gate.events)[-2:] == [("created", "new"), ("created", "newer")]


def test_no_two_handlers_run_at_once(fam, spot, background, hasty):
    inside = []
    most = []
    number = itertools.count()

    def handle(event):
        inside.append(event)
        most.append(len(inside))
        next(number)
        inside.remove(event)

    fill(spot, 2_000)
    fam.add_monitor(spot, handle)
    fam.add_monitor(spot, handle)
    counts = [background(fam.handle_events, 1) for _ in range(4)]
    assert sum(count() for count in counts) == 4_004
    assert max(most) == 1
    assert len(most) == 4_004


def test_one_event_is_handled_when_no_other_thread_delivers(make_fam, spot, background):
    """`handle_one_event` is a delivery too, and does not get into another thread's batch."""
    calls = []

    class Consumer:
        @famcore.hookimpl
        def fam_events(self, events):
            calls.append(say(events))

    gate = Gate()
    fam = make_fam(consumers=[Consumer()])
    (spot / "a").touch()
    fam.add_monitor(spot, gate)
    delivering = background(fam.handle_events)
    assert gate.entered.wait(DEADLINE)
    taken = fam.get_event()
    handling = background(fam.handle_one_event, taken)
    time.sleep(A_WHILE)
    assert len(gate.events) == 1
    assert calls == []
    gate.open.set()
    assert delivering() == 2
    handling()
    assert calls == [
        [("exists", str(spot)), ("endExist", str(spot))],
        [("exists", "a")],
    ]


def test_one_event_that_waits_for_its_turn_is_dropped_by_shutdown(fam, spot, background):
    gate = Gate()
    (spot / "a").touch()
    fam.add_monitor(spot, gate)
    delivering = background(fam.handle_events)
    assert gate.entered.wait(DEADLINE)
    handling = background(fam.handle_one_event, fam.get_event())
    time.sleep(SOON)
    fam.shutdown()
    gate.open.set()
    delivering()
    handling()
    assert len(gate.events) == 1


# No lock


@pytest.mark.parametrize("kind", ["handler", "consumer"])
def test_others_may_do_all_but_deliver_while_one_is_busy(kind, make_fam, spot, background):
    gate = Gate()
    fam = make_fam(consumers=[gate] if kind == "consumer" else [])
    first = fam.add_monitor(spot, gate if kind == "handler" else None)
    running = background(fam.run)
    assert gate.entered.wait(DEADLINE)

    class Another:
        @famcore.hookimpl
        def fam_started(self): ...

    def use():
        another = Another()
        second = fam.add_monitor(spot)
        fam.AddMonitor(str(spot), None)
        (spot / "new").mkdir()
        assert fam.pending()
        assert fam.events
        assert fam.get_event()
        assert len(fam.handles) == 3
        assert len(fam.list_event_handlers()) == 3
        assert fam.coverage()
        assert fam.fileno() >= 0
        assert fam.started
        fam.start()
        fam.register(another)
        fam.unregister(another)
        fam.remove_monitor(second)
        fam.remove_monitor(first)
        fam.stop()
        fam.shutdown()

    background(use)()
    assert len(gate.events) == 1
    gate.open.set()
    running()


@pytest.mark.parametrize(
    "hook", ["fam_started", "fam_monitor_added", "fam_monitor_removed", "fam_error", "fam_stopped"]
)
def test_others_may_do_everything_while_a_consumer_is_told(hook, make_fam, spot, background):
    entered, leave = threading.Event(), threading.Event()

    @famcore.hookimpl(specname=hook)
    def hold(self):
        entered.set()
        assert leave.wait(DEADLINE)

    def fail(event):
        raise ValueError

    def live():
        number = fam.add_monitor(spot, fail)
        fam.handle_events()
        fam.remove_monitor(number)
        fam.shutdown()

    fam = make_fam(consumers=[type("Slow", (), {"hold": hold})()])
    lived = background(live)
    assert entered.wait(DEADLINE)

    def use():
        if hook != "fam_stopped":
            # In a thread of its own: setting a monitor calls the hook too.
            background(fam.add_monitor, spot)
            fam.fileno()
        while hook != "fam_stopped" and len(fam.handles) < 1:
            time.sleep(0.001)
        fam.pending()
        fam.coverage()
        fam.list_event_handlers()
        fam.handle_events(0)
        fam.stop()
        fam.shutdown()

    background(use)()
    leave.set()
    lived()


def test_others_may_set_monitors_while_a_consumer_ponders_what_to_ignore(
    make_fam, spot, background
):
    entered, leave = threading.Event(), threading.Event()

    class Ponderous:
        @famcore.hookimpl
        def fam_ignore(self, path):
            if path.endswith("hard"):
                entered.set()
                assert leave.wait(DEADLINE)

    fam = make_fam(consumers=[Ponderous()])
    told = []
    first = fam.add_monitor(spot)
    running = background(fam.run)
    (spot / "hard").mkdir()
    assert entered.wait(DEADLINE)

    def use():
        other = spot.parent / "other"
        other.mkdir()
        fam.add_monitor(other, told.append)
        fam.remove_monitor(first)
        assert len(fam.handles) == len(fam.list_event_handlers()) == 1
        assert fam.events == []
        gate = Gate()
        fam.register(gate)
        fam.unregister(gate)

    background(use)()
    leave.set()
    while len(told) < 2:
        fam.handle_events(A_WHILE)
    fam.stop()
    running()
    assert [event.action for event in told] == ["exists", "endExist"]


# What handlers do


def test_a_handler_may_add_monitors(fam, spot):
    told = []

    def handle(event):
        told.append(event)
        if event.is_directory and event.filename != str(spot):
            fam.add_monitor(event.path, told.append)

    (spot / "a").mkdir()
    (spot / "a" / "b").touch()
    fam.add_monitor(spot, handle)
    assert fam.handle_events() == 6
    assert say(told) == [
        ("exists", str(spot)),
        ("exists", "a"),
        ("endExist", str(spot)),
        ("exists", str(spot / "a")),
        ("exists", "b"),
        ("endExist", str(spot / "a")),
    ]


@pytest.mark.parametrize("whose", ["own", "other"])
def test_a_handler_may_remove_monitors_whose_events_are_queued(whose, make_fam, spot):
    seen = []

    class Consumer:
        @famcore.hookimpl
        def fam_events(self, events):
            seen.extend(say(events))

    fam = make_fam(consumers=[Consumer()])
    fill(spot, 10)
    told = []

    def handle(event):
        told.append(event)
        fam.remove_monitor(mine if whose == "own" else other)

    mine = fam.add_monitor(spot, handle)
    others = []
    other = fam.add_monitor(spot, others.append)
    if whose == "other":
        # The first event of the one removes the other, the second one would fail to.
        handle = told.append
    fam.handle_events()
    if whose == "own":
        assert len(told) == 1
        assert len(others) == 12
        # Delivered was one, before the removal; a delivery to the consumer had not begun.
        assert len(seen) == 12
    else:
        assert others == []
        assert len(seen) == 12
    assert fam.handle_events() == 0
    assert not fam.pending()


def test_a_consumer_may_remove_monitors_and_the_next_one_is_told_no_more(make_fam, spot):
    told = []

    class First:
        @famcore.hookimpl(tryfirst=True)
        def fam_events(self, events):
            if number in fam.handles:
                fam.remove_monitor(number)

    class Second:
        @famcore.hookimpl
        def fam_events(self, events):
            told.extend(say(events))

    fam = make_fam(consumers=[Second(), First()])
    number = fam.add_monitor(spot)
    other = spot.parent / "other"
    other.mkdir()
    fam.add_monitor(other)
    fam.handle_events()
    assert told == [("exists", str(other)), ("endExist", str(other))]


def test_what_another_thread_removed_is_not_delivered(make_fam, spot, background):
    """Not the rest of the batch either, to handlers or consumers."""
    seen = []

    class Consumer:
        @famcore.hookimpl
        def fam_events(self, events):
            seen.extend(event.request_id for event in events)

    fam = make_fam(consumers=[Consumer()])
    fill(spot, 10)
    gate, told = Gate(), []
    first = fam.add_monitor(spot, gate)
    second = fam.add_monitor(spot, told.append)
    third = fam.add_monitor(spot)
    handled = background(fam.handle_events)
    assert gate.entered.wait(DEADLINE)
    for number in (first, second):
        fam.remove_monitor(number)
    gate.open.set()
    # The one whose delivery had begun may count.
    assert handled() in (12, 13)
    assert len(gate.events) == 1
    assert told == []
    assert seen == [third] * 12


def test_from_within_a_handler_it_goes_on_with_the_same_queue(make_fam, spot):
    """Nested at every event: the order stays, and nothing comes twice."""
    begun, seen, counts = [], [], []

    class Consumer:
        @famcore.hookimpl
        def fam_events(self, events):
            seen.extend(say(events))

    def handle(event):
        begun.append(event)
        if len(begun) % 100 == 0:
            counts.append(fam.handle_events(0))

    fam = make_fam(consumers=[Consumer()])
    fill(spot, 2_500)
    fam.add_monitor(spot, handle)
    counts.append(fam.handle_events())
    names = [event.filename for event in begun]
    assert names[0] == names[-1] == str(spot)
    assert sorted(names[1:-1]) == sorted(os.listdir(spot))
    assert seen == say(begun)
    assert sum(counts) == 2_502


def test_from_within_a_consumer_it_goes_on_with_the_same_queue(make_fam, spot):
    orders = {"First": [], "Second": []}

    class First:
        @famcore.hookimpl
        def fam_events(self, events):
            orders[type(self).__name__].extend(say(events))
            fam.handle_events(0)

    class Second(First):
        pass

    fam = make_fam(consumers=[Second(), First()])
    fill(spot, 3_000)
    told = []
    fam.add_monitor(spot, told.append)
    fam.handle_events()
    assert len(told) == 3_002
    assert orders == {"First": say(told), "Second": say(told)}


def test_a_handler_may_wait_for_more(fam, spot, background):
    told = []

    def handle(event):
        told.append(event)
        if event.action == "endExist":
            made = background((spot / "new").mkdir)
            assert fam.handle_events(DEADLINE) == 1
            made()

    fam.add_monitor(spot, handle)
    assert fam.handle_events() == 2
    assert say(told)[-1] == ("created", "new")


def test_a_handler_may_ask_what_is_pending_and_take_it(fam, spot):
    told, taken = [], []

    def handle(event):
        told.append(event)
        while fam.pending():
            taken.append(fam.get_event())

    fill(spot, 1_500)
    fam.add_monitor(spot, handle)
    assert fam.handle_events() == 1
    assert len(taken) == 1_501


def test_others_may_ask_what_is_pending_when_the_last_handler_is_busy(fam, spot, background):
    gate = Gate()
    fam.add_monitor(spot, gate)
    fam.get_event()
    handled = background(fam.handle_events)
    assert gate.entered.wait(DEADLINE)
    assert background(fam.pending)() is False
    gate.open.set()
    assert handled() == 1


def test_a_handler_may_stop_and_the_rest_stays(fam, spot):
    handled = []

    def handle(event):
        handled.append(event)
        fam.stop()

    fill(spot, 3_000)
    fam.add_monitor(spot, handle)
    fam.run()
    first = len(handled)
    assert 1 <= first < 3_002
    while fam.pending():
        fam.run()
    assert len(handled) == 3_002


def test_a_handler_may_run_the_loop_itself(fam, spot, background, until):
    told = []

    def handle(event):
        told.append(event)
        if event.action == "endExist":
            fam.run()

    fam.add_monitor(spot, handle)
    running = background(fam.handle_events)
    until(lambda: len(told) == 2)
    (spot / "new").mkdir()
    until(lambda: len(told) == 3)
    fam.stop()
    assert running() == 2


def test_a_handler_may_do_all_that_at_every_event(make_fam, spot, pump):
    """It sets and removes monitors, its own too, and fails: others are told everything."""
    failed = []

    class Consumer:
        @famcore.hookimpl
        def fam_error(self, plugin_name, error):
            failed.append(error)

    fam = make_fam(consumers=[Consumer()])
    fill(spot, 100)
    fold, own, numbers = Fold(), [], iter(range(10**6))

    def handle(event):
        own.append(event)
        if own[0].request_id != event.request_id:
            return
        number = next(numbers)
        other = fam.add_monitor(spot, own.append)
        if number % 3:
            fam.remove_monitor(other)
        if number == 50:
            fam.stop()
            fam.remove_monitor(event.request_id)
        if number % 2:
            raise RuntimeError(f"at {number}")

    fam.add_monitor(spot, handle)
    fam.add_monitor(spot, fold)
    pump(fam, lambda: fold.ended)
    fam.handle_event_set()
    (spot / "new").touch()
    pump(fam, lambda: fold.names == {str(spot), *os.listdir(spot)})
    assert not fold.twice
    assert next(numbers) == 51
    assert len(failed) == 25
    # Each that was set and stayed has been told all of it once.
    assert len(fam.handles) == 1 + 17
    assert sum(event.action == "endExist" for event in own) == 17


# All at once


def test_threads_add_and_remove_monitors_while_one_runs(fam, spot, background, until, hasty):
    """No deadlock, no error, and the fold of each monitor that stays is true at the end."""
    folders = [spot / str(number) for number in range(8)]
    for folder in folders:
        folder.mkdir()
    kept = []
    writing = threading.Event()

    def write():
        for number in itertools.count():
            folder = folders[number % len(folders)]
            (folder / f"file {number}").touch()
            if number % 3 == 0:
                (folder / f"file {number}").rename(folder / f"{number} renamed")
            elif number % 3 == 1:
                (folder / f"file {number}").unlink()
            if writing.is_set() or number > 50_000:
                break

    def add_and_remove(seed):
        for turn in range(60):
            fold = Fold()
            folder = folders[(seed + turn) % len(folders)]
            number = fam.add_monitor(folder, fold)
            fam.pending()
            if turn % 4:
                fam.remove_monitor(number)
            else:
                kept.append((folder, fold))

    running = background(fam.run)
    written = background(write)
    for done in [background(add_and_remove, seed) for seed in range(4)]:
        done()
    writing.set()
    written()

    def is_true():
        return all(fold.names == {str(folder), *os.listdir(folder)} for folder, fold in list(kept))

    until(is_true)
    fam.stop()
    running()
    fam.handle_event_set()
    assert len(kept) == 60
    assert is_true()
    assert all(fold.ended and not fold.twice for _, fold in kept)


@pytest.mark.parametrize("turn", range(10))
def test_each_event_goes_one_way_though_threads_take_and_deliver_at_once(
    turn, make_fam, spot, background, hasty
):
    """Delivered or taken by `get_event`: each once, none lost."""
    handled, taken, seen = [], [], []

    class Consumer:
        @famcore.hookimpl
        def fam_events(self, events):
            seen.extend(event.filename for event in events)

    fam = make_fam(consumers=[Consumer()])
    fill(spot, 2_000)
    fam.add_monitor(spot, lambda event: handled.append(event.filename))

    def take():
        while True:
            try:
                taken.append(fam.get_event().filename)
            except IndexError:
                if not fam.pending():
                    return

    def deliver():
        while fam.handle_events(0.1) or fam.pending():
            pass

    for done in [background(take), background(take), background(deliver), background(deliver)]:
        done()
    assert sorted(handled + taken) == sorted([*os.listdir(spot), str(spot), str(spot)])
    assert seen == handled


def test_two_threads_that_start_it_at_once_start_it_once(make_fam, spot, background, hasty):
    for _ in range(30):
        calls = []

        class Consumer:
            def __init__(self, calls):
                self.calls = calls

            @famcore.hookimpl
            def fam_started(self):
                self.calls.append("started")

            @famcore.hookimpl
            def fam_events(self, events):
                self.calls.append("events")

        fam = make_fam(consumers=[Consumer(calls)])
        fam.add_monitor(spot)
        for done in [background(fam.handle_events) for _ in range(3)]:
            done()
        fam.handle_events()
        fam.shutdown()
        assert calls == ["started", "events"]


def test_one_thread_runs_and_others_take_what_it_puts_in_a_queue(fam, spot, background):
    count, workers = 10_000, 4
    jobs = queue.Queue(maxsize=100)
    done = [[] for _ in range(workers)]
    fam.add_monitor(spot, lambda event: jobs.put(event) if event.filename != str(spot) else None)

    def work(mine):
        while (event := jobs.get()) is not None:
            mine.append((event.filename, event.action))
            if sum(map(len, done)) == count:
                fam.stop()

    # What is there is told first: of a file that comes meanwhile `changed` might be, too.
    fam.handle_events()
    working = [background(work, mine) for mine in done]
    running = background(fam.run)
    fill(spot, count)
    running()
    for _ in range(workers):
        jobs.put(None)
    for wait in working:
        wait()
    told = [each for mine in done for each in mine]
    assert sorted(name for name, _ in told) == sorted(os.listdir(spot))
    assert {action for _, action in told} == {"created"}
