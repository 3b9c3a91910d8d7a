"""A backend that can't say what changed: how it is looked for, and told, and who has to wait."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import pytest

import famcore
from famcore.backend import Kind
from famcore.catalog import find_backend
from famcore.testing.fold import Fold, names_on_disk

FOUND = find_backend("inotify")
pytestmark = pytest.mark.skipif(FOUND.backend is None, reason=str(FOUND))

#: Seconds. What has not come by then never will.
DEADLINE = 60.0


@pytest.fixture
def vague():
    """A class of backends that say RESCAN of `path`, once there is a change; None: what it was."""

    class Vague(FOUND.backend):
        path: str | None = None
        #: Whether it says so once more whenever it is read.
        is_endless = False

        def read(self):
            changes = list(super().read())
            if self.path is None or not (changes or self.is_endless):
                return changes
            return [(Kind.RESCAN, None, self.path, None, 0)]

    return Vague


class Resynced:
    """A consumer: how many events were delivered when a repair was told, and what was said."""

    def __init__(self):
        self.events = []
        self.told = []

    @famcore.hookimpl
    def fam_events(self, events):
        self.events.extend(events)

    @famcore.hookimpl
    def fam_resynced(self, reason, count):
        self.told.append((reason, count, len(self.events)))


def make_tree(top, count):
    """So many directories, a hundred in each of the upper ones."""
    for number in range(count):
        if number % 100 == 0:
            os.mkdir(f"{top}/{number // 100}")
        os.mkdir(f"{top}/{number // 100}/{number}")


def take_all(fam, path, **options):
    """Set a monitor and have its first events delivered; return what they leave standing."""
    fold = Fold(str(path))
    fam.add_monitor(path, fold.add, **options)
    fam.handle_event_set()
    return fold


# --- of which path


@pytest.mark.parametrize(
    "spelling", ["{path}", "{path}/", "{path}//", "{above}", "{above}/", "/", "//", ""]
)
def test_rescan_of_a_path_looks_there_and_below(spelling, make_fam, vague, spot, pump):
    (spot / "below").mkdir()
    fam = make_fam(backend=vague)
    fold = take_all(fam, spot, recursive=True)
    vague.path = spelling.format(path=spot, above=spot.parent)
    (spot / "below/new").touch()
    pump(fam, lambda: "below/new" in fold.standing)
    assert fold.breaches == []


@pytest.mark.parametrize(
    "path", ["/nobody/knows", "{spot}/missing", "{spot}/missing/", "{spot}/file/x", "x", "\ud800"]
)
def test_rescan_of_a_path_that_nobody_knows_is_nothing(path, make_fam, vague, spot, pump):
    (spot / "file").touch()
    fam = make_fam(backend=vague)
    fold = take_all(fam, spot, recursive=True)
    vague.path = path.format(spot=spot)
    (spot / "file").write_text("new")
    assert fam.handle_events(0) == 0
    assert all(row.covered for row in fam.coverage())
    vague.path = None
    (spot / "new").touch()
    pump(fam, lambda: "new" in fold.standing)
    assert fold.breaches == []


# --- who has to wait


@pytest.fixture
def endless(make_fam, vague, spot):
    """A `FileMonitor` of a tree, of which its backend says all the time that it may be another."""
    make_tree(spot, 2_000)
    fam = make_fam(backend=vague)
    take_all(fam, spot, recursive=True)
    vague.path, vague.is_endless = "", True
    return fam


def test_handle_events_comes_back_in_time_though_all_is_to_be_looked_at_all_the_time(endless):
    began = time.monotonic()
    endless.handle_events(0.1)
    # As long as it may take on the busiest machine; it would go on until the deadline.
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("way", ["run", "handle_events"])
def test_a_stop_is_heard_though_all_is_to_be_looked_at_all_the_time(way, endless):
    timer = threading.Timer(0.05, endless.stop)
    timer.start()
    began = time.monotonic()
    if way == "run":
        endless.run()
    else:
        endless.handle_events(None)
    assert time.monotonic() - began < 5
    timer.join()


def test_other_tasks_have_their_turns_while_a_big_tree_is_looked_at(make_fam, vague, spot):
    make_tree(spot, 20_000)
    resynced = Resynced()
    fam = make_fam(backend=vague, consumers=[resynced])
    fold = take_all(fam, spot, recursive=True)
    began = []
    turns = []

    async def take_turns():
        while not resynced.told:
            if began:
                turns.append(time.monotonic())
            await asyncio.sleep(0)

    async def rescan():
        await asyncio.sleep(0)
        vague.path = ""
        began.append(time.monotonic())
        (spot / "1/new").touch()

    async def iterate():
        async for _ in fam:
            pass

    class Ending:
        @famcore.hookimpl
        def fam_resynced(self, fam):
            fam.stop()

    fam.register(Ending())

    async def main():
        await asyncio.gather(iterate(), take_turns(), rescan())

    asyncio.run(asyncio.wait_for(main(), DEADLINE))
    took = time.monotonic() - began[0]
    assert "1/new" in fold.standing
    # It takes a second, of which they have a share every few milliseconds.
    assert len(turns) > 20, f"{len(turns)} turns in {took:.2f} s"


# --- when it is told


def test_fam_resynced_comes_after_the_last_of_its_events_and_counts_them(
    make_fam, vague, spot, pump
):
    make_tree(spot, 20)
    resynced = Resynced()
    fam = make_fam(backend=vague, consumers=[resynced])
    fold = take_all(fam, spot, recursive=True)
    for number in range(20):
        for file in range(150):
            (spot / f"0/{number}/{file}").touch()
    # What was heard meanwhile is no repair's.
    fam.handle_event_set()
    resynced.events.clear()
    vague.path = ""
    for number in range(20):
        for file in range(150):
            (spot / f"0/{number}/{file}").unlink()
    pump(fam, lambda: resynced.told)
    ((reason, count, delivered),) = resynced.told
    assert reason
    assert count == delivered == 3_000
    assert fam.handle_events(0) == 0
    assert not list(fold.differences(names_on_disk(str(spot), [], recursive=True)))
