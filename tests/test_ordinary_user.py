"""What an ordinary user is told, who may not read every directory.

The one who runs the tests is root, and becomes another user: for good, as far as servers see it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import ClassVar

import pytest

from famcore import FileMonitor
from famcore.backend import Capability, Interest
from famcore.catalog import Status, find_backends
from famcore.testing.expected import (
    Told,
    changed,
    created,
    deleted,
    end_exist,
    exists,
    fits,
    in_any_order,
)
from famcore.testing.fold import Fold

LIVE = [found for found in find_backends() if found.live and found.status is Status.USABLE]
#: A user and a group that own nothing.
NOBODY = 65_534
#: Seconds between two looks at what can't be watched.
AUDIT = 0.2
#: Seconds. What has not been told by then never will.
PATIENCE = 20

pytestmark = pytest.mark.usefixtures("deadline")


@pytest.fixture(params=LIVE, ids=lambda found: found.name)
def backend(request):
    if request.param.backend is None:
        pytest.skip(str(request.param))

    class Asked(request.param.backend):
        """Knows what it was asked to watch."""

        asked: ClassVar[list] = []

        def watch(self, path, interest=Interest.ALL):
            self.asked.append(path)
            return super().watch(path, interest)

    return Asked


@contextlib.contextmanager
def as_nobody():
    """What is done within is done with the rights of an ordinary user."""
    groups, group = os.getgroups(), os.getgid()
    os.setgroups([])
    # A server that is started asks for the real ones, too.
    os.setresgid(NOBODY, NOBODY, group)
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(group, group, group)
        os.setgroups(groups)


class Ordinary:
    """A `FileMonitor` that an ordinary user runs."""

    def __init__(self, backend, place, heard):
        self.place = place
        self.heard = heard
        self.capabilities = backend.capabilities
        self.fam = FileMonitor(backend, consumers=[heard], audit=AUDIT)
        self.events = []

    def monitor(self, path, **options):
        """Set a monitor, and return what its events leave standing."""
        fold = Fold(str(path))

        def told(event):
            self.events.append(Told(event.action, event.filename))
            fold.add(event)

        with as_nobody():
            self.fam.add_monitor(path, told, **options)
        self.rest(lambda: end_exist(str(path)) in self.events)
        return fold

    def rest(self, holds):
        """Deliver until it does."""
        with as_nobody():
            while self.fam.handle_events(0.02) or not holds():
                pass

    def assert_told(self, *wanted):
        """This is told since the last time."""
        deadline = time.monotonic() + PATIENCE

        def is_told():
            return fits(self.events, wanted, self.capabilities)

        self.rest(lambda: is_told() or time.monotonic() > deadline)
        assert is_told(), self.events
        self.events.clear()

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
    # What is imported late may be out of an ordinary user's reach.
    backend.check()
    with FileMonitor("pseudo"):
        pass
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
    ordinary.assert_told(created("new"), created("new"))
    (place / "own/file").chmod(0o600)
    itself, entry = changed(str(place / "own/file")), changed("file")
    ordinary.assert_told(in_any_order(itself, entry, entry))
    assert ordinary.uncovered() == []
    assert ordinary.heard.of("degraded") == []


def test_what_goes_there_and_comes_is_told(ordinary, place):
    fold = ordinary.monitor(place / "own")
    ordinary.events.clear()
    for _ in range(2):
        (place / "own").rename(place / "away")
        ordinary.assert_told(deleted("file"), deleted(str(place / "own")))
        (place / "away").rename(place / "own")
        ordinary.assert_told(created(str(place / "own")), created("file"))
    (place / "own/new").touch()
    ordinary.assert_told(created("new"))
    assert fold.breaches == []
    assert ordinary.heard.of("degraded") == []


@pytest.mark.parametrize("is_directory", [False, True])
def test_what_comes_to_be_there_is_told(is_directory, ordinary, place):
    path = place / "missing"
    ordinary.monitor(path)
    ordinary.events.clear()
    (path.mkdir if is_directory else path.touch)(0o755)
    ordinary.assert_told(created(str(path)))
    (path.rmdir if is_directory else path.unlink)()
    ordinary.assert_told(deleted(str(path)))
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
    ordinary.assert_told(created("new"))
    (place / "own/new/file").touch()
    ordinary.assert_told(created("new/file"))
    (place / "own/file").chmod(0o600)
    ordinary.assert_told(changed("file"))
    (row,) = ordinary.uncovered()
    assert row.path == closed


def test_once_it_may_be_read_all_in_it_is_told(ordinary, closed, place):
    Path(closed, "unheard").touch()
    # By its stamps alone, what happens to it next at once could be taken for the new entry.
    os.utime(closed, (1, 1))
    os.chmod(closed, 0o755)
    ordinary.rest(lambda: not ordinary.uncovered())
    assert ordinary.heard.restored == [closed]
    assert len(ordinary.heard.of("degraded")) == 1
    come = created("closed/file"), created("closed/unheard")
    ordinary.assert_told(in_any_order(changed("closed"), *come))
    Path(closed, "later").touch()
    ordinary.assert_told(created("closed/later"))
    assert ordinary.fold.breaches == []


def test_one_that_is_renamed_is_named_anew_and_one_that_goes_no_more(ordinary, closed, place):
    other = str(place / "own/other")
    os.rename(closed, other)
    ordinary.assert_told(deleted("closed"), created("other"))
    (row,) = ordinary.uncovered()
    assert row.path == other
    assert ordinary.heard.degraded == [closed, other]
    shutil.rmtree(other)
    ordinary.assert_told(deleted("other"))
    assert ordinary.uncovered() == []


@pytest.mark.parametrize("recursive", [False, True], ids=["plain", "recursive"])
def test_a_monitored_directory_that_may_not_be_read_is_told_once_it_may(recursive, ordinary, place):
    closed = place / "own/closed"
    make_closed(closed)
    ordinary.monitor(closed, recursive=recursive)
    ordinary.assert_told(exists(str(closed)), end_exist(str(closed)))
    (row,) = ordinary.uncovered()
    assert row.path == str(closed)
    assert row.remedy
    closed.chmod(0o755)
    ordinary.rest(lambda: not ordinary.uncovered())
    ordinary.rest(lambda: created("file") in ordinary.events)
    assert ordinary.heard.of("degraded") == [(str(closed), row.reason)]
    assert ordinary.heard.restored == [str(closed)]


def test_a_directory_that_may_no_longer_be_read_is_heard_all_the_same_or_named(ordinary, place):
    """The kernel asks when a watch is set, not later; who looks again is refused."""
    (place / "own/s").mkdir()
    ordinary.monitor(place / "own", recursive=True)
    ordinary.events.clear()
    (place / "own/s").chmod(0o700)
    ordinary.assert_told(changed("s"))
    (place / "own/s/new").touch()
    if Capability.EXACT in ordinary.capabilities:
        ordinary.assert_told(created("s/new"))
    else:
        ordinary.rest(ordinary.uncovered)
        assert ordinary.heard.degraded == [str(place / "own/s")]
