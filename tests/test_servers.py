"""Backends whose events come from a server: it ends, stops, is swamped, and loses events."""

from __future__ import annotations

import itertools
import os
import random
import runpy
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import famcore
from famcore.backend import BackendLost, Kind
from famcore.catalog import Status, find_backend
from famcore.testing import Recorder

SERVERS = runpy.run_path(str(Path(__file__).with_name("servers.py")))["SERVERS"]
REQUIRED = os.environ.get("FAM_REQUIRE_BACKENDS", "").split(",")

#: Makes and removes files in the directories that it is given, for so many seconds.
CHURN = """
import os, random, sys, time
chance, end = random.Random(int(sys.argv[1])), time.monotonic() + float(sys.argv[2])
for number in range(10**9):
    path = f"{chance.choice(sys.argv[3:])}/{chance.randrange(60)}"
    try:
        os.unlink(path)
    except FileNotFoundError:
        open(path, "w").close()
    if number % 10 == 0:
        if time.monotonic() > end:
            break
        time.sleep(0.001)
"""


@pytest.fixture(params=SERVERS)
def name(request):
    found = find_backend(request.param)
    if found.status is not Status.USABLE:
        (pytest.fail if request.param in REQUIRED else pytest.skip)(str(found))
    return request.param


@pytest.fixture
def server(name):
    return SERVERS[name]


@pytest.fixture
def backend(name):
    return find_backend(name).backend


@pytest.fixture
def recorder(deadline, backend):
    with Losing(backend, famcore.DEFAULT_IGNORE) as recorder:
        yield recorder


class Losing(Recorder):
    """One that is told when its backend is lost, and expects that."""

    def __init__(self, backend, ignore):
        super().__init__(backend, ignore)
        self.lost = []
        self.degraded = []
        self.restored = []

    @famcore.hookimpl
    def fam_degraded(self, path, reason):
        self.degraded.append(path)

    @famcore.hookimpl
    def fam_restored(self, path):
        self.restored.append(path)

    @famcore.hookimpl
    def fam_error(self, plugin_name, error):
        if isinstance(error, BackendLost):
            self.lost.append((plugin_name, error))
        else:
            super().fam_error(plugin_name, error)


def directories(place, count):
    made = [place / f"d{number}" for number in range(count)]
    for each in made:
        each.mkdir()
    return made


# --- it ends


def test_a_server_that_is_killed_is_noticed_at_once_and_all_is_made_good(
    recorder, server, name, spot, pump
):
    log = recorder.monitor(spot, recursive=True)
    recorder.rest()
    server.kill()
    (spot / "made meanwhile").touch()
    pump(recorder.fam, lambda: recorder.resynced)
    assert recorder.resynced == [f"backend {name!r} was lost"]
    assert [plugin for plugin, _ in recorder.lost] == [name]
    pump(recorder.fam, lambda: str(spot) in recorder.restored)
    assert str(spot) in recorder.degraded
    recorder.rest(lambda: "made meanwhile" in log.fold.standing)
    (spot / "made later").touch()
    recorder.rest(lambda: "made later" in log.fold.standing)
    assert list(recorder.wrongs()) == []


def test_ten_ends_under_load_lose_nothing(recorder, server, spot, pump):
    places = directories(spot, 10)
    log = recorder.monitor(spot, recursive=True)
    recorder.rest()
    chance = random.Random(1)
    churn = subprocess.Popen([sys.executable, "-c", CHURN, "1", "6", *map(str, places)])
    try:
        for _ in range(10):
            until = time.monotonic() + chance.uniform(0.2, 0.8)
            while (left := until - time.monotonic()) > 0:
                recorder.fam.handle_events(left)
            server.kill()
    finally:
        churn.wait()
    pump(recorder.fam, lambda: all(row.covered for row in recorder.fam.coverage()))
    recorder.rest(lambda: not list(recorder.wrongs()))
    assert list(recorder.wrongs()) == []
    assert len(log.fold.standing) > len(places)
    assert sorted(recorder.degraded) == sorted(recorder.restored)


@pytest.mark.famd
def test_a_server_that_does_not_come_back_is_tried_again_and_named_meanwhile(spot, pump, deadline):
    famd = runpy.run_path(str(Path(__file__).with_name("famd.py")))
    with Losing(find_backend("fam").backend, famcore.DEFAULT_IGNORE) as recorder:
        log = recorder.monitor(spot)
        recorder.rest()
        famd["stop_famd"]()
        try:
            pump(recorder.fam, lambda: recorder.lost)
            assert not named(recorder, spot).covered
            pump(recorder.fam, lambda: "famd" in named(recorder, spot).remedy)
            assert named(recorder, spot).reason == "famd is not running"
            (spot / "a").touch()
        finally:
            famd["start_famd"]()
        pump(recorder.fam, lambda: "a" in log.fold.standing)
        assert named(recorder, spot).covered
        assert list(recorder.wrongs()) == []


def named(recorder, path):
    """What is said of the coverage of `path`."""
    (row,) = [row for row in recorder.fam.coverage() if row.path == str(path)]
    return row


# --- it stops


def test_a_server_that_stops_keeps_no_call_waiting_for_ever(recorder, server, spot, pump):
    places = directories(spot, 500)
    (spot / "known").mkdir()
    log = recorder.monitor(spot / "known")
    recorder.rest()
    server.send(signal.SIGSTOP)
    try:
        began = time.monotonic()
        # More than its socket takes.
        logs = [recorder.monitor(each) for each in places]
        recorder.fam.handle_events(0.1)
        for each in logs[::2]:
            recorder.remove(each)
        assert time.monotonic() - began < 10
        (places[0] / "a").touch()
        (spot / "known/a").touch()
    finally:
        server.send(signal.SIGCONT)
    pump(recorder.fam, lambda: all(row.covered for row in recorder.fam.coverage()))
    recorder.rest(lambda: "a" in log.fold.standing)
    assert list(recorder.wrongs()) == []


# --- it has much to say


def test_it_is_not_waited_for_while_it_waits_for_us(backend, tmp_path, deadline):
    """Thousands of requests without a read, of directories in which there is something going on."""
    places = directories(tmp_path, 20)
    churn = subprocess.Popen([sys.executable, "-c", CHURN, "2", "60", *map(str, places)])
    one = backend()
    try:
        for number in range(2_000):
            key = one.watch(str(places[number % 20]))
            one.unwatch(key)
        one.watch(str(places[0]))
    finally:
        one.close()
        churn.kill()
        churn.wait()


def test_what_is_read_on_the_way_is_readable(backend, tmp_path, deadline):
    here, other = directories(tmp_path, 2)
    one = backend()
    poll = select.poll()
    poll.register(one.fileno(), select.POLLIN)
    try:
        key = one.watch(str(here))
        end = time.monotonic() + 30
        for number in itertools.count():
            # What was made before the server had begun is not told by it.
            (here / str(number)).touch()
            time.sleep(0.01)
            # Each request reads what is there.
            one.unwatch(one.watch(str(other)))
            if poll.poll(0) and (said := list(one.read())):
                break
            assert time.monotonic() < end, "too late"
        assert said[0][:2] == (Kind.CREATED, key)
    finally:
        one.close()


def test_a_burst_is_told_whole(recorder, spot):
    log = recorder.monitor(spot)
    recorder.rest()
    count = 20_000
    make = f"for n in range({count}): open({str(spot)!r} + f'/f{{n}}', 'x').close()"
    subprocess.run([sys.executable, "-c", make], check=True)
    recorder.rest(lambda: len(log.fold.standing) > count)
    assert list(recorder.wrongs()) == []


# --- it says nothing


def test_what_the_server_never_tells_is_found_at_the_audit(deadline, backend, spot):
    class Deaf(backend):
        """Its server says nothing any more, as beyond a limit."""

        def read(self):
            list(super().read())
            return []

    with Recorder(Deaf, famcore.DEFAULT_IGNORE) as recorder:
        log = recorder.monitor(spot, recursive=True)
        (spot / "file").touch()
        recorder.rest(lambda: "file" in log.fold.standing)
        (spot / "below").mkdir()
        (spot / "below/file").touch()
        recorder.rest(lambda: "below/file" in log.fold.standing)
        recorder.forget()
        (spot / "below/file").write_text("more")
        recorder.rest(lambda: any(event.action == "changed" for event in log.events))
        (spot / "below/file").unlink()
        recorder.rest(lambda: "below/file" not in log.fold.standing)
        assert list(recorder.wrongs()) == []


def test_a_thousand_directories_at_rest_are_looked_at_at_a_bounded_pace(deadline, backend, spot):
    directories(spot, 1_000)
    fam = famcore.FileMonitor(backend, audit=5.0)
    with fam:
        fam.add_monitor(spot, recursive=True)
        end = time.monotonic() + 3
        while time.monotonic() < end:
            fam.handle_events(0.2)
        before = time.process_time()
        while time.monotonic() < end + 5:
            assert fam.handle_events(0.2) == 0
        # 0.1 to 0.2 ms for each of them, once.
        assert time.process_time() - before < 2.5
