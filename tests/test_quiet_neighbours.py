"""What goes on beside a monitored path, and directories that an ordinary user may not read."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from famcore import DEFAULT_IGNORE, FileMonitor
from famcore.backend import Interest
from famcore.catalog import find_backends
from famcore.testing import Recorder
from famcore.testing.fold import Fold

LIVE = [found for found in find_backends() if found.live]
#: Files that are made, and removed again.
STORM = 10_000
#: Changes that may be read all the same.
ALMOST_NOTHING = 10
#: A user and a group that own nothing.
NOBODY = 65_534
#: Seconds between two looks at what can't be watched.
AUDIT = 0.2

pytestmark = pytest.mark.usefixtures("deadline")


def counting(backend):
    class Counting(backend):
        """Knows what it was asked to watch, and how much it had to tell."""

        def __init__(self):
            super().__init__()
            type(self).asked = []
            type(self).read_so_far = 0

        def watch(self, path, interest=Interest.ALL):
            self.asked.append(path)
            return super().watch(path, interest)

        def read(self):
            changes = list(super().read())
            type(self).read_so_far += len(changes)
            return changes

    return Counting


@pytest.fixture(params=LIVE, ids=lambda found: found.name)
def backend(request):
    if request.param.backend is None:
        pytest.skip(str(request.param))
    return counting(request.param.backend)


# --- a storm beside what is monitored

SCRIPT = """
import os, sys
place, count = sys.argv[1:]
for number in range(int(count)):
    path = f"{place}/{number}"
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    os.unlink(path)
"""


@pytest.fixture
def crowded(tmp_path):
    """A directory as /tmp is, with something of ours in it."""
    (tmp_path / "d/s").mkdir(parents=True)
    (tmp_path / "d/s/file").touch()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("d")
    return tmp_path


@pytest.fixture
def recorder(backend):
    with Recorder(backend, DEFAULT_IGNORE) as recorder:
        yield recorder


def settle(recorder):
    """Come to rest."""
    recorder.rest()
    assert list(recorder.wrongs()) == []
    recorder.forget()


def storm(recorder, place):
    """Deliver while files are made and removed in a process of its own."""
    settle(recorder)
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(place), str(STORM)])
    while process.poll() is None:
        recorder.fam.handle_events(0.01)
    assert process.returncode == 0
    recorder.rest()
    assert list(recorder.wrongs()) == []


@pytest.mark.parametrize(
    ("path", "recursive"), [("d", False), ("d", True), ("d/s", False), ("d/s/file", False)]
)
def test_a_storm_above_a_monitored_path_is_hardly_read(path, recursive, backend, recorder, crowded):
    log = recorder.monitor(crowded / path, recursive=recursive)
    settle(recorder)
    before = backend.read_so_far
    storm(recorder, crowded)
    assert backend.read_so_far - before <= ALMOST_NOTHING
    assert log.events == []
    (crowded / "d/s/file").chmod(0o600)
    (crowded / "d/s").chmod(0o700)
    recorder.rest(lambda: log.events)
    assert log.events


@pytest.mark.parametrize("path", ["file", "link", "missing"])
def test_nothing_is_told_of_a_storm_around_a_monitored_path(path, recorder, crowded):
    """Only the directory tells what such a name comes to be, so it is heard there."""
    log = recorder.monitor(crowded / path)
    storm(recorder, crowded)
    assert log.events == []
    with contextlib.suppress(FileNotFoundError):
        (crowded / path).unlink()
    (crowded / path).touch()
    recorder.rest(lambda: log.fold.standing == {"": False})
    assert log.fold.standing == {"": False}
    assert list(recorder.wrongs()) == []


# --- as an ordinary user


@contextlib.contextmanager
def as_nobody():
    """What is done within is done with the rights of an ordinary user."""
    groups, group = os.getgroups(), os.getegid()
    os.setgroups([])
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


class Ordinary:
    """A `FileMonitor` that an ordinary user runs."""

    def __init__(self, backend, place, heard):
        self.place = place
        self.heard = heard
        self.fam = FileMonitor(backend, consumers=[heard], audit=AUDIT)
        self.events = []

    def monitor(self, path, **options):
        """Set a monitor, and return what its events leave standing."""
        fold = Fold(str(path))

        def told(event):
            self.events.append((str(event.action), event.filename))
            fold.add(event)

        with as_nobody():
            self.fam.add_monitor(path, told, **options)
        self.rest(lambda: ("endExist", str(path)) in self.events)
        return fold

    def rest(self, holds):
        """Deliver until it does."""
        with as_nobody():
            while self.fam.handle_events(0.02) or not holds():
                pass

    def told(self, count):
        """What was told since the last time, so many events at least."""
        self.rest(lambda: len(self.events) >= count)
        events = self.events.copy()
        self.events.clear()
        return events

    def uncovered(self):
        return [row for row in self.fam.coverage() if not row.covered]


@pytest.fixture
def place():
    """A directory of root's that others may only pass through; `own` in it is an ordinary user's.

    Not in pytest's own directory, which is for one user alone.
    """
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    place = Path(tempfile.mkdtemp())
    (place / "own").mkdir(0o755)
    (place / "own/file").touch()
    os.chown(place / "own", NOBODY, NOBODY)
    place.chmod(0o711)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def ordinary(backend, place, told):
    with FileMonitor(backend):
        pass  # what it imports late may be out of an ordinary user's reach
    ordinary = Ordinary(backend, place, told)
    with as_nobody():
        ordinary.fam.start()
    yield ordinary
    ordinary.fam.shutdown()
    assert ordinary.heard.of("error") == []


def test_what_is_below_a_directory_that_may_only_be_passed_is_covered(ordinary, place):
    """Nobody but root may watch it, of which nothing need be said."""
    for path in ("own", "own/file"):
        ordinary.monitor(place / path)
    ordinary.monitor(place / "own", recursive=True)
    assert ordinary.uncovered() == []
    assert ordinary.heard.of("degraded") == []
    ordinary.events.clear()
    (place / "own/new").mkdir()
    assert ordinary.told(2) == [("created", "new"), ("created", "new")]
    (place / "own/file").chmod(0o600)
    assert sorted(ordinary.told(3)) == [
        ("changed", str(place / "own/file")),
        ("changed", "file"),
        ("changed", "file"),
    ]
    assert ordinary.uncovered() == []
    assert ordinary.heard.of("degraded") == []


def test_what_goes_there_and_comes_is_told(ordinary, place):
    fold = ordinary.monitor(place / "own")
    ordinary.events.clear()
    for _ in range(2):
        (place / "own").rename(place / "away")
        assert ordinary.told(2) == [("deleted", "file"), ("deleted", str(place / "own"))]
        (place / "away").rename(place / "own")
        assert ordinary.told(2) == [("created", str(place / "own")), ("created", "file")]
    (place / "own/new").touch()
    assert ordinary.told(1) == [("created", "new")]
    assert fold.breaches == []
    assert ordinary.heard.of("degraded") == []


@pytest.mark.parametrize("is_directory", [False, True])
def test_what_comes_to_be_there_is_told(is_directory, ordinary, place):
    path = place / "missing"
    ordinary.monitor(path)
    ordinary.events.clear()
    (path.mkdir if is_directory else path.touch)(0o755)
    assert ordinary.told(1) == [("created", str(path))]
    (path.rmdir if is_directory else path.unlink)()
    assert ordinary.told(1) == [("deleted", str(path))]
    assert ordinary.uncovered() == []
    assert ordinary.heard.of("degraded") == []


def test_what_is_renamed_there_amid_its_listing_is_told_as_gone_afterwards(ordinary, place):
    """Only a look tells, which is not to come between the names that exist."""
    for number in range(3_000):
        (place / "own" / str(number)).touch()
    fold = Fold(str(place / "own"))
    seen = []

    def handle(event):
        fold.add(event)
        seen.append(event)
        if len(seen) == 10:
            os.seteuid(0)
            (place / "own").rename(place / "away")
            os.seteuid(NOBODY)
            time.sleep(2 * AUDIT)

    with as_nobody():
        ordinary.fam.add_monitor(place / "own", handle)
    ordinary.rest(lambda: len(seen) > 3_000 and not fold.standing)
    assert fold.breaches == []


# --- what may not be read


def make_closed(path):
    path.mkdir(0o700)
    (path / "file").touch()


@pytest.fixture(params=["there before", "made later", "renamed in"])
def closed(request, ordinary, place):
    """A directory that may not be read, in one that is monitored, at rest."""
    closed = place / "own/closed"
    if request.param == "there before":
        make_closed(closed)
    elif request.param == "renamed in":
        make_closed(place / "closed")
    ordinary.fold = ordinary.monitor(place / "own", recursive=True)
    if request.param == "made later":
        make_closed(closed)
    elif request.param == "renamed in":
        (place / "closed").rename(closed)
    ordinary.rest(ordinary.uncovered)
    ordinary.events.clear()
    return str(closed)


def test_a_directory_that_may_not_be_read_is_named(ordinary, closed):
    (row,) = ordinary.uncovered()
    assert row.path == closed
    assert row.backend == ordinary.fam.backend
    assert "permission denied" in row.reason
    assert row.remedy
    assert ordinary.heard.of("degraded") == [(closed, row.reason)]
    assert ordinary.heard.restored == []
    assert ordinary.fold.standing == {"": True, "file": False, "closed": True}


def test_it_is_named_once_however_often_it_is_tried(ordinary, place, backend, caplog):
    caplog.set_level(logging.INFO)
    make_closed(place / "own/closed")
    ordinary.monitor(place / "own", recursive=True)
    ordinary.rest(ordinary.uncovered)
    path = str(place / "own/closed")
    tried = backend.asked.count(path)
    ordinary.rest(lambda: backend.asked.count(path) > tried)
    assert len(ordinary.heard.of("degraded")) == 1
    (record,) = [record for record in caplog.records if path in record.getMessage()]
    assert record.levelno == logging.WARNING
    assert "permission denied" in record.getMessage()


def test_all_around_it_is_told(ordinary, closed, place):
    (place / "own/new").mkdir()
    assert ordinary.told(1) == [("created", "new")]
    (place / "own/new/file").touch()
    assert ordinary.told(1) == [("created", "new/file")]
    (place / "own/file").chmod(0o600)
    assert ordinary.told(1) == [("changed", "file")]
    (row,) = ordinary.uncovered()
    assert row.path == closed


def test_once_it_may_be_read_all_in_it_is_told(ordinary, closed, place):
    Path(closed, "unheard").touch()
    os.chmod(closed, 0o755)
    ordinary.rest(lambda: not ordinary.uncovered())
    assert ordinary.heard.restored == [closed]
    assert len(ordinary.heard.of("degraded")) == 1
    assert sorted(ordinary.events) == [
        ("changed", "closed"),
        ("created", "closed/file"),
        ("created", "closed/unheard"),
    ]
    ordinary.events.clear()
    Path(closed, "later").touch()
    assert ordinary.told(1) == [("created", "closed/later")]
    assert ordinary.fold.breaches == []


def test_one_that_is_renamed_is_named_anew_and_one_that_goes_no_more(ordinary, closed, place):
    other = str(place / "own/other")
    os.rename(closed, other)
    assert ordinary.told(2) == [("deleted", "closed"), ("created", "other")]
    (row,) = ordinary.uncovered()
    assert row.path == other
    assert ordinary.heard.degraded == [closed, other]
    shutil.rmtree(other)
    assert ordinary.told(1) == [("deleted", "other")]
    assert ordinary.uncovered() == []


@pytest.mark.parametrize("recursive", [False, True], ids=["plain", "recursive"])
def test_a_monitored_directory_that_may_not_be_read_is_told_once_it_may(recursive, ordinary, place):
    closed = place / "own/closed"
    make_closed(closed)
    ordinary.monitor(closed, recursive=recursive)
    assert ordinary.told(2) == [("exists", str(closed)), ("endExist", str(closed))]
    (row,) = ordinary.uncovered()
    assert row.path == str(closed)
    assert row.remedy
    closed.chmod(0o755)
    ordinary.rest(lambda: not ordinary.uncovered())
    assert ("created", "file") in ordinary.told(1)
    assert ordinary.heard.of("degraded") == [(str(closed), row.reason)]
    assert ordinary.heard.restored == [str(closed)]


def test_a_directory_that_may_no_longer_be_read_is_heard_all_the_same(ordinary, place):
    """The kernel asks when a watch is set, not later."""
    (place / "own/s").mkdir()
    ordinary.monitor(place / "own", recursive=True)
    ordinary.events.clear()
    (place / "own/s").chmod(0o700)
    assert ordinary.told(1) == [("changed", "s")]
    (place / "own/s/new").touch()
    assert ordinary.told(1) == [("created", "s/new")]
