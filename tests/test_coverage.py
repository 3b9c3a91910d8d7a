"""What can't be covered is said, once, by name, and is made good as soon as it can be covered.

A test that is marked `own_limits` is root of a user namespace, whose limits bind nobody else.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest

import famcore
from famcore.backend import Interest
from famcore.catalog import find_backend
from famcore.testing.fold import Fold, names_on_disk

_LIMIT = runpy.run_path(str(Path(__file__).with_name("watch_limit.py")))
NONE, WATCHES, INSTANCES = (_LIMIT[name] for name in ("NONE", "WATCHES", "INSTANCES"))
set_limit, held, is_own = (_LIMIT[name] for name in ("set_limit", "held", "is_own"))

#: Seconds at most between two attempts to cover what is not covered.
AUDIT = 0.05
LIMIT = "user.max_inotify_watches"

FOUND = find_backend("inotify")
pytestmark = pytest.mark.skipif(FOUND.backend is None, reason=str(FOUND))
own_limits = pytest.mark.own_limits


class Log(Fold):
    """A handler."""

    def __init__(self, path):
        super().__init__(str(path))
        self.events = []

    def __call__(self, event):
        self.events.append((str(event.action), event.filename))
        self.add(event)


@pytest.fixture(autouse=True)
def no_limits(request):
    """What a test sets ends with it."""
    yield
    if request.node.get_closest_marker("own_limits") and is_own():
        for which in (WATCHES, INSTANCES):
            set_limit(NONE, which)


@pytest.fixture
def make_limited(make_fam, told):
    """Make a started one that tries again soon; `told` is its consumer."""

    def make(backend="inotify"):
        fam = make_fam(backend=backend, consumers=[told], audit=AUDIT)
        fam.start()
        return fam

    return make


@pytest.fixture
def limited(make_limited):
    return make_limited()


@pytest.fixture
def monitor():
    """Set a monitor and have its first events delivered."""

    def monitor(fam, path, *, recursive=False):
        log = Log(path)
        fam.add_monitor(path, log, recursive=recursive)
        fam.handle_event_set()
        return log

    return monitor


def leave(room):
    """Have so many watches left."""
    set_limit(held() + room)


def make_directories(spot, count):
    for number in range(count):
        (spot / f"d{number:04}").mkdir()


def gaps(fam):
    return [row for row in fam.coverage() if not row.covered]


def gap_paths(fam):
    return {row.path for row in gaps(fam)}


def is_true(log, *, recursive=False):
    found = names_on_disk(log._path, famcore.DEFAULT_IGNORE, recursive=recursive)
    return not log.breaches and not list(log.differences(found))


# --- the limit of watches


@own_limits
def test_of_a_tree_beyond_the_limit_is_covered_what_can_be_and_named_what_is_not(
    limited, monitor, told, spot, pump
):
    make_directories(spot, 30)
    monitor(limited, spot)
    leave(10)
    limit = held() + 10
    log = monitor(limited, spot, recursive=True)
    # All that is there is told, covered or not.
    assert is_true(log, recursive=True)
    assert log.events[-1] == ("endExist", str(spot))
    missed = gaps(limited)
    directories = {str(path) for path in spot.iterdir()}
    assert len(missed) == 20
    assert {row.path for row in missed} < directories
    for row in missed:
        assert row.backend == "inotify"
        assert f"{LIMIT} = {limit}" in row.reason
        assert f"sysctl {LIMIT}=" in row.remedy
    assert sorted(told.degraded) == sorted(row.path for row in missed)
    assert all(f"{LIMIT} = {limit}" in call[2] for call in told.calls)
    # Covered is what is not named, and that alone.
    log.events.clear()
    heard = sorted(directories - {row.path for row in missed})
    for directory in directories:
        Path(directory, "new").touch()
    pump(limited, lambda: len(log.events) >= 10)
    limited.handle_event_set()
    expected = [("created", f"{os.path.basename(path)}/new") for path in heard]
    assert sorted(log.events) == expected


@own_limits
def test_what_is_not_covered_is_said_once_however_often_it_is_tried(
    make_limited, monitor, told, spot, pump
):
    tries = []

    class Trying(FOUND.backend):
        def watch(self, path, interest=Interest.ALL):
            tries.append(path)
            return super().watch(path, interest)

    make_directories(spot, 5)
    fam = make_limited(Trying)
    monitor(fam, spot)
    leave(2)
    monitor(fam, spot, recursive=True)
    tries.clear()
    pump(fam, lambda: len(tries) >= 5)
    assert len(told.degraded) == len(set(told.degraded)) == 3
    assert told.restored == []


@own_limits
def test_a_directory_that_comes_when_no_watch_is_left_is_named(limited, monitor, told, spot):
    log = monitor(limited, spot, recursive=True)
    leave(1)
    for name in ("first", "second"):
        (spot / name).mkdir()
        (spot / name / "below").touch()
    limited.handle_event_set()
    assert is_true(log, recursive=True)
    assert gap_paths(limited) == {str(spot / "second")} == set(told.degraded)


@own_limits
def test_what_is_not_covered_and_goes_is_named_no_more(limited, monitor, spot, pump):
    log = monitor(limited, spot, recursive=True)
    leave(0)
    (spot / "d").mkdir()
    limited.handle_event_set()
    assert gap_paths(limited) == {str(spot / "d")}
    (spot / "d").rmdir()
    pump(limited, lambda: ("deleted", "d") in log.events)
    assert gaps(limited) == []


@own_limits
def test_a_raised_limit_brings_all_that_was_missed(limited, monitor, told, spot, pump):
    for name in ("a", "b", "c"):
        (spot / name).mkdir()
        for file in ("written", "gone", "still", "replaced"):
            (spot / name / file).touch()
            # Surely unchanged since.
            os.utime(spot / name / file)
    monitor(limited, spot)
    leave(0)
    log = monitor(limited, spot, recursive=True)
    missed = {str(spot / name) for name in "abc"}
    assert gap_paths(limited) == missed
    log.events.clear()
    for name in ("a", "b", "c"):
        (spot / name / "written").write_text("new")
        (spot / name / "gone").unlink()
        (spot / name / "new").touch()
        (spot / name / "sub/sub").mkdir(parents=True)
        (spot / name / "replaced").unlink()
        (spot / name / "replaced").mkdir()
    set_limit(NONE)
    pump(limited, lambda: set(told.restored) == missed)
    limited.handle_event_set()
    assert gaps(limited) == []
    assert sorted(told.restored) == sorted(missed)
    assert is_true(log, recursive=True)
    events = set(log.events)
    for name in ("a", "b", "c"):
        assert ("changed", f"{name}/written") in events
        assert {("deleted", f"{name}/replaced"), ("created", f"{name}/replaced")} <= events
    # From now on it is told as ever.
    log.events.clear()
    (spot / "b/sub/sub/later").mkdir()
    pump(limited, lambda: log.events)
    assert log.events == [("created", "b/sub/sub/later")]


@own_limits
def test_fam_restored_comes_after_the_events_that_it_brings(limited, monitor, told, spot, pump):
    monitor(limited, spot)
    (spot / "d").mkdir()
    leave(0)
    log = monitor(limited, spot, recursive=True)
    seen = []

    class Seeing:
        @famcore.hookimpl
        def fam_restored(self, path):
            seen.append((path, ("created", "d/new") in log.events))

    limited.register(Seeing())
    (spot / "d/new").touch()
    set_limit(NONE)
    pump(limited, lambda: seen)
    assert seen == [(str(spot / "d"), True)]


@own_limits
def test_a_monitor_that_no_watch_is_left_for_is_no_error(limited, monitor, told, tmp_path, pump):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    monitor(limited, tmp_path / "first")
    leave(0)
    path = tmp_path / "second"
    for recursive in (False, True):
        log = monitor(limited, path, recursive=recursive)
        assert log.events == [("exists", str(path)), ("exists", "file"), ("endExist", str(path))]
    (row,) = gaps(limited)
    assert (row.path, row.backend) == (str(path), "inotify")
    assert LIMIT in row.reason
    assert LIMIT in row.remedy
    assert told.degraded == [str(path)]
    (path / "new").touch()
    set_limit(NONE)
    pump(limited, lambda: ("created", "new") in log.events)
    assert told.restored == [str(path)]


@own_limits
def test_a_monitored_file_that_no_watch_is_left_for_is_named(
    limited, monitor, told, tmp_path, pump
):
    """Its directory is watched for it, its content is not."""
    (tmp_path / "file").touch()
    monitor(limited, tmp_path / "other")
    leave(0)
    path = tmp_path / "file"
    log = monitor(limited, path)
    assert log.events == [("exists", str(path)), ("endExist", str(path))]
    if not gaps(limited):
        # Then its directory tells.
        path.write_text("new")
        pump(limited, lambda: ("changed", str(path)) in log.events)
        return
    assert gap_paths(limited) == {str(path)}
    path.write_text("new")
    set_limit(NONE)
    pump(limited, lambda: told.restored == [str(path)])
    assert ("changed", str(path)) in log.events


@own_limits
def test_a_monitor_whose_way_is_not_covered_is_named(limited, monitor, told, tmp_path, pump):
    """Nobody would tell if a directory above were renamed."""
    leave(2)
    path = tmp_path / "a/b/c/d"
    path.mkdir(parents=True)
    log = monitor(limited, path)
    assert str(path) in gap_paths(limited)
    assert all(LIMIT in row.reason and LIMIT in row.remedy for row in gaps(limited))
    (tmp_path / "a/b").rename(tmp_path / "a/away")
    set_limit(NONE)
    pump(limited, lambda: not gaps(limited))
    limited.handle_event_set()
    assert is_true(log)
    path.mkdir(parents=True)
    pump(limited, lambda: is_true(log) and log.standing)


@own_limits
def test_the_watches_of_a_monitor_that_is_removed_are_had_by_others(
    limited, monitor, told, tmp_path, pump
):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        make_directories(tmp_path / name, 10)
    log = Log(tmp_path / "first")
    number = limited.add_monitor(tmp_path / "first", log, recursive=True)
    limited.handle_event_set()
    leave(1)
    second = monitor(limited, tmp_path / "second", recursive=True)
    missed = {str(path) for path in (tmp_path / "second").iterdir()}
    assert gap_paths(limited) == missed
    (tmp_path / "second/d0003/new").touch()
    limited.remove_monitor(number)
    pump(limited, lambda: set(told.restored) == missed)
    assert gaps(limited) == []
    assert is_true(second, recursive=True)


@own_limits
def test_the_watches_of_what_is_removed_from_disk_are_had_by_others(
    limited, monitor, told, spot, pump
):
    make_directories(spot, 10)
    monitor(limited, spot)
    leave(5)
    log = monitor(limited, spot, recursive=True)
    missed = gap_paths(limited)
    assert len(missed) == 5
    for path in spot.iterdir():
        if str(path) not in missed:
            path.rmdir()
    pump(limited, lambda: not gaps(limited))
    limited.handle_event_set()
    assert set(told.restored) == missed
    assert is_true(log, recursive=True)


@own_limits
def test_what_is_covered_again_is_called_as_it_was_before(make_limited, told, tmp_path, pump):
    """Whatever monitors have come and gone meanwhile."""
    path, link = tmp_path / "target", tmp_path / "link"
    path.mkdir()
    link.symlink_to("target")
    for before, after in ((path, link), (link, path)):
        told.calls.clear()
        fam = make_limited()
        fam.add_monitor(tmp_path)
        fam.handle_event_set()
        leave(0)
        number = fam.add_monitor(before)
        fam.handle_event_set()
        assert told.degraded == [str(before)]
        fam.add_monitor(after)
        fam.remove_monitor(number)
        fam.handle_event_set()
        set_limit(NONE)
        pump(fam, lambda fam=fam: not gaps(fam))
        fam.handle_event_set()
        assert sorted(told.restored) == sorted(told.degraded)
        fam.shutdown()


# --- how it is said


@own_limits
def test_hundreds_that_meet_one_limit_are_some_lines_of_the_log(
    limited, monitor, told, spot, pump, caplog
):
    make_directories(spot, 300)
    monitor(limited, spot)
    leave(0)
    with caplog.at_level(logging.INFO):
        monitor(limited, spot, recursive=True)
        assert len(told.degraded) == 300
        lines = [record.getMessage() for record in caplog.records]
        assert 1 <= len(lines) <= 5
        assert any(f"{LIMIT} = {held()}" in line for line in lines)
        assert any(f"sysctl {LIMIT}=" in line for line in lines)
        assert any(str(spot) in line for line in lines)
        caplog.clear()
        set_limit(NONE)
        pump(limited, lambda: len(told.restored) == 300)
        assert 1 <= len(caplog.records) <= 5


@own_limits
def test_one_that_meets_a_limit_is_a_warning_with_its_name_and_the_remedy(
    limited, monitor, spot, caplog
):
    (spot / "d").mkdir()
    monitor(limited, spot)
    leave(0)
    monitor(limited, spot, recursive=True)
    (line,) = [
        record.getMessage() for record in caplog.records if record.levelno == logging.WARNING
    ]
    for said in (str(spot / "d"), f"{LIMIT} = {held()}", f"sysctl {LIMIT}="):
        assert said in line


# --- what it costs


@own_limits
def test_thousands_that_are_not_covered_are_not_all_tried_each_time(
    make_limited, monitor, told, spot, pump
):
    calls = []

    class Counting(FOUND.backend):
        def watch(self, path, interest=Interest.ALL):
            calls.append(path)
            return super().watch(path, interest)

    make_directories(spot, 5_000)
    fam = make_limited(Counting)
    monitor(fam, spot)
    leave(10)
    log = monitor(fam, spot, recursive=True)
    assert len(gaps(fam)) == 4_990
    for _ in range(3):
        calls.clear()
        pump(fam, lambda: calls)
        # It meets the limit again, and leaves it at that.
        assert len(calls) <= 50
    # What there is room for is used all the same.
    leave(100)
    pump(fam, lambda: len(told.restored) >= 100)
    assert len(gaps(fam)) == 4_890
    set_limit(NONE)
    pump(fam, lambda: not gaps(fam))
    assert is_true(log, recursive=True)


@own_limits
def test_to_be_rid_of_what_needs_no_watch_does_not_hide_the_rest(limited, monitor, spot, pump):
    """Neither does one that can't be watched keep the others from being tried."""
    (spot / "file").touch()
    make_directories(spot, 3)
    monitor(limited, spot)
    leave(0)
    log = monitor(limited, spot, recursive=True)
    (spot / "d0000").rmdir()
    (spot / "d0000").touch()
    pump(limited, lambda: ("deleted", "d0000") in log.events)
    leave(1)
    pump(limited, lambda: len(gaps(limited)) == 1)
    leave(1)
    pump(limited, lambda: not gaps(limited))
    assert is_true(log, recursive=True)


# --- the limit of instances


@own_limits
def test_the_limit_of_instances_keeps_the_one_that_is_named_from_starting(make_fam, spot):
    set_limit(1, INSTANCES)
    first, second = make_fam(backend="inotify"), make_fam(backend="inotify")
    first.start()
    second.add_monitor(spot)
    with pytest.raises(famcore.WatchLimitReached) as caught:
        second.start()
    error = caught.value
    assert isinstance(error, OSError)
    assert error.errno == errno.EMFILE
    assert (error.limit, error.value) == ("user.max_inotify_instances", 1)
    assert "sysctl user.max_inotify_instances=" in error.remedy
    assert not second.started
    # It is not spoilt by that.
    first.shutdown()
    assert second.handle_events() == 2


@own_limits
def test_the_limit_of_instances_is_in_the_reason_if_none_is_named(make_fam, caplog):
    """Another one that is live is taken instead, if there is one."""
    set_limit(0, INSTANCES)
    fam = make_fam()
    try:
        fam.start()
    except famcore.NoBackend as error:
        said = str(error)
    else:
        said = caplog.text
    assert re.search(r"user\.max_inotify_instances = 0.*sysctl", said)


# --- filesystems that are dead


@pytest.fixture
def dying(make_limited):
    """A `FileMonitor` and its backend, to which the system says what a dead filesystem would."""

    class Dying(FOUND.backend):
        made: ClassVar[list] = []

        def __init__(self):
            super().__init__()
            #: Path → the error.
            self.dead = {}
            self.tried = []
            self.made.append(self)

        def watch(self, path, interest=Interest.ALL):
            self.tried.append(path)
            if (code := self.dead.get(path)) is not None:
                raise OSError(code, os.strerror(code), path)
            return super().watch(path, interest)

    fam = make_limited(Dying)
    return fam, Dying.made[0]


@pytest.mark.parametrize("code", [errno.ENOTCONN, errno.EIO, errno.ESTALE, errno.EACCES])
def test_a_dead_filesystem_is_named_and_tried_again(code, dying, monitor, told, spot, pump):
    fam, backend = dying
    for name in ("dead", "alive"):
        (spot / name).mkdir()
        (spot / name / "file").touch()
    dead = str(spot / "dead")
    backend.dead[dead] = code
    log = monitor(fam, spot, recursive=True)
    (row,) = gaps(fam)
    assert (row.path, row.backend) == (dead, "inotify")
    assert row.reason
    if code != errno.EACCES:
        assert os.strerror(code) in row.reason
    assert told.degraded == [dead]
    # Everything else goes on.
    (spot / "alive/new").touch()
    pump(fam, lambda: ("created", "alive/new") in log.events)
    (spot / "dead/new").touch()
    (spot / "dead/file").unlink()
    backend.tried.clear()
    pump(fam, lambda: backend.tried.count(dead) >= 3)
    assert told.degraded == [dead]
    backend.dead.clear()
    pump(fam, lambda: told.restored == [dead])
    fam.handle_event_set()
    assert gaps(fam) == []
    assert is_true(log, recursive=True)
    log.events.clear()
    (spot / "dead/later").mkdir()
    pump(fam, lambda: log.events)
    assert log.events == [("created", "dead/later")]


def test_a_limit_that_one_meets_does_not_keep_another_from_being_tried(
    dying, monitor, told, spot, pump
):
    """They are not covered for reasons that have nothing to do with each other."""
    fam, backend = dying
    make_directories(spot, 20)
    paths = sorted(str(path) for path in spot.iterdir())
    for number, path in enumerate(paths):
        backend.dead[path] = (errno.EIO, errno.ENOTCONN)[number % 2]
    log = monitor(fam, spot, recursive=True)
    assert gap_paths(fam) == set(paths)
    for path in paths[::-1]:
        Path(path, "new").touch()
        del backend.dead[path]
        pump(fam, lambda path=path: path in told.restored)
    assert is_true(log, recursive=True)


def test_a_filesystem_that_dies_while_it_is_monitored_is_named(dying, monitor, told, spot, pump):
    """As it is unmounted, its watch ends; then it can't be watched."""
    fam, backend = dying
    (spot / "mount").mkdir()
    mount = str(spot / "mount")
    log = monitor(fam, mount)
    backend.dead[mount] = errno.ENOTCONN
    (spot / "mount").rename(spot / "away")
    (spot / "mount").mkdir()
    pump(fam, lambda: gaps(fam))
    assert gap_paths(fam) == {mount} == set(told.degraded)
    (spot / "mount/new").touch()
    backend.dead.clear()
    pump(fam, lambda: told.restored == [mount])
    fam.handle_event_set()
    assert is_true(log)


def test_no_descriptor_of_one_that_tries_again_is_inherited(dying, monitor, spot):
    source = "import os; print(*os.listdir('/dev/fd'))"

    def child():
        command = [sys.executable, "-c", source]
        return set(subprocess.check_output(command, close_fds=False, text=True).split())

    fam, backend = dying
    fam.shutdown()
    inherited = child()
    with famcore.FileMonitor(type(backend)) as other:
        backend.made[-1].dead[str(spot)] = errno.EIO
        monitor(other, spot)
        assert gaps(other)
        assert child() == inherited
