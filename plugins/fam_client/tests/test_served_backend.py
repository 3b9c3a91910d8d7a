"""What each backend with a server says beyond what the kit asks: keys, changes, ends, limits."""

from __future__ import annotations

import errno
import itertools
import os
import resource
import select
import subprocess
import sys
import time

import pytest

from fam_client import ServedBackend
from famcore.backend import API, BackendLost, BackendUnavailable, Capability, Interest, Kind
from famcore.catalog import Status, find_backend

#: Seconds.
DEADLINE = 20


@pytest.fixture(params=["gamin", "fam"])
def found(request):
    found = find_backend(request.param)
    if found.status is not Status.USABLE:
        required = request.param in os.environ.get("FAM_REQUIRE_BACKENDS", "").split(",")
        (pytest.fail if required else pytest.skip)(str(found))
    return found


@pytest.fixture
def backend(found):
    backend = found.backend()
    yield backend
    backend.close()


@pytest.fixture
def spot(tmp_path):
    spot = tmp_path / "spot"
    spot.mkdir()
    return spot


def told(backend, enough):
    """What it says until that is `enough`."""
    end = time.monotonic() + DEADLINE
    changes = []
    while not enough(changes):
        select.select([backend.fileno()], [], [], 0.05)
        changes.extend(backend.read())
        assert time.monotonic() < end, f"too late: {changes}"
    return changes


def begin(backend, directory, interest=Interest.ALL):
    """Watch a directory, and wait until the server tells of it: the key."""
    key = backend.watch(str(directory), Interest.ALL)
    end = time.monotonic() + DEADLINE
    # What is there before it begins is not told; nor is all, if that is much: gamin polls then.
    for number in itertools.count():
        (directory / f"probe{number}").touch()
        select.select([backend.fileno()], [], [], 0.4)
        if any(change.key == key for change in backend.read()):
            break
        assert time.monotonic() < end, "too late"
    (directory / "last").touch()
    told(backend, lambda changes: any(change.name == "last" for change in changes))
    assert backend.watch(str(directory), interest) == key
    return key


def told_until_later(backend, directory):
    """What it says until it tells of something that is made now."""
    said = []
    for number in range(DEADLINE):
        # Not each name is told of a directory in which much has happened.
        (directory / f"later{number}").touch()
        end = time.monotonic() + 2
        while time.monotonic() < end:
            select.select([backend.fileno()], [], [], 0.05)
            said.extend(backend.read())
            if any(change.name.startswith("later") for change in said):
                return said
    pytest.fail(f"too late: {said}")


def of(changes, *names):
    """Kind and name of those changes that are of these names."""
    return [(change.kind, change.name) for change in changes if change.name in names]


# --- the class


#: What other systems lack.
ELSEWHERE = """
import os, select, signal, sys

for module, names in (
    (select, "poll epoll EPOLLIN POLLIN POLLOUT POLLHUP POLLERR POLLNVAL"),
    (os, "eventfd EFD_CLOEXEC EFD_NONBLOCK pidfd_open O_DIRECTORY O_NOFOLLOW"),
    (signal, "SIGKILL pidfd_send_signal"),
):
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
import fam_client, fam_gamin, fam_sgi
"""


def test_it_is_imported_where_nothing_is_that_it_needs():
    subprocess.run([sys.executable, "-c", ELSEWHERE], check=True, timeout=60)


def test_it_says_what_it_can_do_and_no_more(found):
    assert found.backend.api == API
    assert 40 <= found.backend.priority <= 69
    assert found.backend.capabilities == Capability.LIVE | Capability.CONTENTS
    assert issubclass(found.backend, ServedBackend)


def test_it_names_its_library_and_server(found):
    assert "lib" in found.about
    assert any(server in found.about for server in ("gam_server", "famd"))


# --- changes


def test_an_entry_is_told_of_as_it_comes_changes_and_goes(backend, spot):
    key = begin(backend, spot)
    (spot / "a").touch()
    said = told(backend, lambda changes: of(changes, "a"))
    assert said[0][:3] == (Kind.CREATED, key, "a")
    (spot / "a").write_text("more")
    said = told(backend, lambda changes: (Kind.CHANGED, "a") in of(changes, "a"))
    assert {change.key for change in said} == {key}
    (spot / "a").unlink()
    told(backend, lambda changes: (Kind.DELETED, "a") in of(changes, "a"))


@pytest.mark.parametrize(
    "name", ["späß", "with blank", os.fsdecode(b"\xff\xfe"), "-rf", "*", "x" * 255]
)
def test_odd_names_are_told_as_they_are(backend, spot, name):
    begin(backend, spot)
    (spot / name).touch()
    told(backend, lambda changes: (Kind.CREATED, name) in of(changes, name))


def test_what_happens_in_a_subdirectory_is_no_change_of_it(backend, spot):
    (spot / "below").mkdir()
    begin(backend, spot)
    (spot / "below/file").touch()
    assert of(told_until_later(backend, spot), "below") == []


def test_the_mode_of_a_subdirectory_is_told(backend, spot):
    (spot / "below").mkdir()
    begin(backend, spot)
    (spot / "below").chmod(0o700)
    told(backend, lambda changes: (Kind.CHANGED, "below") in of(changes, "below"))


def test_a_file_is_watched(backend, spot):
    (spot / "file").touch()
    key = backend.watch(str(spot / "file"))
    end = time.monotonic() + DEADLINE
    while not (said := list(backend.read())):
        (spot / "file").write_text(str(end))
        select.select([backend.fileno()], [], [], 0.01)
        assert time.monotonic() < end, "too late"
    assert said[0][:3] == (Kind.CHANGED, key, "")


def test_a_file_that_goes_ends_its_watch(backend, spot):
    begin(backend, spot)
    (spot / "file").touch()
    key = backend.watch(str(spot / "file"))
    told(backend, lambda changes: of(changes, "file"))
    assert backend.watch(str(spot / "file")) == key
    (spot / "file").unlink()
    told(backend, lambda changes: (Kind.GONE, key) in [change[:2] for change in changes])


@pytest.mark.parametrize("goes", ["removed", "renamed"])
def test_a_directory_that_goes_ends_its_watch_which_is_told_once(backend, spot, goes):
    below = spot / "below"
    below.mkdir()
    begin(backend, spot)
    key = begin(backend, below)
    if goes == "renamed":
        below.rename(spot / "elsewhere")
    else:
        for entry in below.iterdir():
            entry.unlink()
        below.rmdir()
    said = told(backend, lambda changes: any(change.kind is Kind.GONE for change in changes))
    said += told_until_later(backend, spot)
    assert [change.key for change in said if change.kind is Kind.GONE] == [key]
    after = said[[change.kind for change in said].index(Kind.GONE) + 1 :]
    assert key not in [change.key for change in after]
    backend.unwatch(key)


# --- keys


def test_a_path_watched_again_has_the_key_that_is_out(backend, spot):
    key = backend.watch(str(spot))
    assert backend.watch(str(spot), Interest.SELF) == key


def test_another_thing_at_a_path_has_another_key(backend, spot):
    below = spot / "below"
    below.mkdir()
    key = backend.watch(str(below))
    below.rename(spot / "elsewhere")
    below.mkdir()
    assert backend.watch(str(below)) != key


@pytest.mark.parametrize(
    ("interest", "kinds"), [(Interest.SELF, set()), (Interest.ENTRIES, {Kind.CREATED})]
)
def test_no_more_is_told_than_is_of_interest(backend, spot, interest, kinds):
    begin(backend, spot)
    below = spot / "below"
    below.mkdir()
    key = begin(backend, below, interest)
    (below / "file").write_text("")
    (below / "file").write_text("more")
    said = told_until_later(backend, spot)
    assert {change.kind for change in said if change.key == key} == kinds


# --- what it refuses


def test_a_path_too_long_for_the_server_is_refused_and_nothing_else_harmed(backend, spot):
    key = begin(backend, spot)
    deep = spot
    while len(os.fsencode(str(deep))) <= backend.longest_path:
        name = "d" * min(200, max(1, backend.longest_path - len(os.fsencode(str(deep)))))
        here = os.open(deep, os.O_PATH)
        os.mkdir(name, dir_fd=here)
        os.close(here)
        deep = deep / name
    with pytest.raises(OSError, match="bytes of path that") as caught:
        backend.watch(str(deep))
    assert caught.value.errno == errno.ENAMETOOLONG
    assert caught.value.filename == str(deep)
    (spot / "still").touch()
    said = told(backend, lambda changes: of(changes, "still"))
    assert said[-1].key == key


#: Watches, as another user, a directory; exits by what that raises.
AS_NOBODY = """
import os, sys
from famcore.catalog import find_backend
backend = find_backend(sys.argv[1]).backend
os.setresuid(65534, 65534, 65534)
try:
    backend().watch(sys.argv[2])
except PermissionError as error:
    assert error.filename == sys.argv[2]
else:
    sys.exit("it was not refused")
"""


def test_a_directory_that_may_not_be_read_is_refused(found, spot):
    if os.getuid() != 0:
        pytest.skip("to become another user takes root")
    spot.chmod(0o711)
    # gam_server is looked for by the name of the user that the process has had first.
    subprocess.run([sys.executable, "-c", AS_NOBODY, found.name, str(spot)], check=True)


# --- its end


def test_it_leaves_no_descriptor_and_no_server(found, spot):
    counts = []
    for _ in range(5):
        backend = found.backend()
        backend.watch(str(spot))
        backend.close()
        counts.append(len(os.listdir("/proc/self/fd")))
    assert len(set(counts)) == 1


def test_what_can_not_be_opened_whole_leaves_no_descriptor(found):
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = os.listdir("/proc/self/fd")
    lowest = os.dup(0)
    os.close(lowest)
    for limit in range(lowest, lowest + 50):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, usual[1]))
            found.backend().close()
        except (OSError, BackendUnavailable):
            is_open = False
        else:
            is_open = True
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, usual)
        assert os.listdir("/proc/self/fd") == before
        if is_open:
            break
    else:
        pytest.fail("it is not opened at all")
    assert limit > lowest + 1


def test_reading_never_waits(backend, spot):
    backend.watch(str(spot))
    began = time.monotonic()
    while time.monotonic() - began < 1:
        before = time.monotonic()
        try:
            list(backend.read())
        except BackendLost as error:
            pytest.fail(str(error))
        assert time.monotonic() - before < 0.5
