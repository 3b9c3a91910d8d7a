"""The loop: when it starts, what it waits for and how it ends, on real files."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import ClassVar

import pytest

import famcore
from famcore.backend import Backend, BackendLost, Capability, Change, Interest, Kind
from famcore.catalog import find_backend

DEADLINE = 60.0
#: Seconds after which something surely waits, or would have come.
A_WHILE = 0.2
#: Seconds after which another thread most likely waits. What is expected does not depend on it.
SOON = 0.02


class Heard(Backend):
    """Watches nothing; says of each watch what the test has put into `to_say`."""

    name = "heard"
    api = 1
    priority = 50
    capabilities = Capability.LIVE | Capability.CONTENTS | Capability.EXACT
    interval = 0.02

    to_say: ClassVar[list[tuple[Kind, str]]] = []
    keys = itertools.count(1)

    @classmethod
    def check(cls):
        pass

    def __init__(self):
        self.paths = {}

    def watch(self, path, interest=Interest.ALL):
        os.lstat(path)
        self.paths[path] = self.paths.get(path) or next(self.keys)
        return self.paths[path]

    def unwatch(self, key):
        pass

    def fileno(self):
        return None

    def read(self):
        said, self.to_say[:] = list(self.to_say), []
        return [
            Change(kind, self.paths[os.path.dirname(path)], os.path.basename(path))
            for kind, path in said
        ]

    def close(self):
        pass


@pytest.fixture
def heard():
    """`Heard` with nothing to say."""
    Heard.to_say.clear()
    return Heard


@pytest.fixture
def alarm():
    """Have a real signal call a function after some seconds."""
    before = signal.getsignal(signal.SIGALRM)

    def ring(function, seconds):
        signal.signal(signal.SIGALRM, lambda number, frame: function())
        signal.setitimer(signal.ITIMER_REAL, seconds)

    yield ring
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def say(events):
    return [(str(event.action), event.filename) for event in events]


def descriptors():
    return set(os.listdir("/dev/fd"))


def fill(spot, number):
    for each in range(number):
        (spot / f"{each:05}").touch()


# Starting


def test_nothing_is_opened_before_it_starts(fam, spot):
    before = len(descriptors())
    fam.add_monitor(spot)
    assert len(descriptors()) == before
    assert not fam.started
    fam.start()
    assert fam.started
    assert len(descriptors()) > before


def test_the_child_of_a_server_that_forked_starts_and_is_told(script, spot):
    source = """if True:
        import os, sys, famcore
        spot = sys.argv[1]
        told = []
        fam = famcore.FileMonitor()
        fam.add_monitor(spot, told.append)
        before = len(os.listdir("/dev/fd"))
        child = os.fork()
        if not child:
            assert len(os.listdir("/dev/fd")) == before
            fam.start()
            open(os.path.join(spot, "new"), "w").close()
            while not any(event.filename == "new" for event in told):
                fam.handle_events(1)
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert not fam.started and len(os.listdir("/dev/fd")) == before
        fam.start()
        fam.handle_events(0)
        print(*[event.action for event in told])
    """
    assert script(source, spot) == ["exists exists endExist"]


def test_parent_and_child_that_forked_do_not_disturb_each_other(script, spot):
    """Both started afterwards, both at once; the child ends first, all of a sudden."""
    source = """if True:
        import os, sys, famcore
        spot = sys.argv[1]
        told = []
        fam = famcore.FileMonitor()
        fam.add_monitor(spot, told.append)
        started, go_on = os.pipe(), os.pipe()
        child = os.fork()
        fam.start()
        fam.handle_event_set()

        def wait_for(name):
            while not any(event.filename == name for event in told):
                fam.handle_events(1)

        if not child:
            os.write(started[1], b"x")
            wait_for("new")
            os.read(go_on[0], 1)
            os._exit(7)
        os.read(started[0], 1)
        os.mkdir(os.path.join(spot, "new"))
        wait_for("new")
        os.write(go_on[1], b"x")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        os.mkdir(os.path.join(spot, "later"))
        wait_for("later")
        print(*[event.action for event in told])
    """
    assert script(source, spot) == ["exists endExist created created"]


@pytest.mark.parametrize(
    "call",
    [
        lambda fam: fam.handle_events(),
        lambda fam: fam.handle_event_set(),
        lambda fam: fam.handle_events_in_interval(0.01),
        lambda fam: fam.pending(),
        lambda fam: fam.fileno(),
        lambda fam: fam.__enter__(),
    ],
)
def test_it_starts_by_itself(fam, call):
    call(fam)
    assert fam.started


def test_to_start_twice_is_to_start_once(fam):
    fam.start()
    before = descriptors(), fam.fileno()
    fam.start()
    assert (descriptors(), fam.fileno()) == before


def test_it_is_a_context_manager_that_starts_and_shuts_down(fam, spot):
    before = len(descriptors())
    with fam as given:
        assert given is fam
        assert fam.started
    assert not fam.started
    assert len(descriptors()) == before
    with pytest.raises(famcore.FamError), fam:
        pass


def test_it_shuts_down_when_its_block_fails(fam):
    with pytest.raises(ZeroDivisionError), fam:
        1 / 0  # noqa: B018
    assert not fam.started


# handle_events


def test_without_time_it_delivers_what_is_there_and_counts_it(fam, spot):
    told = []
    (spot / "a").touch()
    fam.add_monitor(spot, told.append)
    assert fam.handle_events() == len(told) == 3
    assert fam.handle_events(0) == 0
    (spot / "b").touch()
    (spot / "a").unlink()
    told.clear()
    assert fam.handle_events(0) == len(told)
    assert say(told) == [("created", "b"), ("deleted", "a")]
    assert fam.handle_events(0.0) == 0


def test_it_waits_for_the_first_event_and_no_longer(fam, spot, background):
    fam.add_monitor(spot)
    fam.handle_events()
    waiting = threading.Event()

    def write():
        waiting.wait(DEADLINE)
        (spot / "new").mkdir()

    written = background(write)
    waiting.set()
    began = time.monotonic()
    assert fam.handle_events(DEADLINE) == 1
    assert time.monotonic() - began < DEADLINE / 2
    written()


def test_it_waits_no_longer_than_it_is_told(fam, spot):
    fam.add_monitor(spot)
    fam.handle_events()
    began = time.monotonic()
    assert fam.handle_events(A_WHILE) == 0
    assert A_WHILE <= time.monotonic() - began < DEADLINE


def test_what_is_ignored_does_not_end_the_wait(fam, spot, background):
    fam.add_monitor(spot)
    fam.handle_events()

    def write():
        (spot / "ignored~").mkdir()
        (spot / "new").mkdir()

    written = background(write)
    assert fam.handle_events(DEADLINE) == 1
    written()


def test_with_none_it_waits_until_there_is_something(fam, spot, background):
    fam.add_monitor(spot)
    fam.handle_events()
    handled = background(fam.handle_events, None)
    (spot / "new").mkdir()
    assert handled() == 1


@pytest.mark.parametrize("ending", ["stop", "shutdown"])
def test_a_wait_without_end_is_ended_by(ending, fam, spot, background):
    fam.add_monitor(spot)
    fam.handle_events()
    handled = background(fam.handle_events, None)
    time.sleep(SOON)
    getattr(fam, ending)()
    assert handled() == 0


def test_many_events_are_delivered_batch_by_batch(make_fam, spot):
    calls = []

    class Consumer:
        @famcore.hookimpl
        def fam_events(self, events):
            calls.append(list(events))

    fam = make_fam(consumers=[Consumer()])
    fill(spot, 3_500)
    fam.add_monitor(spot, calls.append)
    assert fam.handle_events() == 3_502
    batches = [call for call in calls if isinstance(call, list)]
    assert len(batches) > 2
    assert sum(map(len, batches)) == 3_502
    assert max(map(len, batches)) <= 2_000
    # Of each batch the handlers first.
    calls.reverse()
    for batch in batches:
        handled = [calls.pop() for _ in batch]
        assert say(handled) == say(batch)
        assert calls.pop() is batch


def test_what_exists_is_not_piled_up(fam, spot):
    fill(spot, 5_000)
    fam.add_monitor(spot)
    assert fam.pending()
    assert len(fam.events) <= 2_000
    assert fam.handle_events() == 5_002


def test_more_than_may_be_pending_is_replaced_by_a_repair(make_fam, heard, spot, pump):
    resynced = []

    class Consumer:
        @famcore.hookimpl
        def fam_resynced(self, reason, count):
            resynced.append(count)

    fam = make_fam(backend=heard, max_pending=100, consumers=[Consumer()])
    told = []
    fam.add_monitor(spot, told.append)
    fam.handle_event_set()
    told.clear()
    fill(spot, 1_000)
    # One that is not there, and one that is there is missing: told is what is on disk.
    heard.to_say.extend((Kind.CREATED, str(spot / f"{each:05}")) for each in range(1_001))
    (spot / "unheard").touch()
    pump(fam, lambda: resynced)
    fam.handle_event_set()
    assert sorted(say(told)) == sorted(("created", name) for name in os.listdir(spot))
    assert resynced == [1_001]


def test_a_polled_backend_is_read_at_its_interval(make_fam, heard, spot, is_readable):
    fam = make_fam(backend=heard)
    told = []
    fam.add_monitor(spot, told.append)
    fam.handle_events()
    (spot / "new").touch()
    heard.to_say.append((Kind.CREATED, str(spot / "new")))
    assert fam.handle_events(DEADLINE) == 1
    heard.to_say.append((Kind.CHANGED, str(spot / "new")))
    while not fam.handle_events(0):
        assert is_readable(fam, DEADLINE)
    assert say(told)[-2:] == [("created", "new"), ("changed", "new")]


# fileno


def test_the_descriptor_is_one_and_the_same(make_fam, spot, pump):
    opened = []

    class Lost(Heard):
        lost = False

        def __init__(self):
            super().__init__()
            opened.append(self)

        def read(self):
            if opened[-1].lost:
                raise BackendLost("its server died")
            return []

    fam = make_fam(backend=Lost)
    seen = [fam.fileno()]
    fam.add_monitor(spot)
    seen.append(fam.fileno())
    fam.handle_events()
    seen.append(fam.fileno())
    opened[-1].lost = True
    pump(fam, lambda: len(opened) == 2)
    (spot / "new").touch()
    seen.append(fam.fileno())
    fam.handle_events()
    assert set(seen) == {seen[0]}


def test_the_descriptor_is_readable_when_a_monitor_was_added(fam, spot, is_readable):
    fam.add_monitor(spot)
    assert is_readable(fam)
    assert fam.handle_events() == 2
    assert not is_readable(fam)
    fam.add_monitor(spot)
    assert is_readable(fam)
    assert fam.handle_events() == 2
    assert not is_readable(fam)


def test_the_descriptor_is_readable_after_a_change(fam, spot, is_readable):
    fam.add_monitor(spot)
    while fam.handle_events():
        pass
    assert not is_readable(fam)
    (spot / "new").mkdir()
    assert is_readable(fam, DEADLINE)
    assert fam.handle_events() == 1
    assert fam.handle_events() == 0
    assert not is_readable(fam)


def test_the_descriptor_is_readable_while_get_event_has_left_some(fam, spot, is_readable):
    fam.add_monitor(spot)
    fam.get_event()
    assert is_readable(fam)
    fam.get_event()
    assert fam.handle_events() == 0
    assert not is_readable(fam)
    for name in "abc":
        (spot / name).mkdir()
    for left in (2, 1, 0):
        assert is_readable(fam)
        fam.get_event()
        assert len(fam.events) == left
    assert fam.handle_events() == 0
    assert not is_readable(fam)


def test_the_descriptor_stays_readable_when_pending_has_read(fam, spot, is_readable):
    fam.add_monitor(spot)
    fam.handle_events()
    (spot / "new").mkdir()
    assert fam.pending()
    assert is_readable(fam)
    assert fam.handle_events() == 1
    assert not is_readable(fam)


def test_the_descriptor_is_readable_after_an_interrupted_handler(fam, spot, is_readable):
    def interrupt(event):
        raise KeyboardInterrupt

    fam.add_monitor(spot, interrupt)
    with pytest.raises(KeyboardInterrupt):
        fam.handle_events()
    assert is_readable(fam)
    with pytest.raises(KeyboardInterrupt):
        fam.handle_events()
    assert fam.handle_events() == 0
    assert not is_readable(fam)


def test_the_descriptor_is_readable_after_a_handler_that_stopped_the_delivery(
    fam, spot, is_readable
):
    fill(spot, 3_000)
    handled = []

    def stop(event):
        handled.append(event)
        fam.stop()

    number = fam.add_monitor(spot, stop)
    fam.run()
    assert 0 < len(handled) < 3_002
    assert is_readable(fam)
    fam.remove_monitor(number)
    assert fam.handle_events() == 0
    assert not is_readable(fam)


def test_the_descriptor_is_readable_for_what_a_handler_added(fam, spot, is_readable):
    def add(event):
        fam.add_monitor(spot)
        fam.stop()

    fam.add_monitor(spot / "missing", add)
    fam.run()
    assert is_readable(fam)
    assert fam.handle_events() == 2
    assert not is_readable(fam)


def test_the_descriptor_is_not_readable_when_all_that_changed_is_ignored(fam, spot, is_readable):
    fam.add_monitor(spot)
    fam.handle_events()
    (spot / "file~").touch()
    (spot / ".svn").mkdir()
    assert fam.handle_events() == 0
    assert not is_readable(fam)


def test_the_descriptor_is_not_readable_after_a_stop_that_was_seen(fam, spot, is_readable):
    fam.add_monitor(spot)
    fam.handle_events()
    fam.stop()
    assert fam.handle_events() == 0
    assert not is_readable(fam)


def test_the_descriptor_is_not_left_readable_by_stops_of_another_thread(
    fam, spot, is_readable, background
):
    fam.add_monitor(spot)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        stopped = background(lambda: [fam.stop() for _ in range(5_000)])
        for _ in range(2_000):
            fam.handle_events(0)
        stopped()
    finally:
        sys.setswitchinterval(interval)
    while fam.handle_events(0):
        pass
    assert not is_readable(fam)


def test_the_descriptor_is_readable_whenever_something_would_be_delivered(
    make_fam, spot, is_readable
):
    """At random: whatever is called, an unreadable descriptor means that nothing is there."""
    fam = make_fam()
    chance = random.Random(2)
    numbers = itertools.count()
    monitors = []
    actions = {
        "add": lambda: monitors.append(fam.add_monitor(spot)),
        "remove": lambda: monitors and fam.remove_monitor(monitors.pop()),
        "write": lambda: (spot / f"file {next(numbers)}").touch(),
        "ignored": lambda: (spot / f"{next(numbers)}~").touch(),
        "pending": fam.pending,
        "get_event": lambda: fam.pending() and fam.get_event(),
        "stop": fam.stop,
        "coverage": fam.coverage,
    }
    for _ in range(500):
        done = chance.choices(list(actions), k=chance.randint(1, 4))
        for name in done:
            actions[name]()
        readable = is_readable(fam)
        there = fam.handle_events(0)
        assert readable or not there, done
        while there:
            there = fam.handle_events(0)
        assert not is_readable(fam), done


# pending, get_event, events


def test_something_is_pending_exactly_when_get_event_gives_it(fam, spot):
    def get():
        try:
            return say([fam.get_event()])[0]
        except IndexError:
            return None

    def matches():
        pending = fam.pending()
        event = get()
        assert pending is (event is not None)
        return event

    assert matches() is None
    number = fam.add_monitor(spot)
    assert matches() == ("exists", str(spot))
    assert matches() == ("endExist", str(spot))
    assert matches() is None
    (spot / "a~").mkdir()
    assert matches() is None
    (spot / "b").mkdir()
    (spot / "c").mkdir()
    assert matches() == ("created", "b")
    fam.remove_monitor(number)
    assert matches() is None
    fam.add_monitor(spot)
    fam.shutdown()
    assert matches() is None


def test_pending_does_not_wait(fam, spot):
    fam.add_monitor(spot)
    fam.handle_events()
    began = time.monotonic()
    assert fam.pending() is False
    assert time.monotonic() - began < DEADLINE / 2


def test_without_an_event_get_event_raises(fam):
    with pytest.raises(IndexError):
        fam.get_event()


def test_an_event_that_was_taken_is_not_delivered(fam, spot):
    told = []
    (spot / "a").touch()
    fam.add_monitor(spot, told.append)
    taken = [fam.get_event()]
    assert fam.handle_events() == 2
    assert say(taken + told) == [
        ("exists", str(spot)),
        ("exists", "a"),
        ("endExist", str(spot)),
    ]


def test_events_are_a_copy_of_what_is_undelivered(fam, spot):
    assert fam.events == []
    number = fam.add_monitor(spot)
    fam.pending()
    events = fam.events
    assert say(events) == [("exists", str(spot)), ("endExist", str(spot))]
    events.clear()
    assert len(fam.events) == 2
    fam.get_event()
    assert say(fam.events) == [("endExist", str(spot))]
    fam.remove_monitor(number)
    assert fam.events == []


# run and stop


def test_run_delivers_until_a_handler_stops_it(fam, spot):
    told = []

    def handle(event):
        told.append(event)
        if event.filename == "last":
            fam.stop()
        elif event.action == "endExist":
            (spot / "first").mkdir()
        else:
            (spot / "last").mkdir(exist_ok=True)

    fam.add_monitor(spot, handle)
    fam.run()
    assert ("created", "last") in say(told)


def test_run_delivers_until_another_thread_stops_it(fam, spot, background, until):
    told = []
    fam.add_monitor(spot, told.append)
    running = background(fam.run)
    until(lambda: len(told) == 2)
    (spot / "new").mkdir()
    until(lambda: len(told) == 3)
    fam.stop()
    running()
    (spot / "later").mkdir()
    assert fam.handle_events() == 1


def test_run_delivers_until_a_signal_handler_stops_it(fam, spot, alarm):
    def handle(event):
        if event.action == "endExist":
            alarm(end, SOON)

    def end():
        ended.append(True)
        fam.stop()

    ended = []
    fam.add_monitor(spot, handle)
    fam.run()
    assert ended


def test_no_stop_of_a_signal_handler_is_lost_whenever_it_comes(fam, spot, alarm):
    fam.add_monitor(spot)
    chance = random.Random(1)
    for number in range(300):
        (spot / str(number)).touch()
        alarm(fam.stop, chance.uniform(1e-5, 2e-3))
        fam.run()


LATE = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/epoll.h>
#include <time.h>

/* Waits some time before it waits, as on a busy machine. */
int epoll_wait(int epoll, struct epoll_event *events, int number, int timeout)
{
    int (*wait)(int, struct epoll_event *, int, int) = dlsym(RTLD_NEXT, "epoll_wait");
    struct timespec began, now;
    clock_gettime(CLOCK_MONOTONIC, &began);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while (timeout
           && (now.tv_sec - began.tv_sec) * 1e9 + (now.tv_nsec - began.tv_nsec) < 4e7);
    return wait(epoll, events, number, timeout);
}
"""


@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="needs Linux and a C compiler"
)
def test_a_signal_that_comes_just_before_the_wait_ends_it(script, spot, tmp_path, monkeypatch):
    """Python calls the handler once the system call has returned, so that has to."""
    source, library = tmp_path / "late.c", tmp_path / "late.so"
    source.write_text(LATE)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    source = """if True:
        import signal, sys, famcore
        fam = famcore.FileMonitor()
        fam.add_monitor(sys.argv[1])
        fam.handle_events()
        for handler in (lambda number, frame: fam.stop(), signal.default_int_handler):
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            try:
                fam.run()
                print("stopped")
            except KeyboardInterrupt:
                print("interrupted")
        assert signal.set_wakeup_fd(-1) == -1
    """
    assert script(source, spot) == ["stopped", "interrupted"]


def test_signals_leave_nothing_to_be_read_where_another_is_woken_by_them(script, spot):
    """A descriptor that stays readable has somebody's loop go round and round."""
    source = """if True:
        import os, select, signal, subprocess, sys, time, famcore
        fam = famcore.FileMonitor()
        fam.add_monitor(sys.argv[1])
        fam.handle_events()
        reader, writer = os.pipe()
        for descriptor in (reader, writer):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGUSR1, lambda *_: None)
        storm = f"import os\\nwhile True: os.kill({os.getpid()}, {signal.SIGUSR1:d})"
        with subprocess.Popen([sys.executable, "-c", storm]) as child:
            end = time.monotonic() + 3
            while time.monotonic() < end:
                fam.handle_events(0.00001)
                try:
                    os.read(reader, 65536)
                except BlockingIOError:
                    pass
            child.kill()
        fam.handle_events()
        print(select.select([fam.fileno()], [], [], 0)[0])
    """
    assert script(source, spot) == ["[]"]


#: A program that is about to wait, with a descriptor of its own to which signals are written; once
#: the core's is set instead, `amid` happens.
AMID = """if True:
    import os, signal, sys, time, famcore
    fam = famcore.FileMonitor()
    fam.add_monitor(sys.argv[1])
    fam.handle_events()
    reader, writer = os.pipe()
    for descriptor in (reader, writer):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    set_wakeup_fd, amid = signal.set_wakeup_fd, {amid}

    def set_it(descriptor, **options):
        global amid
        before = set_wakeup_fd(descriptor, **options)
        if descriptor != writer and amid:
            does, amid = amid, None
            does()
        return before

    signal.set_wakeup_fd = set_it
    began = time.monotonic()
    fam.handle_events(10)
    {then}
"""


def test_a_signal_that_comes_amid_is_written_to_whom_it_belongs(script, spot):
    """Who polls that descriptor, and looks for signals when it is readable, would sleep over it."""
    amid = "lambda: os.kill(os.getpid(), signal.SIGUSR1)"
    handler = "signal.signal(signal.SIGUSR1, lambda *_: fam.stop())"
    source = AMID.format(
        amid=f"{amid}; {handler}", then="print([*os.read(reader, 100)] == [signal.SIGUSR1])"
    )
    assert script(source, spot) == ["True"]


def test_a_stop_that_comes_amid_is_not_lost(script, spot):
    source = AMID.format(amid="fam.stop", then="print(time.monotonic() - began < 5)")
    assert script(source, spot) == ["True"]


def test_no_stop_of_another_thread_is_lost_whenever_it_comes(fam, spot, background):
    fam.add_monitor(spot)
    for number in range(300):
        (spot / str(number)).touch()
        running = background(fam.run)
        fam.stop()
        running()


def test_no_stop_is_lost_though_the_one_who_asks_handles_events(fam, spot, background):
    fam.add_monitor(spot)
    for _ in range(100):
        running = background(fam.run)
        time.sleep(0.001)
        fam.stop()
        fam.handle_events(0)
        running()


def test_a_stop_ends_all_that_is_under_way(fam, spot, alarm):
    fam.add_monitor(spot)
    batches = []
    for batch in fam.batches():
        batches.append(batch)
        alarm(fam.stop, SOON)
        fam.run()
    assert len(batches) == 1


def test_a_stop_that_came_before_ends_the_next_run_and_no_other(fam, spot, alarm):
    fam.add_monitor(spot)
    fam.stop()
    fam.stop()
    fam.run()
    stopped = []
    alarm(lambda: stopped.append(fam.stop()), SOON)
    fam.run()
    assert stopped


def test_what_another_thread_asks_for_does_not_swallow_a_stop(fam, spot, background):
    """`stop` was meant for `run`, and `handle_events` of a thread that had no turn is no end."""
    entered, leave = threading.Event(), threading.Event()

    def hold(event):
        entered.set()
        leave.wait(DEADLINE)

    fam.add_monitor(spot, hold)
    running = background(fam.run)
    assert entered.wait(DEADLINE)
    fam.stop()
    assert fam.handle_events(0) == 0
    leave.set()
    running()


def test_an_interrupt_ends_the_wait_and_nothing_is_lost(fam, spot, alarm):
    def interrupt():
        raise KeyboardInterrupt

    told = []
    fam.add_monitor(spot, told.append)
    fam.handle_events()
    alarm(interrupt, SOON)
    with pytest.raises(KeyboardInterrupt):
        fam.run()
    (spot / "new").mkdir()
    assert fam.handle_events(DEADLINE) == 1
    assert say(told)[-1] == ("created", "new")


def test_interrupts_at_any_moment_leave_it_in_order(fam, spot, alarm):
    """What they cut short may be missed, but neither turn nor lock stays taken."""

    def interrupt():
        raise KeyboardInterrupt

    told = []
    fam.add_monitor(spot, told.append)
    fam.handle_event_set()
    chance = random.Random(3)
    interrupted = 0
    for number in range(500):
        (spot / f"file {number}").touch()
        try:
            alarm(interrupt, chance.uniform(1e-6, 3e-4))
            fam.handle_events(A_WHILE)
            fam.handle_events(A_WHILE)
        except KeyboardInterrupt:
            interrupted += 1
    alarm(lambda: None, 0)
    assert interrupted > 400
    fam.handle_event_set()
    (spot / "last").mkdir()
    assert fam.handle_events(DEADLINE)
    assert say(told)[-1] == ("created", "last")


# Iteration


def test_iteration_gives_each_event_after_its_delivery(make_fam, spot):
    delivered = []

    class Consumer:
        @famcore.hookimpl
        def fam_events(self, events):
            delivered.extend(events)

    fam = make_fam(consumers=[Consumer()])
    (spot / "a").touch()
    fam.add_monitor(spot, delivered.append)
    seen = []
    for event in fam:
        assert len(delivered) >= 2
        seen.append(event)
        if event.action == "endExist":
            fam.stop()
    assert say(seen) == [("exists", str(spot)), ("exists", "a"), ("endExist", str(spot))]
    assert say(delivered) == say(seen) * 2


def test_iteration_goes_on_with_what_comes(fam, spot, background):
    fam.add_monitor(spot)
    seen = []
    for event in fam:
        seen.append(event.filename)
        if event.action == "endExist":
            made = background((spot / "one").mkdir)
        elif event.filename == "one":
            (spot / "two").mkdir()
        elif event.filename == "two":
            break
    made()
    assert seen == [str(spot), str(spot), "one", "two"]


def test_what_a_handler_does_to_its_event_is_not_seen_by_iteration(fam, spot):
    def spoil(event):
        event.filename = "spoilt"

    fam.add_monitor(spot, spoil)
    assert say(next(iter(fam.batches()))) == [("exists", str(spot)), ("endExist", str(spot))]
    (spot / "new").mkdir()
    assert say([next(iter(fam))]) == [("created", "new")]


def test_batches_are_bounded_and_in_order(fam, spot):
    fill(spot, 2_500)
    fam.add_monitor(spot)
    batches = []
    for batch in fam.batches():
        batches.append(batch)
        if batch[-1].action == "endExist":
            fam.stop()
    assert len(batches) > 1
    assert max(map(len, batches)) <= 2_000
    names = [event.filename for batch in batches for event in batch]
    assert sorted(names[1:-1]) == sorted(os.listdir(spot))
    assert names[0] == names[-1] == str(spot)


@pytest.mark.parametrize("ending", ["stop", "shutdown"])
def test_iteration_that_waits_is_ended_by_another_threads(ending, fam, spot, background, until):
    fam.add_monitor(spot)
    seen = []
    iterating = background(lambda: [seen.append(event) for event in fam])
    until(lambda: len(seen) == 2)
    time.sleep(SOON)
    getattr(fam, ending)()
    iterating()


@pytest.mark.parametrize("ending", ["stop", "shutdown"])
def test_iteration_over_batches_is_ended_in_its_block_by(ending, fam, spot):
    fam.add_monitor(spot)
    for batch in fam.batches():
        assert len(batch) == 2
        getattr(fam, ending)()


def in_asyncio(function):
    """Run a coroutine function to its end, by a deadline."""
    asyncio.run(asyncio.wait_for(function(), DEADLINE))


def test_async_iteration_lets_others_run_while_it_waits(fam, spot):
    seen = []
    fam.add_monitor(spot, seen.append)

    async def write(ended):
        await ended.wait()
        (spot / "new").mkdir()

    async def main():
        ended = asyncio.Event()
        task = asyncio.create_task(write(ended))
        async for event in fam:
            assert event.path in [each.path for each in seen]
            if event.action == "endExist":
                ended.set()
            if event.filename == "new":
                break
        await task

    in_asyncio(main)


def test_async_iteration_over_batches_can_be_gone_on_with(fam, spot):
    fill(spot, 2_500)
    fam.add_monitor(spot)
    sizes = []

    async def main():
        async for batch in fam.batches():
            sizes.append(len(batch))
            break
        async for batch in fam.batches():
            sizes.append(len(batch))
            if batch[-1].action == "endExist":
                fam.stop()

    in_asyncio(main)
    assert len(sizes) > 1
    assert sum(sizes) == 2_502


@pytest.mark.parametrize("ending", ["stop", "shutdown"])
def test_async_iteration_that_waits_is_ended_by_a_tasks(ending, fam, spot):
    fam.add_monitor(spot)
    seen = []

    async def end(ended):
        await ended.wait()
        await asyncio.sleep(SOON)
        getattr(fam, ending)()

    async def main():
        ended = asyncio.Event()
        task = asyncio.create_task(end(ended))
        async for event in fam:
            seen.append(event)
            if event.action == "endExist":
                ended.set()
        await task

    in_asyncio(main)
    assert len(seen) == 2


@pytest.mark.parametrize("ending", ["stop", "shutdown"])
def test_async_iteration_that_waits_is_ended_by_a_threads(ending, fam, spot):
    fam.add_monitor(spot)
    seen = []

    async def main():
        async for event in fam:
            seen.append(event)
            if len(seen) == 2:
                timer = asyncio.get_running_loop().run_in_executor(None, end)
        await timer

    def end():
        time.sleep(SOON)
        getattr(fam, ending)()

    in_asyncio(main)
    assert len(seen) == 2


def test_async_iteration_is_ended_by_a_stop_though_others_handle_events(fam, spot):
    fam.add_monitor(spot)

    async def main():
        async for event in fam:
            if event.action == "endExist":
                asyncio.get_running_loop().call_later(SOON, end)

    def end():
        fam.stop()
        fam.handle_events(0)
        fam.pending()

    in_asyncio(main)


def test_async_iteration_leaves_nothing_with_the_event_loop(fam, spot):
    fam.add_monitor(spot)

    async def iterate():
        async for _ in fam:
            pass

    async def main():
        descriptor = fam.fileno()
        asyncio.get_running_loop().call_later(SOON, fam.stop)
        await iterate()
        assert not asyncio.get_running_loop().remove_reader(descriptor)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(iterate(), SOON)
        assert not asyncio.get_running_loop().remove_reader(descriptor)

    in_asyncio(main)


def test_what_a_handler_does_to_its_event_is_not_seen_by_async_iteration(fam, spot):
    def spoil(event):
        event.filename = "spoilt"

    fam.add_monitor(spot, spoil)
    seen = []

    async def main():
        async for event in fam:
            seen.append(event.filename)
            if event.action == "endExist":
                fam.stop()

    in_asyncio(main)
    assert seen == [str(spot), str(spot)]


def test_async_iteration_may_be_cancelled_and_gone_on_with(fam, spot):
    fam.add_monitor(spot)
    seen = []

    async def iterate():
        async for event in fam:
            seen.append(event)
            if event.filename == "new":
                return

    async def main():
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(iterate(), SOON)
        (spot / "new").mkdir()
        await iterate()

    before = len(descriptors())
    in_asyncio(main)
    assert say(seen) == [("exists", str(spot)), ("endExist", str(spot)), ("created", "new")]
    fam.shutdown()
    assert len(descriptors()) == before


@pytest.mark.parametrize("ending", ["stop", "shutdown"])
def test_async_iteration_is_ended_by_a_handlers(ending, fam, spot):
    fam.add_monitor(spot, lambda event: getattr(fam, ending)())

    async def main():
        async for _ in fam:
            pass

    in_asyncio(main)


@pytest.mark.parametrize("way", ["run", "iteration", "async iteration"])
def test_a_stop_is_heeded_though_nothing_was_delivered(way, make_fam, spot):
    class Consumer:
        @famcore.hookimpl
        def fam_ignore(self, path):
            is_sign = path.endswith("stop")
            if is_sign:
                fam.stop()
            return is_sign

    fam = make_fam(consumers=[Consumer()])
    fam.add_monitor(spot)
    fam.handle_events()
    (spot / "stop").touch()

    async def main():
        async for _ in fam:
            pass

    match way:
        case "run":
            fam.run()
        case "iteration":
            assert list(fam) == []
        case _:
            in_asyncio(main)


# Shutdown


def test_to_shut_down_twice_is_fine_also_without_a_start(make_fam):
    fam = make_fam()
    fam.shutdown()
    fam.shutdown()
    other = make_fam()
    other.start()
    other.shutdown()
    other.shutdown()
    assert not fam.started
    assert not other.started


def test_all_threads_may_shut_down_at_once(make_fam, spot, background):
    for _ in range(50):
        fam = make_fam()
        fam.add_monitor(spot)
        fam.start()
        for done in [background(fam.shutdown) for _ in range(4)]:
            done()


def test_after_shutdown_nothing_is_delivered(make_fam, spot):
    told = []

    class Consumer:
        @famcore.hookimpl
        def fam_events(self, events):
            told.extend(events)

    fam = make_fam(consumers=[Consumer()])
    fam.add_monitor(spot, told.append)
    taken = fam.get_event()
    fam.shutdown()
    assert fam.events == []
    for timeout in (0, DEADLINE, None):
        began = time.monotonic()
        assert fam.handle_events(timeout) == 0
        assert time.monotonic() - began < DEADLINE / 2
    fam.handle_event_set()
    fam.handle_events_in_interval(DEADLINE)
    fam.handle_one_event(taken)
    fam.run()
    assert list(fam) == []
    assert fam.pending() is False
    with pytest.raises(IndexError):
        fam.get_event()
    assert told == []


def test_after_shutdown_it_can_be_neither_started_nor_given_monitors(fam, spot):
    number = fam.add_monitor(spot)
    fam.start()
    fam.shutdown()
    with pytest.raises(famcore.FamError):
        fam.start()
    with pytest.raises(famcore.FamError):
        fam.add_monitor(spot)
    with pytest.raises(famcore.FamError):
        fam.AddMonitor(str(spot), None)
    with pytest.raises(famcore.FamError):
        fam.fileno()
    fam.remove_monitor(number)


def test_a_handler_may_shut_down_and_the_rest_of_the_batch_is_dropped(make_fam, spot):
    calls = []

    class Consumer:
        @famcore.hookimpl
        def fam_events(self, events):
            calls.append("events")

        @famcore.hookimpl
        def fam_stopped(self):
            calls.append("stopped")

    def handle(event):
        calls.append(event.filename)
        fam.shutdown()

    fam = make_fam(consumers=[Consumer()])
    fill(spot, 10)
    fam.add_monitor(spot, handle)
    fam.run()
    assert calls == [str(spot), "stopped"]


def test_a_consumer_may_shut_down_and_the_next_one_is_told_no_more(make_fam, spot):
    calls = []

    class Consumer:
        @famcore.hookimpl
        def fam_events(self, events):
            calls.append(len(events))
            fam.shutdown()

    class Other(Consumer):
        pass

    fam = make_fam(consumers=[Consumer(), Other()])
    fill(spot, 10)
    fam.add_monitor(spot)
    fam.run()
    assert calls == [12]


@pytest.mark.parametrize("wait", ["run", "handle_events", "iteration"])
def test_another_thread_may_shut_down_while_one_waits(wait, make_fam, spot, background):
    calls = {
        "run": lambda fam: fam.run(),
        "handle_events": lambda fam: fam.handle_events(None),
        "iteration": lambda fam: list(fam.batches()),
    }
    before = len(descriptors())
    for _ in range(20):
        fam = make_fam()
        fam.add_monitor(spot)
        fam.handle_events()
        waiting = background(calls[wait], fam)
        time.sleep(SOON)
        fam.shutdown()
        waiting()
    assert len(descriptors()) == before


def test_another_thread_may_shut_down_in_the_middle_of_a_batch(fam, spot, background):
    entered, leave = threading.Event(), threading.Event()
    told = []

    def hold(event):
        told.append(event)
        entered.set()
        leave.wait(DEADLINE)

    fill(spot, 10)
    fam.add_monitor(spot, hold)
    running = background(fam.run)
    assert entered.wait(DEADLINE)
    fam.shutdown()
    leave.set()
    running()
    assert len(told) == 1


# What is not live


def test_without_a_live_backend_all_ways_end_by_themselves(make_fam, spot):
    (spot / "a").touch()
    expected = [("exists", str(spot)), ("exists", "a"), ("endExist", str(spot))]
    told = []
    ran = make_fam(backend="pseudo")
    ran.add_monitor(spot, told.append)
    ran.run()
    assert say(told) == expected
    for timeout in (None, DEADLINE):
        began = time.monotonic()
        assert ran.handle_events(timeout) == 0
        assert time.monotonic() - began < DEADLINE / 2
    ran.handle_events_in_interval(DEADLINE)

    iterated = make_fam(backend="pseudo")
    iterated.add_monitor(spot)
    assert say(iterated) == expected

    waited = make_fam(backend="pseudo")
    waited.add_monitor(spot)
    seen = []

    async def main():
        async for event in waited:
            seen.append(event)

    in_asyncio(main)
    assert say(seen) == expected


# Nothing hidden


def test_no_descriptor_is_inherited_by_children(make_fam, heard, spot):
    source = "import os; print(*os.listdir('/dev/fd'))"

    def child():
        """The descriptors that a child finds open, but for that of the listing."""
        command = [sys.executable, "-c", source]
        listed = subprocess.check_output(command, close_fds=False, timeout=DEADLINE, text=True)
        return set(listed.split())

    inherited, before = child(), descriptors()
    for backend in (None, heard):
        fam = make_fam(backend=backend)
        fam.add_monitor(spot)
        fam.handle_events()
        assert len(descriptors() - before) >= 4
        assert child() == inherited
        fam.shutdown()


def test_no_descriptor_of_a_backend_that_was_opened_again_is_inherited(make_fam, spot, pump):
    """Whoever is started by a handler in the middle of things inherits none either."""
    source = "import os; print(*os.listdir('/dev/fd'))"
    lose = []

    class Losing(find_backend("inotify").backend):
        def read(self):
            if lose:
                lose.clear()
                raise BackendLost("it is gone")
            return super().read()

    def child():
        command = [sys.executable, "-c", source]
        listed = subprocess.check_output(command, close_fds=False, timeout=DEADLINE, text=True)
        return set(listed.split())

    inherited, seen = child(), []
    fam = make_fam(backend=Losing, audit=0.05)
    fam.add_monitor(spot, lambda event: seen.append((event.filename, child())))
    fam.handle_event_set()
    lose.append(True)
    (spot / "new").touch()
    pump(fam, lambda: any(name == "new" for name, _ in seen))
    assert not lose
    assert all(found == inherited for _, found in seen)


def test_no_descriptor_is_left_after_shutdown(make_fam, heard, spot):
    before = len(descriptors())
    for number in range(100):
        fam = make_fam(backend=heard if number % 2 else None)
        fam.add_monitor(spot)
        fam.handle_events()
        (spot / str(number)).touch()
        fam.pending()
        fam.shutdown()
        assert len(descriptors()) == before


def test_one_that_is_dropped_is_closed_with_a_warning(spot, heard):
    before = len(descriptors())
    dropped = [famcore.FileMonitor(heard)]
    dropped[0].add_monitor(spot)
    dropped[0].handle_events()
    dropped.append(dropped)
    del dropped
    with pytest.warns(ResourceWarning, match="<FileMonitor .*, 1 monitors> was not shut down"):
        gc.collect()
    assert len(descriptors()) == before


def test_one_that_is_dropped_by_a_fork_goes_on(spot):
    with famcore.FileMonitor() as fam:
        fam.add_monitor(spot)
        fam.handle_events()
        if (child := os.fork()) == 0:
            fam.__del__()
            os._exit(not fam.started)
        assert os.waitpid(child, 0)[1] == 0
        (spot / "new").touch()
        assert fam.handle_events(DEADLINE) == 1


def test_no_descriptor_is_left_by_a_start_that_failed(script, spot):
    """Whichever of the descriptors is the one too many."""
    source = """if True:
        import os, resource, famcore
        with famcore.FileMonitor() as first:  # what is to be imported is imported
            backend = first.backend
        before = len(os.listdir("/dev/fd"))
        taken = []
        failed = 0
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (before + 20, hard))
        try:
            while True:
                taken.append(os.open("/", os.O_RDONLY))
        except OSError:
            pass
        while taken:
            os.close(taken.pop())
            fam = famcore.FileMonitor(backend=backend)
            try:
                fam.start()
            except OSError:
                failed += 1
            else:
                fam.shutdown()
                break
        left = len(os.listdir("/dev/fd")) - len(taken)
        print(failed, left - before)
    """
    failed, left = script(source)[0].split()
    assert int(failed) > 0
    assert int(left) == 0


def test_no_thread_is_started(make_fam, heard, spot, script):
    before = threading.enumerate()
    for options in ({}, {"backend": heard}):
        fam = make_fam(**options)
        fam.add_monitor(spot)
        fam.handle_events()
        fam.handle_events(SOON)
        assert fam.fileno() >= 0
        assert threading.enumerate() == before


def test_to_import_it_imports_no_plugin_and_nothing_slow(script):
    source = """if True:
        import os, sys, threading
        before = set(sys.modules), os.listdir("/dev/fd"), threading.active_count()
        import famcore
        famcore.FileMonitor
        after = set(sys.modules), os.listdir("/dev/fd"), threading.active_count()
        assert after[1:] == before[1:]
        print(*sorted(after[0] - before[0]))
    """
    imported = script(source)[0].split()
    assert "famcore.monitor" in imported  # what is asserted of the rest is of all of it
    slow = ("stevedore", "asyncio", "importlib.metadata", "fam_", "pyinotify", "click", "rich")
    assert [name for name in imported if name.startswith(slow)] == []


def test_a_named_backend_alone_is_imported(script):
    source = """if True:
        import sys, famcore
        famcore.FileMonitor(backend="pseudo").start()
        print(*[name for name in sys.modules if name.startswith("fam_")])
    """
    assert script(source) == ["fam_pseudo"]


# Bounded

RESCANS = """if True:
    import os, sys, time
    spot = sys.argv[1]
    slow = 0.05
    listings = []
    real = os.scandir

    def scandir(path="."):
        began = time.monotonic()
        if path != spot:
            return real(path)
        time.sleep(slow)
        found = real(path)
        listings.append((began, time.monotonic()))
        return found

    # The system's, made slow.
    os.scandir = scandir
    import famcore
    from famcore.backend import Backend, Capability, Change, Interest, Kind

    class Nervous(Backend):
        name, api, priority = "nervous", 1, 50
        capabilities = Capability.LIVE | Capability.CONTENTS | Capability.EXACT
        interval = 0.001
        said = 0

        @classmethod
        def check(cls): ...
        def __init__(self): ...
        def watch(self, path, interest=Interest.ALL):
            os.lstat(path)
            return path
        def unwatch(self, key): ...
        def fileno(self): return None
        def read(self):
            Nervous.said += 1
            return [Change(Kind.RESCAN, spot)] * 10
        def close(self): ...

    names = set()
    def fold(event):
        if event.action in ("exists", "created"):
            names.add(event.filename)
        elif event.action == "deleted":
            names.discard(event.filename)

    fam = famcore.FileMonitor(backend=Nervous)
    fam.add_monitor(spot, fold)
    fam.handle_events()
    number = 0
    while len(listings) < 6 or names != {spot, *(each.name for each in real(spot))}:
        fam.handle_events(0.01)
        if number < 5:
            number += 1
            open(os.path.join(spot, str(number)), "w").close()
    for (began, ended), (following, _) in zip(listings, listings[1:]):
        assert following - ended >= (ended - began) * 0.9, listings
    assert Nervous.said > 3 * len(listings), (Nervous.said, len(listings))
    print("true")
"""


def test_a_directory_is_not_listed_again_before_as_long_has_passed_as_it_took(script, spot):
    assert script(RESCANS, spot) == ["true"]
