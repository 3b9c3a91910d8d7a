"""A backend that tells of a file's content by the file's own watch alone: the core sets those."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable

import pytest

from famcore import FileMonitor, WatchLimitReached, hookimpl
from famcore.backend import BackendLost, Capability, Change, Interest, Kind
from famcore.catalog import Status, find_backends
from famcore.testing import SCENARIOS, Recorder

EACH = [
    found.backend
    for found in find_backends()
    if found.status is Status.USABLE
    and found.backend
    and Capability.EACH in found.backend.capabilities
]

pytestmark = [
    pytest.mark.usefixtures("deadline"),
    pytest.mark.skipif(not EACH, reason="no backend is installed of which to make such a one"),
]


@pytest.fixture(params=["unnamed", "named"])
def backend(request):
    """It says which names come and go in a directory, or that some do; of contents nothing."""

    class OwnWatches(EACH[0]):
        name = "own-watches"
        capabilities = Capability.LIVE | Capability.EXACT
        #: Key → the path it was given out for.
        held = {}  # noqa: RUF012 - a class for each test
        most = None
        is_lost = False

        def watch(self, path, interest=Interest.ALL):
            if self.most is not None and len(self.held) >= self.most:
                raise WatchLimitReached(path, "most", self.most, "have more", code=errno.EMFILE)
            key = super().watch(path, interest)
            self.held[key] = path
            return key

        def unwatch(self, key):
            self.held.pop(key, None)
            super().unwatch(key)

        def read(self) -> Iterable[Change]:
            if self.is_lost:
                type(self).is_lost = False
                self.held.clear()
                raise BackendLost("it is gone")
            told: dict[Change, None] = {}
            for each in super().read():
                change = Change(*each)._replace(cookie=0)
                if change.kind is Kind.GONE:
                    self.held.pop(change.key, None)
                if change.name and change.kind is Kind.CHANGED:
                    continue
                if change.name and request.param == "unnamed":
                    change = Change(Kind.RESCAN, change.key)
                told[change] = None
            return list(told)

    return OwnWatches


@pytest.fixture
def fam(make_fam, backend, told):
    return make_fam(backend=backend, consumers=[told], audit=0.1)


@pytest.fixture
def events(fam, spot):
    """What a recursive monitor is told, since it was set on a directory with files in two."""
    (spot / "s").mkdir()
    for name in ("a", "b", "s/c"):
        (spot / name).touch()
    events = []
    fam.add_monitor(spot, events.append, recursive=True)
    while fam.handle_events(0):
        pass
    events.clear()
    return events


def actions(events):
    return [(str(event.action), event.filename) for event in events]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_on_one_that_tells_of_each_file_by_its_own_watch(scenario, backend, carry_out):
    carry_out(scenario, backend)


def test_what_nobody_monitors_any_more_is_not_watched(fam, backend, spot):
    def watched():
        return {os.path.relpath(path, spot) for path in backend.held.values()}

    for name in ("a", "b"):
        (spot / name).touch()
    (spot / "s").mkdir()
    fam.handle_events(0)
    on_file, on_spot = fam.add_monitor(spot / "a"), fam.add_monitor(spot)
    fam.handle_events(0)
    assert watched() > {".", "a", "b", "s"}
    fam.remove_monitor(on_spot)
    fam.handle_events(0)
    assert watched() & {".", "a", "b", "s"} == {".", "a"}
    fam.remove_monitor(on_file)
    fam.handle_events(0)
    assert watched() <= {".."}


def test_a_file_goes_on_being_watched_for_its_directory(fam, pump, spot):
    (spot / "a").touch()
    told = []
    on_file, _ = fam.add_monitor(spot / "a"), fam.add_monitor(spot, told.append)
    fam.handle_events(0)
    fam.remove_monitor(on_file)
    told.clear()
    (spot / "a").write_text("more")
    pump(fam, lambda: told)
    assert actions(told) == [("changed", "a")]


def test_a_file_that_no_watch_was_left_for_is_named(fam, backend, spot, told, pump):
    for number in range(10):
        (spot / f"f{number}").touch()
    heard = []
    fam.start()
    fam.add_monitor(spot)
    fam.handle_events(0)
    backend.most = len(backend.held) - 4
    fam.remove_monitor(next(iter(fam.handles)))
    fam.add_monitor(spot, heard.append)
    fam.handle_events(0)
    missed = {row.path for row in fam.coverage() if not row.covered}
    assert len(missed) == 4
    assert missed < {str(spot / f"f{number}") for number in range(10)}
    assert all("most = " in row.reason for row in fam.coverage() if not row.covered)
    for path in missed:
        with open(path, "w") as file:
            file.write("not heard")
    backend.most = None
    pump(fam, lambda: all(row.covered for row in fam.coverage()))
    while fam.handle_events(0.1):
        pass
    changed = {event.path for event in heard if event.action == "changed"}
    assert changed == missed
    assert sorted(told.restored) == sorted(missed)


def test_what_was_written_while_the_backend_was_lost_is_told(fam, backend, spot, events, pump):
    backend.is_lost = True
    (spot / "a").write_text("more")
    (spot / "s" / "c").write_text("more")
    (spot / "new").touch()
    pump(fam, lambda: len(events) >= 3)
    while fam.handle_events(0.05):
        pass
    # Perhaps of that, too, which was made just before.
    told = sorted(set(actions(events)) - {("changed", "b")})
    assert told == [("changed", "a"), ("changed", "s/c"), ("created", "new")]
    assert len(events) - len(told) <= 1


def test_of_a_lost_backend_directories_are_named_and_not_each_file(
    fam, backend, spot, events, told, pump
):
    backend.is_lost = True
    (spot / "a").write_text("more")
    pump(fam, lambda: told.restored)
    assert {str(spot), str(spot / "s")} < set(told.degraded)
    assert not any(os.path.isfile(path) for path in told.degraded)


def test_each_name_of_a_file_is_told_of_its_change(fam, spot, events, pump):
    os.link(spot / "a", spot / "s" / "again")
    pump(fam, lambda: events)
    while fam.handle_events(0.05):
        pass
    events.clear()
    (spot / "s" / "again").write_text("more")
    pump(fam, lambda: len(events) >= 2)
    assert sorted(actions(events)) == [("changed", "a"), ("changed", "s/again")]


def test_what_replaces_a_file_is_heard_from_then_on(fam, spot, events, pump):
    for number in range(3):
        (spot / "t").write_text(str(number))
        (spot / "t").rename(spot / "a")
        pump(fam, lambda: ("changed", "a") in actions(events))
        while fam.handle_events(0.05):
            pass
        events.clear()
        (spot / "a").write_text("more")
        pump(fam, lambda: events)
        assert actions(events) == [("changed", "a")]
        events.clear()


def test_a_file_that_a_hook_ignores_is_not_watched(backend, spot):
    class Picky:
        @hookimpl
        def fam_ignore(self, path):
            return path.endswith("/b")

    for name in ("a", "b"):
        (spot / name).touch()
    with FileMonitor(backend, consumers=[Picky()]) as fam:
        fam.add_monitor(spot)
        fam.handle_events(0)
        assert str(spot / "a") in backend.held.values()
        assert str(spot / "b") not in backend.held.values()


def test_two_hundred_files_in_fifty_directories_are_folded(backend, spot):
    with Recorder(backend, ()) as recorder:
        recorder.monitor(spot, recursive=True)
        recorder.rest()
        for number in range(50):
            directory = spot / f"d{number}"
            directory.mkdir()
            for name in "abcd":
                (directory / name).write_text("x")
            if number % 3 == 0:
                directory.rename(spot / f"e{number}")
            elif number % 3 == 1:
                (directory / "a").rename(spot / f"f{number}")
        recorder.rest()
        assert list(recorder.wrongs()) == []


def test_a_link_that_was_replaced_twice_and_has_its_inode_again_leads_elsewhere(fam, spot, pump):
    for name in ("one", "two", "three"):
        (spot / name).mkdir()
        (spot / name / f"in-{name}").touch()
    link, new = spot / "link", spot / "new"
    link.symlink_to("one")
    told = []
    fam.add_monitor(link, told.append)
    while fam.handle_events(0.05):
        pass
    told.clear()
    inode = link.lstat().st_ino
    for _ in range(100):
        for target in ("two", "three"):
            new.symlink_to(target)
            new.replace(link)
        if link.lstat().st_ino == inode:
            break
    else:
        pytest.skip("this filesystem gives out inode numbers once")
    pump(fam, lambda: told and told[-1].filename == str(link))
    assert actions(told) == [
        ("deleted", "in-one"),
        ("created", "in-three"),
        ("changed", str(link)),
    ]


def test_a_link_that_is_given_another_name_leads_where_it_did(fam, spot, pump):
    (spot / "d").mkdir()
    (spot / "d" / "a").touch()
    link, told = spot / "link", []
    link.symlink_to("d")
    fam.add_monitor(link, told.append)
    while fam.handle_events(0.05):
        pass
    told.clear()
    os.link(link, spot / "again", follow_symlinks=False)
    while fam.handle_events(0.05):
        pass
    assert actions(told) == []
    (spot / "d" / "b").touch()
    pump(fam, lambda: told)
    assert actions(told) == [("created", "b")]
