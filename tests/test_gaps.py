"""What can't be covered, amid other things: what is told of it, and when it ends."""

from __future__ import annotations

import logging
import os
import shutil
import time

import pytest

import famcore
from famcore.backend import BackendLost, Interest
from famcore.catalog import find_backend
from famcore.testing.fold import Fold, names_on_disk

FOUND = find_backend("inotify")
pytestmark = pytest.mark.skipif(FOUND.backend is None, reason=str(FOUND))

#: Seconds at most between two looks at what can't be watched.
AUDIT = 0.05


@pytest.fixture
def refusing():
    """A class of backends that refuse some directories, as a user may be refused them."""

    class Refusing(FOUND.backend):
        refused: set = set()  # noqa: RUF012 - a class for each test
        held: dict = {}  # noqa: RUF012
        #: Raised by the next read.
        loss = None

        def watch(self, path, interest=Interest.ALL):
            if path in self.refused:
                raise PermissionError(13, "Permission denied", path)
            key = super().watch(path, interest)
            self.held[key] = path
            return key

        def unwatch(self, key):
            super().unwatch(key)
            self.held.pop(key, None)

        def read(self):
            if self.loss is not None:
                loss, Refusing.loss = self.loss, None
                raise loss
            return super().read()

    return Refusing


def gaps(fam):
    return [row.path for row in fam.coverage() if not row.covered]


def is_true(fold, path, *, recursive=False):
    found = names_on_disk(str(path), famcore.DEFAULT_IGNORE, recursive=recursive)
    return not fold.breaches and not list(fold.differences(found))


def fill(directory, count):
    directory.mkdir(parents=True)
    for number in range(count):
        (directory / str(number)).touch()


class Meddling(Fold):
    """A handler that does something amid the listing, and has a look become due."""

    def __init__(self, path, meddle):
        super().__init__(str(path))
        self.meddle = meddle
        self.count = 0

    def __call__(self, event):
        self.add(event)
        self.count += 1
        if self.count == 10:
            self.meddle()
            time.sleep(2 * AUDIT)


# --- amid a listing


def test_what_goes_amid_its_listing_is_not_told_as_gone_before_it_exists(
    make_fam, refusing, spot, pump
):
    """The directory above can't be watched: only a look at it tells."""
    refusing.refused.add(str(spot))
    fill(spot / "d", 3_000)
    fam = make_fam(backend=refusing, audit=AUDIT)
    fold = Meddling(spot / "d", lambda: shutil.rmtree(spot / "d"))
    fam.add_monitor(spot / "d", fold)
    pump(fam, lambda: fold.count >= 3_000 and not fold.standing)
    assert fold.breaches == []


def test_a_link_switched_amid_the_listing_leaves_nothing_of_what_it_led_to(
    make_fam, refusing, spot, pump
):
    refusing.refused.add(str(spot))
    for target in "12":
        for number in range(30):
            fill(spot / target / f"d{number}", 60)
    (spot / "link").symlink_to("1")

    def switch():
        (spot / "new").symlink_to("2")
        (spot / "2/only").touch()
        (spot / "new").rename(spot / "link")

    fam = make_fam(backend=refusing, audit=AUDIT)
    fold = Meddling(spot / "link", switch)
    number = fam.add_monitor(spot / "link", fold, recursive=True)
    pump(fam, lambda: is_true(fold, spot / "link", recursive=True))
    assert "only" in fold.standing
    fam.handle_event_set()
    fam.remove_monitor(number)
    fam.handle_event_set()
    assert refusing.held == {}


# --- whose gap it is


def test_a_gap_ends_with_the_monitor_of_a_directory_that_others_only_pass(
    make_fam, refusing, spot, told, pump
):
    (spot / "d").mkdir()
    refusing.refused.add(str(spot))
    fam = make_fam(backend=refusing, audit=AUDIT, consumers=[told])
    fam.add_monitor(spot / "d")
    first = fam.add_monitor(spot)
    fam.handle_event_set()
    assert str(spot) in gaps(fam)
    fam.remove_monitor(first)
    pump(fam, lambda: not gaps(fam))
    fam.handle_event_set()
    assert told.restored == told.degraded


def test_a_second_spelling_of_what_is_not_covered_is_named(make_fam, refusing, spot, told, pump):
    path, link = spot / "d", spot / "link"
    path.mkdir()
    link.symlink_to("d")
    refusing.refused.add(str(path))
    fam = make_fam(backend=refusing, audit=AUDIT, consumers=[told])
    for each in (path, link):
        fam.add_monitor(each)
        fam.handle_event_set()
    assert told.degraded == [str(path), str(link)]
    assert sorted(gaps(fam)) == [str(path), str(link)]
    refusing.refused.clear()
    pump(fam, lambda: not gaps(fam))
    fam.handle_event_set()
    assert sorted(told.restored) == [str(path), str(link)]


# --- the log


def lines(caplog, said):
    return [record.getMessage() for record in caplog.records if said in record.getMessage()]


def test_the_log_has_a_line_for_each_cause_and_one_once_all_is_heard_again(
    make_fam, refusing, spot, pump, caplog
):
    class Limited(refusing):
        full = False

        def watch(self, path, interest=Interest.ALL):
            if self.full and path.endswith("odd"):
                raise famcore.WatchLimitReached(path, "the.limit", 7, "raise it")
            return super().watch(path, interest)

    paths = [spot / f"d{number}" for number in range(4)]
    odd = [spot / f"d{number}odd" for number in range(4)]
    for path in (*paths, *odd):
        path.mkdir()
    fam = make_fam(backend=Limited, audit=AUDIT)
    fam.start()
    refusing.refused.update(map(str, paths))
    Limited.full = True
    fam.add_monitor(spot, recursive=True)
    fam.handle_event_set()
    unheard = lines(caplog, "not heard")
    assert sorted("the.limit" in line for line in unheard) == [False, True]
    assert all("3 more paths" in line for line in unheard)
    caplog.clear()
    refusing.refused.clear()
    Limited.full = False
    pump(fam, lambda: not gaps(fam))
    # In the same rest, or in one each.
    fam.handle_event_set()
    again = lines(caplog, "heard again")
    assert 1 <= len(again) <= 2
    assert lines(caplog, "not heard") == []


def test_the_log_does_not_fall_silent_however_often_a_backend_is_lost(
    make_fam, refusing, spot, pump, caplog
):
    fam = make_fam(backend=refusing, audit=AUDIT)
    fam.add_monitor(spot)
    fam.handle_event_set()
    opened = fam.coverage()
    for _ in range(5):
        caplog.clear()
        refusing.loss = BackendLost("the server is gone")
        pump(fam, lambda: lines(caplog, "heard again"))
        assert len(lines(caplog, "not heard: the server is gone")) == 1
        assert len(lines(caplog, "heard again")) == 1
        assert fam.coverage() == opened


def test_what_is_gone_is_restored_but_not_heard_again(make_fam, refusing, spot, told, pump, caplog):
    caplog.set_level(logging.INFO)
    gone = spot / "gone"
    gone.mkdir()
    refusing.refused.add(str(gone))
    fam = make_fam(backend=refusing, audit=AUDIT, consumers=[told])
    fam.add_monitor(spot, recursive=True)
    fam.handle_event_set()
    assert told.degraded == [str(gone)]
    os.rmdir(gone)
    pump(fam, lambda: told.restored)
    fam.handle_event_set()
    assert told.restored == [str(gone)]
    assert gaps(fam) == []
    assert lines(caplog, "heard again") == []
