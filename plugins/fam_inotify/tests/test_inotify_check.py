"""Whether the backend can work is asked by `check`; importing the plugin always succeeds."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fam_inotify import InotifyBackend

REFUSED = """
import sys
{beforehand}
import fam_inotify
from famcore.backend import BackendUnavailable

backend = fam_inotify.fam_backend()
for ask in (backend.check, backend):
    try:
        ask()
    except BackendUnavailable as error:
        print(error.reason, error.hint, sep="|")
    else:
        sys.exit("it was not refused")
"""

FOUND = """
import sys
{beforehand}
from famcore.catalog import Status, find_backend
from famcore import BackendUnavailable, FileMonitor

found = find_backend("inotify")
assert found.status is Status.UNAVAILABLE, found
assert found.reason and found.hint
try:
    FileMonitor("inotify").start()
except BackendUnavailable as error:
    assert found.reason in str(error)
    assert found.hint in str(error)
"""


def run(script):
    """What `script` prints in an interpreter of its own."""
    command = [sys.executable, "-c", script]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


@pytest.mark.parametrize("module", ["pyinotify", "asyncore"])
def test_what_keeps_pyinotify_from_being_imported_is_told(module):
    said = run(REFUSED.format(beforehand=f"sys.modules[{module!r}] = None")).splitlines()
    assert len(said) == 2
    for line in said:
        reason, hint = line.split("|")
        assert "pyinotify" in reason
        assert module in reason
        assert "pip install" in hint


def test_on_another_system_it_says_so():
    said = run(REFUSED.format(beforehand="sys.platform = 'freebsd14'")).splitlines()
    assert len(said) == 2
    assert all("Linux" in line.split("|")[0] for line in said)
    assert all(line.split("|")[1] for line in said)


def test_it_is_listed_with_reason_and_hint_where_it_can_not_work():
    run(FOUND.format(beforehand="sys.modules['pyinotify'] = None"))


def test_to_import_the_plugin_does_not_import_pyinotify():
    run("import sys, fam_inotify; assert 'pyinotify' not in sys.modules")


def test_to_check_opens_nothing():
    run(
        "import os; from fam_inotify import InotifyBackend as backend; backend.check()\n"
        "before = os.listdir('/proc/self/fd'); backend.check()\n"
        "assert os.listdir('/proc/self/fd') == before"
    )


def test_it_can_work_here():
    InotifyBackend.check()


def test_nothing_is_said_on_the_way():
    """pyinotify's import warns of asyncore, and it logs in a format of its own."""
    script = "from fam_inotify import InotifyBackend; InotifyBackend().close()"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
