"""Tests that are run at places of their own end outside as they do there."""

from __future__ import annotations

import ctypes
import os
import runpy
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FAMD = runpy.run_path(str(TESTS / "famd.py"))

CONFTEST = f"""
import os, runpy

inside = runpy.run_path({str(TESTS / "inside.py")!r})
PLACES = [
    inside["Place"]("there", "…", ("env", "PLACE=there"), lambda: None),
    inside["Place"]("nowhere", "…", ("false",), lambda: "there is none", backend="odd"),
]

def pytest_configure(config):
    config.pluginmanager.register(inside["Inside"](*PLACES))
"""
BEGINNING = """
import os, time, types
import pytest

there = pytest.mark.there

def is_there():
    return "PLACE" in os.environ
"""

pytestmark = [
    pytest.mark.usefixtures("deadline"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed"),
]


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Begin a pytest on such a file of tests, which know these places."""
    for name in ("CI", "BUILD_NUMBER", "FAM_INSIDE", "FAM_REQUIRE_BACKENDS", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def begin(source, *options, ini=""):
        (tmp_path / "pytest.ini").write_text(f"[pytest]\n{ini}")
        (tmp_path / "conftest.py").write_text(CONFTEST)
        (tmp_path / "test_it.py").write_text(BEGINNING + source)
        command = [sys.executable, "-m", "pytest", "-rA", "--strict-markers", *options]
        return subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)

    return begin


@pytest.fixture
def outcomes(begin):
    """What such a pytest says, and how each test ended by its summary."""

    def outcomes(*arguments, **options):
        with begin(*arguments, **options) as process:
            said = process.stdout.read()
        lines = said.partition("short test summary info")[2].splitlines()
        return said, [line.removeprefix("test_it.py::") for line in lines[1:-1]]

    return outcomes


def test_each_test_ends_as_it_does_inside(outcomes):
    said, lines = outcomes("""
@there
def test_passes():
    assert is_there()

@there
def test_fails():
    print("said there")
    assert not is_there(), "a failure"

@there
def test_skips():
    pytest.skip("a reason" if is_there() else "")

@there
@pytest.mark.xfail
def test_is_expected_to_fail():
    assert not is_there()

@pytest.fixture
def broken():
    yield
    assert not is_there(), "afterwards"

@there
def test_fails_afterwards(broken):
    pass

def test_outside(broken):
    pass
""")
    assert [line.replace("test_it.py::", "") for line in lines] == [
        "PASSED test_outside",
        "PASSED test_passes",
        "PASSED test_fails_afterwards",
        "SKIPPED [1] test_it.py:21: a reason",
        "XFAIL test_is_expected_to_fail",
        "ERROR test_fails_afterwards - AssertionError: afterwards",
        "FAILED test_fails - AssertionError: a failure",
    ]
    assert "said there" in said


def test_a_place_that_is_not_here_is_skipped_or_missed_if_required(outcomes, monkeypatch):
    source = """
NAMES = ["odd", "even"]

@pytest.mark.parametrize("found", [types.SimpleNamespace(name=name) for name in NAMES], ids=NAMES)
def test_on(found):
    pass
"""
    _, lines = outcomes(source)
    passed, skipped = lines
    assert passed == "PASSED test_it.py::test_on[even]"
    assert skipped.startswith("SKIPPED [1] ")
    assert skipped.endswith(": there is none")

    monkeypatch.setenv("FAM_REQUIRE_BACKENDS", "even,odd")
    _, (_, missed) = outcomes(source)
    reason = "there is none (required by $FAM_REQUIRE_BACKENDS)"
    assert missed == f"ERROR test_it.py::test_on[odd] - Failed: {reason}"


def test_an_end_inside_fails_what_was_to_come(outcomes):
    said, lines = outcomes(
        """
@there
def test_passes():
    pass

@there
def test_ends_it():
    if is_there():
        os.write(2, b"the end")
        os._exit(3)

@there
def test_is_not_run():
    pass
""",
        "-s",
    )
    assert [line.partition(" - ")[0] for line in lines] == [
        "PASSED test_it.py::test_passes",
        "ERROR test_it.py::test_ends_it",
        "ERROR test_it.py::test_is_not_run",
    ]
    assert "its pytest ended before it" in said


def test_what_is_run_inside_may_take_longer_than_a_test_outside(outcomes):
    source = """
@there
def test_takes_its_time():
    time.sleep(1)
"""
    # Given as options, they hold outside alone.
    options = [f"-ofaulthandler_{name}" for name in ("timeout=0.3", "exit_on_timeout=true")]
    _, lines = outcomes(source, *options)
    assert lines == ["PASSED test_it.py::test_takes_its_time"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_what_is_run_inside_ends_with_the_pytest_outside(how, begin, until, tmp_path):
    process = begin("""
@there
def test_waits():
    with open("begun", "w") as begun:
        print(os.getpid(), file=begun, flush=True)
        try:
            time.sleep(3600)
        finally:
            print("in order", file=begun)
""")
    begun = tmp_path / "begun"
    with process:
        until(lambda: begun.exists() and begun.read_text().endswith("\n"))
        process.send_signal(how)
    pid, *in_order = begun.read_text().splitlines()
    assert bool(in_order) == (how == signal.SIGINT)
    until(lambda: not Path("/proc", pid).exists())


# --- where famd serves


class Connection(ctypes.Structure):
    """As the library has it. A request is its number alone."""

    _fields_ = [("fd", ctypes.c_int), ("client", ctypes.c_void_p)]

    def __init__(self):
        self.libfam = ctypes.CDLL("libfam.so.0")
        assert self.libfam.FAMOpen(ctypes.byref(self)) == 0

    def monitor(self, directory):
        path, request = os.fsencode(directory), ctypes.byref(ctypes.c_int())
        arguments = (ctypes.byref(self), path, request, None)
        assert self.libfam.FAMMonitorDirectory(*arguments) == 0

    def wait(self):
        """Wait until something is told, or the connection is lost."""
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        ((_, what),) = poll.poll()
        return what


@pytest.mark.famd
def test_famd_tells_of_a_directory(tmp_path):
    connection = Connection()
    assert not hasattr(connection.libfam, "FAMNoExists"), "that is gamin's"
    connection.monitor(tmp_path)
    assert connection.wait() == select.POLLIN
    connection.libfam.FAMClose(ctypes.byref(connection))


begun: list[int] = []


@pytest.mark.famd
def test_a_test_that_failed_because_famd_did_is_carried_out_again():
    failures = FAMD["failures"]()
    begun.append(failures)
    if len(begun) == 1:
        os.kill(FAMD["famd_pid"](), signal.SIGSEGV)
        FAMD["wait"](lambda: FAMD["failures"]() > failures)
        pytest.fail("famd has failed")
    assert len(begun) == 2


@pytest.mark.famd
def test_famd_is_killed_and_started_again():
    assert FAMD["is_inside"]()
    connection, pid = Connection(), FAMD["famd_pid"]()
    FAMD["stop_famd"]()
    assert FAMD["famd_pid"]() is None
    assert connection.wait() & select.POLLHUP
    connection.libfam.FAMClose(ctypes.byref(connection))
    FAMD["start_famd"]()
    assert FAMD["famd_pid"]() not in (None, pid)
    again = Connection()
    again.libfam.FAMClose(ctypes.byref(again))
