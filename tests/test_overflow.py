"""The kernel's queue overflows: what was missed is found on disk, and told."""

from __future__ import annotations

import os
import runpy
import time
from pathlib import Path

import pytest

from famcore import DEFAULT_IGNORE, hookimpl
from famcore.catalog import find_backend
from famcore.testing import Recorder

SMALL_QUEUE = runpy.run_path(str(Path(__file__).with_name("small_queue.py")))
#: Unread events that there is room for.
QUEUE = 16
#: Seconds. Files as old as this are surely unchanged since: the kernel's clock is that coarse.
AGE = 0.05


class Resyncs:
    def __init__(self):
        self.told = []

    @hookimpl
    def fam_resynced(self, reason, count):
        self.told.append((reason, count))


@pytest.fixture
def recorder(deadline):
    """On inotify; not started."""
    found = find_backend("inotify")
    if found.backend is None:
        pytest.skip(str(found))
    recorder = Recorder(found.backend, DEFAULT_IGNORE)
    recorder.resyncs = Resyncs()
    recorder.fam.register(recorder.resyncs)
    yield recorder
    recorder.fam.shutdown()


@pytest.fixture
def small(recorder):
    """Started while the kernel's limit was small."""
    if reason := SMALL_QUEUE["why_not"]():
        pytest.skip(reason)
    with SMALL_QUEUE["queue_of"](QUEUE):
        recorder.fam.start()
    return recorder


@pytest.fixture
def spot(spot):
    """A directory with what `overflow` needs."""
    for name in ("noise1", "noise2"):
        (spot / name).touch()
    return spot


def overflow(spot):
    """Fill the queue: nothing that is done from now on until the next reading is told by it."""
    # In turn, for the kernel drops what is like the last.
    for number in range(QUEUE):
        os.chmod(spot / f"noise{number % 2 + 1}", 0o600 | number % 4)
    os.chmod(spot / "noise1", 0o600)


def settle(recorder):
    """Come to rest and forget what was told until then."""
    recorder.rest()
    assert list(recorder.wrongs()) == []
    recorder.forget()


def grow_old(recorder, spot):
    """Have what is there be older than the last reading, by enough."""
    settle(recorder)
    time.sleep(AGE)
    os.chmod(spot / "noise1", 0o700)
    settle(recorder)


def told(recorder, log):
    """What was told since, all promises kept, less the noise."""
    recorder.rest()
    assert list(recorder.wrongs()) == []
    assert recorder.resyncs.told
    events = [(str(event.action), event.filename) for event in log.events]
    return [each for each in events if not each[1].startswith("noise")]


# --- names


def test_what_came_and_went_unheard_is_told(small, spot):
    for number in range(20):
        (spot / f"old{number}").touch()
    log = small.monitor(spot)
    settle(small)
    overflow(spot)
    for number in range(20):
        (spot / f"new{number}").touch()
    for number in range(0, 20, 2):
        (spot / f"old{number}").unlink()
    for number in range(1, 20, 2):
        (spot / f"old{number}").rename(spot / f"moved{number}")
    events = told(small, log)
    gone = {("deleted", f"old{number}") for number in range(20)}
    come = {("created", f"new{number}") for number in range(20)}
    moved = {("created", f"moved{number}") for number in range(1, 20, 2)}
    assert set(events) == gone | come | moved
    assert len(events) == len(set(events))


def test_each_monitor_is_told_its_own(small, spot, tmp_path):
    """The queue is one for all, and so is its overflow."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "file").touch()
    monitors = small.monitor(spot), small.monitor(other), small.monitor(other / "file")
    settle(small)
    overflow(spot)
    (other / "file").unlink()
    (other / "new").touch()
    assert told(small, monitors[0]) == []
    assert sorted(told(small, monitors[1])) == [("created", "new"), ("deleted", "file")]
    assert told(small, monitors[2]) == [("deleted", str(other / "file"))]


def test_it_goes_on_afterwards(small, spot):
    log = small.monitor(spot)
    settle(small)
    for name in ("first", "second"):
        overflow(spot)
        (spot / name).touch()
        created = [event for event in told(small, log) if event[0] == "created"]
        assert created == [("created", name)]
        small.forget()
        (spot / f"{name} after").touch()
        assert told(small, log) == [("created", f"{name} after")]
        small.forget()
    assert len(small.resyncs.told) == 2


def test_an_overflow_amid_the_first_events_is_made_good(small, spot):
    for number in range(3_000):
        (spot / f"old{number}").touch()
    log = small.monitor(spot)
    assert 0 < small.fam.handle_events(0) < 3_000 or len(log.events) >= 3_000
    overflow(spot)
    (spot / "new").touch()
    (spot / "old2999").unlink()
    told(small, log)
    actions = [str(event.action) for event in log.events]
    assert "exists" not in actions[actions.index("endExist") :]


def test_what_is_ignored_stays_so(small, spot):
    log = small.monitor(spot)
    settle(small)
    overflow(spot)
    (spot / "backup~").touch()
    assert told(small, log) == []


# --- contents


def test_files_that_changed_unheard_are_told_and_no_others(small, spot, tmp_path):
    for name in ("written", "given a mode", "dated back", "saved", "still", "still too"):
        (spot / name).write_text("before")
    (tmp_path / "new").write_text("after")
    log = small.monitor(spot)
    grow_old(small, spot)
    overflow(spot)
    (spot / "written").write_text("after")
    (spot / "given a mode").chmod(0o600)
    (spot / "dated back").write_text("after!")
    os.utime(spot / "dated back", (1_000_000_000, 1_000_000_000))
    (tmp_path / "new").rename(spot / "saved")
    events = told(small, log)
    assert sorted(events) == [
        ("changed", "dated back"),
        ("changed", "given a mode"),
        ("changed", "saved"),
        ("changed", "written"),
    ]


def test_a_monitored_file_that_changed_unheard_is_told(small, spot):
    (spot / "file").write_text("before")
    (spot / "still").write_text("before")
    file, still = small.monitor(spot / "file"), small.monitor(spot / "still")
    small.monitor(spot)
    grow_old(small, spot)
    overflow(spot)
    (spot / "file").write_text("after")
    assert told(small, file) == [("changed", str(spot / "file"))]
    assert told(small, still) == []


def test_a_subdirectory_whose_content_changed_is_not_told(small, spot):
    (spot / "sub").mkdir()
    log = small.monitor(spot)
    settle(small)
    overflow(spot)
    (spot / "sub/below").touch()
    assert told(small, log) == []


# --- kinds


def test_a_file_replaced_by_a_directory_is_told_as_another(small, spot):
    (spot / "a").touch()
    log = small.monitor(spot)
    settle(small)
    overflow(spot)
    (spot / "a").unlink()
    (spot / "a").mkdir()
    assert told(small, log) == [("deleted", "a"), ("created", "a")]
    assert [event.is_directory for event in log.events if event.filename == "a"] == [False, True]


def test_a_directory_replaced_by_a_file_takes_all_that_was_in_it(small, spot):
    (spot / "a").mkdir()
    (spot / "a/below").touch()
    log = small.monitor(spot, recursive=True)
    settle(small)
    overflow(spot)
    (spot / "a/below").unlink()
    (spot / "a").rmdir()
    (spot / "a").touch()
    assert told(small, log) == [("deleted", "a/below"), ("deleted", "a"), ("created", "a")]


# --- directories


def test_what_is_made_later_in_a_directory_that_came_unheard_is_told(small, spot):
    log = small.monitor(spot, recursive=True)
    settle(small)
    overflow(spot)
    (spot / "a/b").mkdir(parents=True)
    assert told(small, log) == [("created", "a"), ("created", "a/b")]
    small.forget()
    (spot / "a/b/later").touch()
    assert told(small, log) == [("created", "a/b/later")]


def test_a_directory_replaced_unheard_is_heard_again(small, spot):
    (spot / "a").mkdir()
    (spot / "a/old").touch()
    log = small.monitor(spot, recursive=True)
    settle(small)
    overflow(spot)
    (spot / "a").rename(spot.parent / "away")
    (spot / "a").mkdir()
    (spot / "a/new").touch()
    told(small, log)
    small.forget()
    (spot / "a/later").touch()
    (spot.parent / "away/later").touch()
    assert told(small, log) == [("created", "a/later")]


def test_the_monitored_directory_gone_unheard_is_told(small, spot, tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    (target / "a").touch()
    log = small.monitor(target)
    small.monitor(spot)
    settle(small)
    overflow(spot)
    (target / "a").unlink()
    target.rmdir()
    assert told(small, log) == [("deleted", "a"), ("deleted", str(target))]


def test_the_monitored_directory_made_anew_unheard_is_heard_again(small, spot, tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    for name in ("a", "b"):
        (target / name).touch()
    log = small.monitor(target)
    small.monitor(spot)
    settle(small)
    overflow(spot)
    target.rename(tmp_path / "away")
    target.mkdir()
    (target / "b").touch()
    (target / "c").touch()
    events = told(small, log)
    assert ("deleted", "a") in events
    assert ("created", "c") in events
    small.forget()
    (target / "later").touch()
    assert told(small, log) == [("created", "later")]


# --- what is said of it


def test_consumers_are_told_once_of_an_overflow(small, spot):
    small.monitor(spot)
    small.monitor(spot, recursive=True)
    settle(small)
    assert small.resyncs.told == []
    overflow(spot)
    for number in range(5):
        (spot / f"new{number}").touch()
    settle(small)
    ((reason, count),) = small.resyncs.told
    assert reason
    assert count >= 10


# --- a burst


def burst(spot, content):
    for number in range(10_000):
        descriptor = os.open(spot / f"{number:05}", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        if content:
            os.write(descriptor, content)
        os.close(descriptor)


@pytest.mark.parametrize("content", [b"", b"content"], ids=["empty", "written"])
@pytest.mark.parametrize("recursive", [False, True], ids=["plain", "recursive"])
def test_ten_thousand_files_made_in_one_burst_are_told(content, recursive, recorder, tmp_path):
    """With the limit as it is, 16,384 by default, which is too little for those written."""
    target = tmp_path / "target"
    target.mkdir()
    log = recorder.monitor(target, recursive=recursive)
    settle(recorder)
    burst(target, content)
    recorder.rest()
    assert list(recorder.wrongs()) == []
    created = [event.filename for event in log.events if event.action == "created"]
    assert sorted(created) == [f"{number:05}" for number in range(10_000)]
    if not content and int(SMALL_QUEUE["LIMIT"].read_text()) > 10_000:
        assert recorder.resyncs.told == []
        assert len(log.events) == 10_000
