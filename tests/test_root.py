"""The root directory monitored, in a process whose root is a directory of the test's."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from famcore.backend import Capability
from famcore.catalog import Status, find_backends

#: Those that are told by the kernel: a server has a root directory of its own.
EXACT = [
    found.name
    for found in find_backends()
    if found.status is Status.USABLE
    and found.backend
    and Capability.EXACT | Capability.LIVE in found.backend.capabilities
]

SCRIPT = """
import os, sys
from pathlib import Path
from famcore.catalog import choose
from famcore.testing import Recorder

name, root = sys.argv[1:]
[backend] = choose(name)
try:
    backend().close()  # what it imports late can't be found from within
    os.chroot(root)
    os.chdir("/")
except PermissionError:
    sys.exit(77)
os.mkdir("/d")

def said(log):
    recorder.rest(lambda: not list(recorder.wrongs()))
    assert not list(recorder.wrongs()), list(recorder.wrongs())
    told = [(str(event.action), event.filename, event.path) for event in log.events]
    recorder.forget()
    return told

with Recorder(backend, ()) as recorder:
    log = recorder.monitor("/")
    start, entry, end = said(log)
    assert (start, entry, end) == (
        ("exists", "/", "/"), ("exists", "d", "/d"), ("endExist", "/", "/")
    )
    os.mkdir("/s")
    assert said(log) == [("created", "s", "/s")]
    os.chmod("/", 0o700)
    assert said(log) == [("changed", "/", "/")]
    os.mkdir("/d/below")
    assert said(log) == []
    os.rename("/s", "/t")
    assert said(log) == [("deleted", "s", "/s"), ("created", "t", "/t")]

    below = recorder.monitor("/t")
    assert said(below) == [("exists", "/t", "/t"), ("endExist", "/t", "/t")]
    os.mkdir("/t/a")
    assert said(below) == [("created", "a", "/t/a")]
    os.rmdir("/t/a")
    os.rmdir("/t")
    assert said(below) == [("deleted", "a", "/t/a"), ("deleted", "/t", "/t")]
"""


@pytest.mark.parametrize("name", EXACT)
def test_the_root_directory_is_monitored_like_any_other(name, tmp_path):
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("unshare is not installed")
    command = [unshare, "--map-root-user", sys.executable, "-c", SCRIPT, name, str(tmp_path)]
    if subprocess.run([unshare, "--map-root-user", "true"], check=False).returncode:
        pytest.skip("no user namespaces here")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        pytest.skip("this process may not change its root")
    assert done.returncode == 0, done.stderr
