"""Much happens at full speed in another process: no name is missing by the events, none too many.

A monitor that holds what it was told alone against the disk would find nothing to do.
"""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from famcore.backend import Capability
from famcore.catalog import Status, find_backends
from famcore.testing import Recorder, chaos
from famcore.testing.expected import Told, created, fits, in_any_order
from famcore.testing.fold import names_on_disk
from famcore.testing.oracle import counting

HERE = Path(__file__).parent
SCRIPT = HERE / "storms.py"
STORMS = runpy.run_path(str(SCRIPT))
CHAOS = ("-m", chaos.__name__)


LIVE = [found for found in find_backends() if found.live and found.status is Status.USABLE]
#: A filesystem in memory, on Linux.
MEMORY = "/dev/shm"
#: Random operations.
OPERATIONS = 10_000

pytestmark = pytest.mark.usefixtures("deadline")


@pytest.fixture(params=LIVE, ids=lambda found: found.name)
def backend(request):
    if request.param.backend is None:
        pytest.skip(str(request.param))
    return counting(request.param.backend)


@pytest.fixture(params=["in memory", "on disk"])
def place(request, backend, tmp_path):
    """Where storms are: so fast that all is over when it is heard of, and in step with the reader.

    Not kept, for it is much.
    """
    memory = request.param == "in memory"
    if backend.latency and not memory:
        pytest.skip("it is over when it is heard of, in memory or not")
    if memory and not os.access(MEMORY, os.W_OK):
        pytest.skip(f"there is no {MEMORY}")
    with tempfile.TemporaryDirectory(dir=MEMORY if memory else tmp_path) as name:
        place = Path(name)
        for directory in ("root", "out"):
            (place / directory).mkdir()
        yield place


@pytest.fixture
def recorder(backend):
    with Recorder(backend, ()) as recorder:
        yield recorder


@pytest.fixture(params=[True, False], ids=["recursive", "plain"])
def log(request, recorder, place):
    """Of a monitor where the storm is."""
    return recorder.monitor(place / "root", recursive=request.param)


def missing(log):
    """Names on disk that don't stand by the events."""
    return sorted(on_disk(log).keys() - log.fold.standing)


def phantom(log):
    """Names that stand by the events and are not on disk."""
    return sorted(log.fold.standing.keys() - on_disk(log))


def on_disk(log):
    return names_on_disk(log.path, (), recursive=log.recursive)


def deliver(recorder, *command):
    """Deliver while `command` does its work in a process of its own, and until all is at rest."""
    recorder.rest()
    storm = subprocess.Popen([sys.executable, *map(str, command)])
    try:
        while storm.poll() is None:
            recorder.fam.handle_events(0.01)
    finally:
        assert storm.wait() == 0
    rest(recorder)


def rest(recorder):
    """Come to rest; what all agrees with is not waited for."""
    while recorder.fam.handle_events(recorder.quiet):
        pass
    recorder.rest(lambda: not list(recorder.wrongs()))


def assert_all_told(recorder):
    for log in recorder.logs:
        assert missing(log) == []
        assert phantom(log) == []
    assert list(recorder.wrongs()) == []


def names_created(log):
    return [event.filename for event in log.events if event.action == "created"]


# --- made


@pytest.mark.parametrize("place", ["in memory"], indirect=True)
def test_a_hundred_thousand_files_made_in_one_burst_are_told(recorder, backend, log, place):
    """A fifth of them, where all takes longer."""
    count = STORMS["FILES"] // 5 if backend.latency else STORMS["FILES"]
    deliver(recorder, SCRIPT, "burst", place, count)
    assert_all_told(recorder)
    names = names_created(log)
    assert len(names) == count
    assert len(set(names)) == count


def test_chains_of_directories_that_are_filled_at_once_are_told(recorder, log, place):
    deliver(recorder, SCRIPT, "chains", place)
    assert_all_told(recorder)
    names = names_created(log)
    assert len(names) == STORMS["CHAINS"] * (2 * STORMS["DEPTH"] if log.recursive else 1)
    assert len(set(names)) == len(names)


def test_monitors_of_both_kinds_are_told_of_chains(recorder, place):
    for recursive in (False, True, False):
        recorder.monitor(place / "root", recursive=recursive)
    deliver(recorder, SCRIPT, "chains", place)
    assert_all_told(recorder)


# --- renamed


def test_trees_that_are_renamed_in_about_and_out_are_told(recorder, log, place):
    deliver(recorder, SCRIPT, "moves", place)
    assert_all_told(recorder)
    assert len(log.fold.standing) > (650 if log.recursive else 20)


def test_nothing_is_told_under_a_name_that_a_tree_had(recorder, backend, place):
    log = recorder.monitor(place / "root", recursive=True)
    deliver(recorder, SCRIPT, "moves", place)
    tree = re.compile(r"(left/)?(right/)?\d+-\d+")
    names = {stop.removeprefix("root/") for stops in STORMS["ways"]() for stop in stops}
    gone = set()
    for event in log.events:
        if found := tree.match(event.filename):
            top = found[0]
            assert top in names, f"{event!r} has never been there"
            assert top not in gone, f"{event!r} is under a name that was told as gone"
            if event.filename == top and event.action == "deleted":
                gone.add(top)
    # Where not each change is told, a tree that leaves at once may never have been there.
    assert len(gone) > STORMS["TREES"] or Capability.EACH not in backend.capabilities


def test_what_left_is_not_watched_and_what_stayed_is(recorder, backend, place):
    log = recorder.monitor(place / "root", recursive=True)
    deliver(recorder, SCRIPT, "moves", place)
    # Nothing is done in these any more by which they could be noticed later.
    (place / "root/left/right").rename(place / "out/right")
    rest(recorder)
    latecomer = counting(backend.__base__)
    with Recorder(latecomer, ()) as late:
        late.monitor(place / "root", recursive=True)
        late.rest()
        assert len(backend.held) == len(latecomer.held)
    recorder.forget()
    inside = [name for name, is_directory in on_disk(log).items() if is_directory]
    outside = [path for path in (place / "out").rglob("*") if path.is_dir()]
    assert inside
    assert outside
    for directory in (*outside, *(place / "root" / name for name in inside)):
        (directory / "last").touch()
    rest(recorder)
    came = [Told(event.action, event.filename, event.moved_from) for event in log.events]
    wanted = [created(f"{name}/last".lstrip("/")) for name in inside]
    if Capability.EACH not in backend.capabilities:
        wanted = [in_any_order(*wanted)]
    assert fits(came, wanted, backend.capabilities), came


# --- anything


@pytest.mark.parametrize(
    "left_out",
    [(), ("root_anew", "rmtree"), ("root_anew", "rmtree", "rmdir", "unlink")],
    ids=["little stays", "more stays", "much stays"],
)
def test_ten_thousand_random_operations_are_told(left_out, recorder, tmp_path):
    place = tmp_path / "chaos"
    chaos.prepare(place)
    for path, recursive in (("root", True), ("way", True), ("root", False)):
        recorder.monitor(place / path, recursive=recursive)
    deliver(recorder, *CHAOS, place, len(left_out), OPERATIONS, *left_out)
    assert_all_told(recorder)
