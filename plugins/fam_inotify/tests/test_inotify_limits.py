"""The kernel's limits met: which one, what it is set to, what raises it.

A user namespace has limits of its own, which may be set in it without being root.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fam_inotify.limits import open_refused, watch_refused
from famcore.backend import WatchLimitReached

START = """
import errno, os, resource, sys
from pathlib import Path
import famcore
from famcore.backend import WatchLimitReached
from fam_inotify import InotifyBackend

def set_limit(name, value):
    Path("/proc/sys/user", name).write_text(str(value))

def refused(call, *arguments):
    try:
        call(*arguments)
    except WatchLimitReached as error:
        assert isinstance(error, OSError)
        assert isinstance(error, famcore.FamError)
        return error
    sys.exit("it was not refused")

root = sys.argv[1]
"""


def run_in_namespace(script, path):
    """Run `script` as root of a user namespace of its own."""
    command = ["unshare", "--map-root-user"]
    lower = [*command, "sh", "-c", "echo 10 >/proc/sys/user/max_inotify_watches"]
    try:
        if subprocess.run(lower, capture_output=True, check=False).returncode:
            pytest.skip("no user namespaces here")
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    subprocess.run([*command, sys.executable, "-c", START + script, path], check=True)


def test_the_limit_of_watches_is_told_with_its_value_and_what_raises_it(tmp_path):
    for number in range(4):
        (tmp_path / str(number)).mkdir()
    run_in_namespace(
        """
set_limit("max_inotify_watches", 3)
backend = InotifyBackend()
for number in range(3):
    backend.watch(f"{root}/{number}")
error = refused(backend.watch, f"{root}/3")
assert error.errno == errno.ENOSPC
assert error.path == error.filename == f"{root}/3"
assert error.limit == "user.max_inotify_watches"
assert error.value == 3
assert "sysctl user.max_inotify_watches=" in error.remedy
for said in (error.limit, "3", error.remedy, error.path):
    assert said in str(error), str(error)

# What is watched is still told of, and a watch that is given back can be had by another.
os.mkdir(f"{root}/0/a")
assert [change[2] for change in backend.read()] == ["a"]
backend.unwatch(1)
backend.watch(f"{root}/3")
""",
        tmp_path,
    )


def test_what_is_watched_already_needs_no_more(tmp_path):
    run_in_namespace(
        """
set_limit("max_inotify_watches", 1)
backend = InotifyBackend()
key = backend.watch(root)
assert backend.watch(root) == key
""",
        tmp_path,
    )


def test_the_limit_of_instances_is_told_with_its_value_and_what_raises_it(tmp_path):
    run_in_namespace(
        """
set_limit("max_inotify_instances", 2)
held = [InotifyBackend(), InotifyBackend()]
descriptors = len(os.listdir("/proc/self/fd"))
error = refused(InotifyBackend)
assert error.errno == errno.EMFILE
assert error.limit == "user.max_inotify_instances"
assert error.value == 2
assert "sysctl user.max_inotify_instances=" in error.remedy
assert len(os.listdir("/proc/self/fd")) == descriptors
held.pop().close()
InotifyBackend()
""",
        tmp_path,
    )


def test_the_systems_limit_is_named_where_the_namespace_has_a_higher_one(tmp_path):
    run_in_namespace(
        """
limit = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
set_limit("max_inotify_instances", limit + 1)
set_limit("max_inotify_watches", 1)
from fam_inotify.limits import open_refused
error = open_refused(errno.EMFILE)
assert (error.limit, error.value) == ("fs.inotify.max_user_instances", limit), error
assert f"sysctl fs.inotify.max_user_instances=" in error.remedy
""",
        tmp_path,
    )


def test_the_limit_of_open_files_is_told_apart_from_that_of_instances(tmp_path):
    script = """
InotifyBackend.check()
used = len(os.listdir("/proc/self/fd"))
resource.setrlimit(resource.RLIMIT_NOFILE, (used + 20, used + 20))
held = []
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
try:
    InotifyBackend()
except WatchLimitReached as reached:
    error = reached
os.close(held.pop())
assert error.errno == errno.EMFILE
assert "open file" in error.limit
assert error.value == used + 20
assert "ulimit -n" in error.remedy
"""
    subprocess.run([sys.executable, "-c", START + script, tmp_path], check=True)


@pytest.mark.parametrize("code", [13, 2])
def test_other_refusals_stay_the_systems_own(code):
    for error in (watch_refused("/d", code), open_refused(code)):
        assert not isinstance(error, WatchLimitReached)
        assert error.errno == code
        assert error.strerror == os.strerror(code)
        assert error.filename
