"""How much of the kernel's limits is in use, by the processes of this user."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

#: Where nobody else's processes are seen.
NAMESPACE = ["unshare", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc"]

START = """
import os, sys
from pathlib import Path
from famcore.backend import Spent
from fam_inotify import InotifyBackend
from fam_inotify.usage import count

def used():
    return tuple(count())

def limits():
    return {limit.spent: limit for limit in InotifyBackend.limits()}

root = sys.argv[1]
"""


@pytest.fixture
def alone(tmp_path):
    """Run a script in a namespace of its own."""
    if subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces here")

    def alone(script):
        subprocess.run([*NAMESPACE, sys.executable, "-c", START + script, tmp_path], check=True)

    return alone


def test_watches_and_instances_are_counted(alone):
    alone(
        """
assert used() == (0, 0, 0)
first, second = InotifyBackend(), InotifyBackend()
first.watch(root)
first.watch("/usr")
second.watch(root)
assert used() == (3, 2, 0)
second.close()
assert used() == (2, 1, 0)
"""
    )


def test_other_processes_of_this_user_count(alone):
    alone(
        """
come, go = os.pipe(), os.pipe()
if not os.fork():
    backend = InotifyBackend()
    backend.watch(root)
    os.write(come[1], b"x")
    os.read(go[0], 1)
    os._exit(0)
os.read(come[0], 1)
assert used() == (1, 1, 0)
os.write(go[1], b"x")
os.wait()
assert used() == (0, 0, 0)
"""
    )


def test_limits_are_told_with_what_is_in_use(alone):
    alone(
        """
Path("/proc/sys/user/max_inotify_watches").write_text("7")
backend = InotifyBackend()
backend.watch(root)
told = limits()
assert list(told) == [Spent.WATCH, Spent.BACKEND, Spent.CHANGE]
watches = told[Spent.WATCH]
assert (watches.name, watches.value, watches.used) == ("user.max_inotify_watches", 7, 1)
assert watches.remedy.replace("{value}", "16") == "sudo sysctl -w user.max_inotify_watches=16"
assert watches.unseen == ""
instances = told[Spent.BACKEND]
assert instances.name == "fs.inotify.max_user_instances"
assert instances.value == int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
assert instances.used == 1
queue = told[Spent.CHANGE]
assert queue.name == "fs.inotify.max_queued_events"
assert queue.used is None
"""
    )


HIDDEN = """
import ctypes
InotifyBackend.limits()  # what it imports can't be read later on
come, go = os.pipe(), os.pipe()
os.seteuid(65534)
if not os.fork():
    ctypes.CDLL(None).prctl(4, 0)  # PR_SET_DUMPABLE: from now on only root may look into it
    os.write(come[1], b"x")
    os.read(go[0], 1)
    os._exit(0)
os.read(come[0], 1)
unseen = count().unseen
[watches, *_] = InotifyBackend.limits()
os.write(go[1], b"x")
assert unseen >= 1, unseen
assert watches.unseen.endswith(" of this user's processes")
"""


def test_processes_that_may_not_be_looked_into_are_told(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    command = [sys.executable, "-c", START + HIDDEN, tmp_path]
    subprocess.run(command, check=True)


def test_without_proc_nothing_is_said_to_be_in_use(alone):
    alone(
        """
import subprocess
subprocess.run(["mount", "-t", "tmpfs", "none", "/proc"], check=True)
assert count() is None
assert list(InotifyBackend.limits()) == []
"""
    )
