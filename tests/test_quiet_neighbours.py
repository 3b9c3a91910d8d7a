"""What goes on beside a monitored path is not told, and hardly read."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest

from famcore import DEFAULT_IGNORE
from famcore.catalog import Status, find_backends
from famcore.testing import Recorder

LIVE = [found for found in find_backends() if found.live and found.status is Status.USABLE]
#: Files that are made, and removed again.
STORM = 10_000
#: Changes that may be read all the same.
ALMOST_NOTHING = 10

pytestmark = pytest.mark.usefixtures("deadline")


def counting(backend):
    class Counting(backend):
        """Knows how much it had to tell."""

        read_so_far = 0

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
