"""What inotify says beyond what the kit asks: keys, changes, ends, overflow, descriptor."""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import fam_inotify
from fam_inotify import InotifyBackend
from fam_inotify.binding import pyinotify
from fam_inotify.codes import watch_masks
from famcore.backend import API, Backend, BackendLost, Capability, Change, Interest, Kind

#: By their names: those made of several bits are left out where a flag is gone through.
INTERESTS = list(Interest.__members__.values())


@pytest.fixture
def backend():
    backend = InotifyBackend()
    yield backend
    backend.close()


@pytest.fixture
def queue(backend):
    """How many changes the kernel keeps: what the limit was when the instance was made."""
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if limit > 200_000:
        pytest.skip(f"fs.inotify.max_queued_events = {limit} is more than a test should fill")
    return limit


def told(backend):
    """All that the backend has to say now."""
    changes = []
    while batch := list(backend.read()):
        changes.extend(Change(*change) for change in batch)
    return changes


def descriptors():
    """Descriptors of this process → what they are of."""
    return {
        int(fd): os.readlink(f"/proc/self/fd/{fd}")
        for fd in os.listdir("/proc/self/fd")
        if os.path.lexists(f"/proc/self/fd/{fd}")
    }


def is_readable(backend):
    return bool(select.select([backend.fileno()], [], [], 0)[0])


def append(path):
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.write(descriptor, b"x")
    os.close(descriptor)


# --- the class


def test_it_is_found_by_its_entry_point():
    (found,) = entry_points(group="famcore.backends", name=InotifyBackend.name)
    assert found.load() is fam_inotify
    assert found.dist is not None
    assert found.dist.name == "fam-inotify"


def test_its_hook_returns_the_class():
    assert fam_inotify.fam_backend() is InotifyBackend
    assert issubclass(InotifyBackend, Backend)


def test_it_is_the_kernels_own_and_can_do_everything():
    assert InotifyBackend.api == API
    assert 70 <= InotifyBackend.priority <= 99
    assert set(InotifyBackend.capabilities) == set(Capability)
    assert InotifyBackend.latency == 0


# --- entries


def test_a_file_is_told_of_as_it_comes_changes_and_goes(backend, tmp_path):
    key = backend.watch(str(tmp_path))
    (tmp_path / "a").touch()
    append(tmp_path / "a")
    (tmp_path / "a").chmod(0o600)
    (tmp_path / "a").unlink()
    said = [(change.kind, change.key, change.name, change.is_directory) for change in told(backend)]
    assert said[0] == (Kind.CREATED, key, "a", False)
    assert set(said[1:-1]) == {(Kind.CHANGED, key, "a", False)}
    assert said[-1] == (Kind.DELETED, key, "a", False)


def test_a_directory_is_told_of_as_one(backend, tmp_path):
    key = backend.watch(str(tmp_path))
    (tmp_path / "s").mkdir()
    (tmp_path / "s").chmod(0o700)
    (tmp_path / "s/below").touch()
    (tmp_path / "s/below").unlink()
    (tmp_path / "s").rmdir()
    assert told(backend) == [
        Change(Kind.CREATED, key, "s", True),
        Change(Kind.CHANGED, key, "s", True),
        Change(Kind.DELETED, key, "s", True),
    ]


def test_a_link_to_a_directory_is_no_directory(backend, tmp_path):
    (tmp_path / "s").mkdir()
    key = backend.watch(str(tmp_path))
    (tmp_path / "l").symlink_to("s")
    assert told(backend) == [Change(Kind.CREATED, key, "l", False)]


def test_both_halves_of_a_rename_have_one_cookie(backend, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).touch()
    key = backend.watch(str(tmp_path))
    (tmp_path / "a").rename(tmp_path / "c")
    (tmp_path / "b").rename(tmp_path / "d")
    gone_a, come_c, gone_b, come_d = told(backend)
    assert gone_a[:3] == (Kind.DELETED, key, "a")
    assert come_c[:3] == (Kind.CREATED, key, "c")
    assert gone_a.cookie == come_c.cookie != 0
    assert gone_b.cookie == come_d.cookie != 0
    assert gone_a.cookie != gone_b.cookie


def test_a_rename_between_two_watches_has_one_cookie(backend, tmp_path):
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
    (tmp_path / "1/a").touch()
    one, two = (backend.watch(str(tmp_path / name)) for name in ("1", "2"))
    (tmp_path / "1/a").rename(tmp_path / "2/b")
    gone, come = told(backend)
    assert (gone.kind, gone.key, come.kind, come.key) == (Kind.DELETED, one, Kind.CREATED, two)
    assert gone.cookie == come.cookie != 0


def test_all_but_renames_have_no_cookie(backend, tmp_path):
    backend.watch(str(tmp_path))
    (tmp_path / "a").touch()
    (tmp_path / "a").unlink()
    assert {change.cookie for change in told(backend)} == {0}


@pytest.mark.parametrize(
    "name", [b"caf\xe9", b"\xff\xfe\x80", "caf\u00e9".encode(), b"two\nlines", b" ", b"x" * 255]
)
def test_a_name_is_told_as_fsdecode_gives_it(name, backend, tmp_path):
    key = backend.watch(str(tmp_path))
    os.mkdir(os.path.join(os.fsencode(tmp_path), name))
    assert told(backend) == [Change(Kind.CREATED, key, os.fsdecode(name), True)]


@pytest.mark.parametrize("name", [b"caf\xe9", b"two\nlines"])
def test_a_path_that_is_not_utf8_is_watched(name, backend, tmp_path):
    path = os.fsdecode(os.path.join(os.fsencode(tmp_path), name))
    Path(path).mkdir()
    key = backend.watch(path)
    Path(path, "a").mkdir()
    assert told(backend) == [Change(Kind.CREATED, key, "a", True)]


def test_every_change_of_a_burst_is_told_in_order(backend, queue, tmp_path):
    backend.watch(str(tmp_path))
    names = [f"{number:05}" for number in range(min(3_000, queue))]
    for name in names:
        (tmp_path / name).mkdir()
    assert [change.name for change in told(backend)] == names


# --- what is not told


def test_no_mask_asks_for_accesses():
    c = pyinotify()
    access = c.IN_OPEN | c.IN_ACCESS | c.IN_CLOSE_WRITE | c.IN_CLOSE_NOWRITE
    assert not any(watch_masks()[interest] & access for interest in INTERESTS)


def test_reading_and_opening_are_not_told(backend, tmp_path):
    (tmp_path / "a").write_text("content")
    backend.watch(str(tmp_path))
    backend.watch(str(tmp_path / "a"))
    (tmp_path / "a").read_text()
    os.close(os.open(tmp_path / "a", os.O_RDWR))
    os.listdir(tmp_path)
    assert not is_readable(backend)
    assert told(backend) == []


def test_with_the_least_interest_only_the_end_is_told(backend, tmp_path):
    path = tmp_path / "d"
    path.mkdir()
    (path / "a").touch()
    key = backend.watch(str(path), Interest.SELF)
    (path / "b").touch()
    append(path / "a")
    path.chmod(0o700)
    assert told(backend) == []
    path.rename(tmp_path / "away")
    assert [change[:3] for change in told(backend)] == [(Kind.GONE, key, "")]


def test_with_interest_in_entries_writes_are_not_told(backend, tmp_path):
    (tmp_path / "a").touch()
    key = backend.watch(str(tmp_path), Interest.ENTRIES)
    append(tmp_path / "a")
    (tmp_path / "a").chmod(0o600)
    (tmp_path / "b").touch()
    assert told(backend) == [Change(Kind.CREATED, key, "b", False)]


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [(Interest.SELF, Interest.ENTRIES, 1), (Interest.ENTRIES, Interest.ALL, 2)],
)
def test_a_later_interest_replaces_the_earlier_one(first, second, count, backend, tmp_path):
    (tmp_path / "a").touch()

    def change():
        append(tmp_path / "a")
        (tmp_path / "b").mkdir()
        (tmp_path / "b").rmdir()
        return len({each.name for each in told(backend)})

    key = backend.watch(str(tmp_path), first)
    before = change()
    assert backend.watch(str(tmp_path), second) == key
    assert (before, change()) == (count - 1, count)
    assert backend.watch(str(tmp_path), first) == key
    assert change() == before


# --- the watched thing itself


def test_the_directorys_own_mode_is_told_without_a_name(backend, tmp_path):
    key = backend.watch(str(tmp_path))
    tmp_path.chmod(0o750)
    assert told(backend) == [Change(Kind.CHANGED, key, "", True)]


def test_a_file_is_told_of_without_a_name(backend, tmp_path):
    path = tmp_path / "f"
    path.touch()
    key = backend.watch(str(path))
    append(path)
    assert told(backend) == [Change(Kind.CHANGED, key, "", False)]
    path.chmod(0o600)
    assert told(backend) == [Change(Kind.CHANGED, key, "", False)]


@pytest.fixture(params=["file", "directory"])
def thing(request, tmp_path):
    path = tmp_path / "thing"
    path.touch() if request.param == "file" else path.mkdir()
    return path


def remove(path):
    path.rmdir() if path.is_dir() else path.unlink()


def rename(path):
    path.rename(path.with_name("away"))


def replace(path):
    other = path.with_name("other")
    other.mkdir() if path.is_dir() else other.touch()
    other.rename(path)


@pytest.mark.parametrize("go", [remove, rename, replace])
@pytest.mark.parametrize("interest", INTERESTS)
def test_a_thing_that_goes_is_gone_once(go, interest, backend, thing):
    key = backend.watch(str(thing), interest)
    go(thing)
    assert [change[:3] for change in told(backend)] == [(Kind.GONE, key, "")]


@pytest.mark.parametrize("go", [remove, rename])
def test_a_key_that_ended_is_never_used_again(go, backend, thing):
    keys = set()
    for number in range(5):
        keys.add(backend.watch(str(thing)))
        go(thing)
        told(backend)
        remove(thing.with_name("away")) if go is rename else None
        thing.mkdir() if number % 2 else thing.touch()
    keys.add(backend.watch(str(thing)))
    assert len(keys) == 6


def test_what_was_renamed_is_told_of_no_more(backend, tmp_path):
    path = tmp_path / "d"
    path.mkdir()
    key = backend.watch(str(path))
    rename(path)
    assert [change[:2] for change in told(backend)] == [(Kind.GONE, key)]
    (tmp_path / "away/a").touch()
    (tmp_path / "away").chmod(0o700)
    assert told(backend) == []
    assert backend.watch(str(tmp_path / "away")) != key


def test_unwatching_what_is_gone_is_harmless(backend, thing):
    key = backend.watch(str(thing))
    remove(thing)
    backend.unwatch(key)
    told(backend)
    backend.unwatch(key)
    assert told(backend) == []


def test_the_removal_of_one_of_a_files_names_is_no_end_of_the_other(backend, tmp_path):
    path, other = tmp_path / "f", tmp_path / "other"
    path.touch()
    other.hardlink_to(path)
    key = backend.watch(str(other))
    path.unlink()
    assert Kind.GONE not in {change.kind for change in told(backend)}
    append(other)
    assert told(backend) == [Change(Kind.CHANGED, key, "", False)]


UNMOUNT = """
import os, subprocess, sys
from fam_inotify import InotifyBackend
from famcore.backend import Kind
path = sys.argv[1]
subprocess.run(["mount", "-t", "tmpfs", "none", path], check=True)
os.mkdir(path + "/below")
backend = InotifyBackend()
keys = {backend.watch(path), backend.watch(path + "/below")}
subprocess.run(["umount", path], check=True)
gone = [change[1] for change in backend.read() if change[0] == Kind.GONE]
assert sorted(gone) == sorted(keys), gone
assert backend.watch(path) not in keys
"""


def test_what_is_unmounted_is_gone(tmp_path):
    command = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*command, "mount", "-t", "tmpfs", "none", tmp_path], check=False).returncode:
        pytest.skip("no mount namespaces here")
    subprocess.run([*command, sys.executable, "-c", UNMOUNT, tmp_path], check=True)


# --- keys


def test_each_thing_has_a_key_of_its_own(backend, tmp_path):
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
    (tmp_path / "f").touch()
    keys = [backend.watch(str(tmp_path / name)) for name in ("1", "2", "f", "")]
    assert len(set(keys)) == 4


def test_one_thing_by_two_paths_has_one_key(backend, tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "f").touch()
    (tmp_path / "g").hardlink_to(tmp_path / "f")
    assert backend.watch(f"{tmp_path}/d") == backend.watch(f"{tmp_path}/d/.")
    assert backend.watch(f"{tmp_path}/f") == backend.watch(f"{tmp_path}/g")


def test_an_unwatched_directory_is_told_of_no_more(backend, tmp_path):
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
    one, two = (backend.watch(str(tmp_path / name)) for name in ("1", "2"))
    backend.unwatch(one)
    (tmp_path / "1/a").mkdir()
    (tmp_path / "2/a").mkdir()
    assert told(backend) == [Change(Kind.CREATED, two, "a", True)]


@pytest.mark.parametrize("unknown", [None, 0, 12345, -1, "key"])
def test_unwatching_what_is_not_watched_is_harmless(unknown, backend, tmp_path):
    key = backend.watch(str(tmp_path))
    backend.unwatch(unknown)
    (tmp_path / "a").mkdir()
    assert told(backend) == [Change(Kind.CREATED, key, "a", True)]


def test_unwatching_twice_is_harmless(backend, tmp_path):
    key = backend.watch(str(tmp_path))
    backend.unwatch(key)
    backend.unwatch(key)
    assert backend.watch(str(tmp_path)) != key


# --- reading


def test_the_descriptor_is_readable_when_there_is_something_to_read(backend, tmp_path):
    backend.watch(str(tmp_path))
    assert not is_readable(backend)
    (tmp_path / "a").touch()
    assert is_readable(backend)
    told(backend)
    assert not is_readable(backend)


def test_one_read_gives_a_bounded_number(backend, queue, tmp_path):
    if queue < 12_000:
        pytest.skip(f"fs.inotify.max_queued_events = {queue} is less than one read brings")
    backend.watch(str(tmp_path))
    for number in range(12_000):
        (tmp_path / f"{number}").mkdir()
    assert 0 < len(list(backend.read())) < 12_000
    assert is_readable(backend)
    assert told(backend)


def test_reading_fails_by_backend_lost_when_the_descriptor_is_gone(backend):
    (stolen,) = (fd for fd, what in descriptors().items() if "inotify" in what)
    os.close(stolen)
    try:
        with pytest.raises(BackendLost):
            list(backend.read())
    finally:
        # Something has to be there for the backend to close.
        other = os.open("/dev/null", os.O_RDONLY)
        if other != stolen:
            os.dup2(other, stolen)
            os.close(other)


def test_an_overflow_asks_for_a_look_at_everything(backend, queue, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).touch()
    key = backend.watch(str(tmp_path))
    # In turn: the kernel drops one that is like the last one.
    for _ in range(queue // 2 + 1):
        os.chmod(tmp_path / "a", 0o600)
        os.chmod(tmp_path / "b", 0o600)
    *changes, last = told(backend)
    assert last == Change(Kind.RESCAN, None)
    assert len(changes) == queue
    assert {change.kind for change in changes} == {Kind.CHANGED}
    (tmp_path / "c").mkdir()
    assert told(backend) == [Change(Kind.CREATED, key, "c", True)]


# --- the descriptor


def test_no_descriptor_is_inherited(tmp_path):
    before = descriptors()
    backend = InotifyBackend()
    opened = descriptors().items() - before.items()
    try:
        assert backend.fileno() in dict(opened)
        assert any("inotify" in what for _, what in opened)
        for fd, what in opened:
            assert not os.get_inheritable(fd), what
            assert fcntl.fcntl(fd, fcntl.F_GETFD) & fcntl.FD_CLOEXEC, what
    finally:
        backend.close()
    assert descriptors() == before


def test_closing_twice_is_fine(backend, tmp_path):
    key = backend.watch(str(tmp_path))
    descriptor = backend.fileno()
    backend.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    # The number may be another's by now: it must not be closed.
    other = os.open("/dev/null", os.O_RDONLY)
    backend.close()
    backend.unwatch(key)
    os.fstat(other)
    os.close(other)
