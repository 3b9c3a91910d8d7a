"""Trees that are deep, deeper than a path may be long, and directories of very many entries."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from famcore import FileMonitor
from famcore.backend import Capability
from famcore.catalog import Status, find_backends
from famcore.testing import Recorder
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
DEPTH = 1_000
MANY = 100_000
#: Events at both ends that a report shows.
SHOWN = 20
#: Bytes of a path with its final NUL.
PATH_MAX = os.pathconf("/", "PC_PATH_MAX")
#: A filesystem in memory, on Linux.
MEMORY = "/dev/shm"

pytestmark = pytest.mark.usefixtures("deadline")


@pytest.fixture(params=LIVE, ids=lambda found: found.name)
def backend(request):
    if request.param.backend is None:
        pytest.skip(str(request.param))
    return request.param.backend


@pytest.fixture
def recorder(backend):
    with Recorder(backend, ()) as recorder:
        yield recorder


@pytest.fixture
def place(tmp_path):
    """In memory if there is such a filesystem; removed by who can remove what is deep."""
    place = tempfile.mkdtemp(dir=MEMORY if os.access(MEMORY, os.W_OK) else tmp_path)
    yield Path(place)
    remove(place)


def remove(path):
    subprocess.run(["rm", "-rf", path], check=True)


@pytest.fixture
def assert_told(recorder, backend):
    """This is what was told since the last time, all being as it should be."""

    def assert_told(log, *wanted):
        while recorder.fam.handle_events(recorder.quiet):
            pass
        recorder.rest(lambda: not list(recorder.wrongs()))
        assert list(recorder.wrongs()) == []
        came = [Told(event.action, event.filename, event.moved_from) for event in log.events]
        recorder.forget()
        if Capability.EXACT not in backend.capabilities:
            # What a look has found, and the server tells late, comes in no order.
            each = [getattr(element, "events", (element,)) for element in wanted]
            wanted = (in_any_order(*itertools.chain(*each)),)
        is_told = fits(came, wanted, backend.capabilities)
        assert is_told, [str(told) for told in (*came[:SHOWN], *came[-SHOWN:])]

    return assert_told


# --- deep


@pytest.fixture
def levels(backend):
    """The names of directories each in the one before; fewer where all takes longer."""
    depth = DEPTH // 10 if backend.latency else DEPTH
    return lambda top: [top + "/d" * number for number in range(depth)]


def make_deep(place, names):
    for name in names:
        os.mkdir(f"{place}/{name}")


@pytest.fixture
def deep(recorder, place, levels, assert_told):
    """A monitor on a tree that is deep, that has been told what exists."""
    make_deep(place, levels("top"))
    log = recorder.monitor(place, recursive=True)
    assert_told(log, exists(str(place)), *map(exists, levels("top")), end_exist(str(place)))
    return log


def test_what_changes_at_the_bottom_of_a_deep_tree_is_told(deep, place, levels, assert_told):
    bottom = levels("top")[-1]
    (place / bottom / "file").touch()
    assert_told(deep, created(f"{bottom}/file"))
    (place / bottom / "file").chmod(0o600)
    assert_told(deep, changed(f"{bottom}/file"))
    (place / bottom / "file").unlink()
    assert_told(deep, deleted(f"{bottom}/file"))


def test_the_top_of_a_deep_tree_is_renamed(deep, place, levels, assert_told):
    (place / "top").rename(place / "other")
    assert_told(
        deep,
        *map(deleted, reversed(levels("top"))),
        *map(created, levels("other"), levels("top")),
    )
    bottom = levels("other")[-1]
    (place / bottom / "file").touch()
    assert_told(deep, created(f"{bottom}/file"))


def test_a_deep_tree_leaves_and_comes_back(deep, place, levels, assert_told):
    with tempfile.TemporaryDirectory(dir=place.parent) as outside:
        (place / "top").rename(f"{outside}/top")
        assert_told(deep, *map(deleted, reversed(levels("top"))))
        os.rename(f"{outside}/top", place / "top")
        assert_told(deep, *map(created, levels("top")))


def test_a_deep_tree_is_removed_and_made_again(deep, place, levels, assert_told):
    for _ in range(2):
        remove(place / "top")
        assert_told(deep, *map(deleted, reversed(levels("top"))))
        make_deep(place, levels("top"))
        assert_told(deep, *map(created, levels("top")))


# --- deeper than a path may be long

#: The name of each directory.
LONG = "d" * 200


class Monitor:
    """A recursive monitor, of which not all need be covered."""

    def __init__(self, backend, place, told):
        self.told = told
        self.fam = FileMonitor(backend, ignore=(), consumers=[told])
        self.fold = Fold(str(place))
        self.place = str(place)
        self.fam.add_monitor(place, self.fold.add, recursive=True)

    def rest(self, holds):
        """Deliver until it does."""
        while self.fam.handle_events(0.02) or not holds():
            pass
        assert self.fold.breaches == []
        assert self.told.of("error") == []

    def names(self):
        return self.fold.standing.keys()

    def uncovered(self):
        return [row for row in self.fam.coverage() if not row.covered]


@pytest.fixture
def monitor(backend, place, told):
    longest = getattr(backend, "longest_path", PATH_MAX)
    if longest + 2 * len(LONG) < PATH_MAX:
        pytest.skip(f"it can't watch what has a path of more than {longest} bytes")
    monitor = Monitor(backend, place, told)
    yield monitor
    monitor.fam.shutdown()


@contextlib.contextmanager
def working_in(place):
    before = os.open(".", os.O_RDONLY)
    os.chdir(place)
    try:
        yield
    finally:
        os.fchdir(before)
        os.close(before)


def make_too_deep(place):
    """A directory with a file in each level; the last ones have paths that no call takes."""
    with working_in(place):
        for _ in range(PATH_MAX // len(LONG) + 5):
            os.mkdir(LONG)
            os.chdir(LONG)
            Path("file").touch()


def reachable(place):
    """The names that a path leads to which a call takes."""
    path, name = str(place), ""
    while True:
        path, name = f"{path}/{LONG}", f"{name}/{LONG}"
        if len(path) >= PATH_MAX:
            return
        yield name[1:]
        if len(path) + len("/file") < PATH_MAX:
            yield f"{name[1:]}/file"


@pytest.fixture(params=[False, True], ids=["there before", "made later"])
def too_deep(request, monitor, place):
    """A monitor above directories of which the last ones can't be reached, at rest."""
    if not request.param:
        make_too_deep(place)
    monitor.fam.start()
    monitor.rest(lambda: "" in monitor.names())
    if request.param:
        make_too_deep(place)
    monitor.rest(monitor.uncovered)
    return monitor


def test_what_no_path_leads_to_is_named_by_coverage(too_deep, place):
    (row,) = too_deep.uncovered()
    assert row.path.startswith(f"{place}/{LONG}/{LONG}")
    assert len(row.path) < PATH_MAX <= len(f"{row.path}/{LONG}") or len(row.path) >= PATH_MAX
    assert "too long" in row.reason
    assert too_deep.told.of("degraded") == [(row.path, row.reason)]
    assert too_deep.told.restored == []
    # All that a path leads to stands by the events.
    assert {*reachable(place)} <= too_deep.names()
    assert not [name for name in too_deep.names() if f"{place}/{name}".startswith(row.path + "/")]


def test_it_goes_to_the_log_once(monitor, place, caplog):
    caplog.set_level(logging.WARNING)
    make_too_deep(place)
    monitor.fam.start()
    monitor.rest(monitor.uncovered)
    (row,) = monitor.uncovered()
    said = [record.getMessage() for record in caplog.records]
    assert len([line for line in said if row.path in line]) == 1


def test_everything_else_goes_on(too_deep, place):
    last = [name for name in reachable(place) if name.endswith("/file")][-1]
    (place / last).unlink()
    (place / "beside").mkdir()
    (place / "beside/file").touch()
    too_deep.rest(lambda: last not in too_deep.names() and "beside/file" in too_deep.names())


def test_what_becomes_reachable_is_told(too_deep, place):
    assert too_deep.uncovered()
    top = place / LONG
    # The upper ones are taken away, so that all the others have a path.
    for _ in range(8):
        (top / LONG).rename(place / "next")
        remove(top)
        (place / "next").rename(top)
    names = {""}
    with working_in(place):
        for directory, _, files in os.walk("."):
            for name in (directory, *(f"{directory}/{file}" for file in files)):
                names.add(name.removeprefix(".").removeprefix("/"))
    too_deep.rest(lambda: not too_deep.uncovered() and too_deep.names() == names)


def test_what_a_longer_name_above_puts_out_of_reach_is_named(monitor, place):
    with working_in(place):
        os.mkdir("top")
        os.chdir("top")
        for _ in range((PATH_MAX - len(f"{place}/top/file") - 1) // (len(LONG) + 1)):
            os.mkdir(LONG)
            os.chdir(LONG)
        Path("file").touch()
    monitor.fam.start()
    monitor.rest(lambda: any(name.endswith("file") for name in monitor.names()))
    assert monitor.uncovered() == []
    before = {*monitor.names()}
    (place / "top").rename(place / LONG)
    monitor.rest(monitor.uncovered)
    assert not [name for name in monitor.names() if name.startswith("top")]
    (place / LONG / "beside").touch()
    monitor.rest(lambda: f"{LONG}/beside" in monitor.names())
    (place / LONG).rename(place / "top")
    monitor.rest(lambda: not monitor.uncovered())
    assert monitor.names() == before | {"top/beside"}


# --- wide


@pytest.fixture
def names(backend):
    """Of its entries; fewer where all takes longer."""
    return [f"{number:06}" for number in range(MANY // 5 if backend.latency else MANY)]


def make_wide(directory, names):
    directory.mkdir()
    for name in names:
        os.close(os.open(f"{directory}/{name}", os.O_CREAT | os.O_EXCL | os.O_WRONLY))


def test_a_directory_of_very_many_entries_exists_and_changes(
    recorder, backend, place, names, assert_told
):
    wide = place / "wide"
    make_wide(wide, names)
    log = recorder.monitor(wide)
    assert_told(log, exists(str(wide)), in_any_order(*map(exists, names)), end_exist(str(wide)))
    (wide / "000007").chmod(0o600)
    (wide / "000008").unlink()
    (wide / "000009").rename(wide / "new")
    done = [changed("000007"), deleted("000008"), deleted("000009"), created("new", "000009")]
    # In the order in which it is told: of a directory that is listed, in any.
    assert_told(log, *(done if Capability.EACH in backend.capabilities else [in_any_order(*done)]))


def test_a_directory_of_very_many_entries_is_renamed_and_removed(
    recorder, place, names, assert_told
):
    make_wide(place / "wide", names)
    log = recorder.monitor(place, recursive=True)
    wide = [f"wide/{name}" for name in names]
    assert_told(
        log,
        exists(str(place)),
        in_any_order(*map(exists, ("wide", *wide))),
        end_exist(str(place)),
    )
    (place / "wide").rename(place / "other")
    other = [f"other/{name}" for name in names]
    assert_told(
        log,
        in_any_order(*map(deleted, wide)),
        deleted("wide"),
        created("other", "wide"),
        in_any_order(*map(created, other, wide)),
    )
    remove(place / "other")
    assert_told(log, in_any_order(*map(deleted, other)), deleted("other"))
