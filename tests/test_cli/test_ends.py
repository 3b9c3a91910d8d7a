"""How `fam` ends: exit codes, signals, a reader that leaves, and what it says of errors."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def buffered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have stdout held back until a flush, which fails then."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0)]
)
def test_a_signal_ends_it_quietly(fam: Any, spot: Path, number: int, code: int) -> None:
    watching = fam("watch", spot, "--no-exists")
    watching.ready()
    watching.process.send_signal(number)
    assert watching.end() == (code, b"", "")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0)]
)
def test_a_signal_ends_it_while_nobody_reads(fam: Any, spot: Path, number: int, code: int) -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    for name in range(1000):
        (spot / f"{name:020}").touch()
    watching = fam("watch", spot, stdout=writer)
    os.close(writer)
    # The first batch is longer than what the pipe takes: its writer waits.
    assert select.select([reader], [], [], 20)[0]
    watching.process.send_signal(number)
    assert watching.end()[0] == code
    os.close(reader)


def test_a_signal_ends_it_in_the_midst_of_events(fam: Any, spot: Path) -> None:
    watching = fam("watch", spot, "--only", "deleted")
    watching.ready()
    busy = "import itertools, sys; [open(sys.argv[1], 'a').close() for _ in itertools.count()]"
    with subprocess.Popen([sys.executable, "-c", busy, spot / "busy"]) as writer:
        try:
            watching.process.send_signal(signal.SIGINT)
            assert watching.end() == (130, b"", "")
        finally:
            writer.kill()


#: Runs `fam` with a poll(2) before which it is sent SIGINT, by C alone: the interpreter does not
#: look at signals between the two.
LATE = """
import ctypes, operator, os, select, signal
from functools import partial
from famcore.cli import main

kill, make = ctypes.PyDLL(None).kill, select.poll

class Poll:
    def __init__(self):
        self._poll = make()
        self.register = self._poll.register

    def poll(self, timeout):
        if timeout == 0:
            return self._poll.poll(0)
        calls = partial(kill, os.getpid(), signal.SIGINT), partial(self._poll.poll, timeout)
        return list(map(operator.call, calls))[1]

select.poll = Poll
main()
"""


@pytest.mark.parametrize("command", [["watch", "."], ["run", ".", "--", "true"]])
def test_a_signal_that_comes_just_before_it_waits_ends_it(spot: Path, command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LATE, *command], cwd=spot, capture_output=True, timeout=20
    )
    assert done.returncode == 130


#: Runs `fam run` with a `set_wakeup_fd` at which, once the directory go~ is there, SIGTERM comes
#: while the core has borrowed the descriptor that signals are written to; and with it more events
#: than a batch has, so that the core drains its pipe, into which that of the signal was written.
BORROWED = """
import os, signal, sys
from famcore.cli import main

set_wakeup_fd = signal.set_wakeup_fd
tree = sys.argv.pop(1)

def borrow(descriptor, **options):
    lender = set_wakeup_fd(descriptor, **options)
    if -1 not in (lender, descriptor) and os.path.exists("go~") and os.path.exists(tree):
        os.rename(tree, "tree")
        os.kill(os.getpid(), signal.SIGTERM)
    return lender

signal.set_wakeup_fd = borrow
main()
"""


def test_a_signal_that_comes_while_the_core_waits_for_signals_ends_it(
    spot: Path, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(3000):
        (tree / str(number)).touch()
    # Nothing of it is a reason to run, for which it would look at signals once more.
    command = ["run", "-r", ".", "--postpone", "--only", "deleted", "--", "true"]
    with subprocess.Popen(
        [sys.executable, "-c", BORROWED, tree, *command], cwd=spot, stderr=subprocess.PIPE
    ) as process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline().startswith(b"fam: watching ")
            (spot / "go~").mkdir()
            # It does not wait after each that is ignored: it may have been too slow for that.
            for number in range(100):
                (spot / f"{number}~").mkdir()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
                if not tree.exists():
                    break
            assert not tree.exists()
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_a_reader_that_leaves_ends_it_quietly_without_a_further_event(fam: Any, spot: Path) -> None:
    watching = fam("watch", spot)
    watching.ready()
    watching.process.stdout.close()
    assert watching.process.wait(20) == 0
    assert watching.process.stderr.read() == b""


def test_a_reader_that_leaves_ends_it_quietly_while_it_writes(fam: Any, spot: Path) -> None:
    for number in range(20_000):
        (spot / f"{number:020}").touch()
    watching = fam("watch", spot)
    watching.lines(1)
    watching.process.stdout.close()
    assert watching.process.wait(20) == 0
    assert watching.process.stderr.read() == b""


RULE = ["check-backend", "pseudo", "-k", "its name"]


@pytest.mark.parametrize(
    "command", [["watch", "."], ["backends"], ["backends", "--json"], RULE, [*RULE, "--json"]]
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_an_error(
    fam: Any, monkeypatch: pytest.MonkeyPatch, unbuffered: str, command: list[str]
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with Path("/dev/full").open("wb") as full:
        code, _, err = fam(*command, stdout=full).end()
    assert (code, err) == (1, "fam: standard output: No space left on device\n")


@pytest.mark.parametrize("command", [["watch", "."], ["backends"], ["--help"]])
def test_a_reader_that_never_was_ends_it_quietly(
    fam: Any, buffered: None, command: list[str]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    ending = fam(*command, stdout=writer)
    os.close(writer)
    code, _, err = ending.end()
    assert (code, err) == (0, "")


@pytest.mark.parametrize("command", [["watch", "."], ["backends"]])
def test_a_stdout_that_was_never_open_is_an_error(fam: Any, command: list[str]) -> None:
    code, _, err = fam(*command, stdout=None, preexec_fn=lambda: os.close(1)).end()
    assert (code, err) == (1, "fam: standard output is closed\n")


def test_a_stdout_that_does_not_block_is_waited_for(fam: Any, spot: Path) -> None:
    for number in range(5000):
        (spot / f"{number:020}").touch()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    watching = fam("watch", spot, "--count", "5000", stdout=writer)
    os.close(writer)
    with open(reader, "rb") as out:
        assert out.read().count(b"\n") == 5000
    assert watching.end()[0] == 0


def test_a_path_whose_parent_is_missing_is_an_error(fam: Any, spot: Path) -> None:
    code, out, err = fam("watch", "no/file", cwd=spot).end()
    assert (code, out) == (1, b"")
    assert err == f"fam: no/file can't be monitored: {spot}/no: No such file or directory\n"


def test_an_error_is_one_line_and_harmless_to_a_terminal(fam: Any, spot: Path) -> None:
    err = fam("watch", "a\n\x1b[31m/file", cwd=spot).end()[2]
    said = "a\\n\\x1b[31m"
    assert err == (
        f"fam: {said}/file can't be monitored: {spot}/{said}: No such file or directory\n"
    )


def test_a_backend_that_is_not_installed_is_an_error_that_suggests_one(
    fam: Any, spot: Path
) -> None:
    code, out, err = fam("watch", spot, "-b", "inotfy").end()
    assert (code, out) == (1, b"")
    assert err.startswith("fam: no backend 'inotfy' is installed; did you mean inotify?")
    assert err.count("\n") == 1


def test_the_environment_names_a_backend(
    fam: Any, spot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAM_BACKEND", "inotfy")
    code, _, err = fam("watch", spot).end()
    assert (code, "did you mean inotify?" in err) == (1, True)


def test_a_backend_that_fails_at_import_is_an_error(
    fam: Any, spot: Path, install: Callable[..., None]
) -> None:
    install("famcore.backends", "torn", "raise RuntimeError('half a file')")
    code, out, err = fam("watch", spot, "-b", "torn").end()
    assert (code, out, err.count("\n")) == (1, b"", 1)
    assert err.startswith("fam: backend 'torn' (fam-torn 1.0): ")
    assert "half a file" in err


def test_a_consumer_that_is_not_installed_is_an_error(fam: Any, spot: Path) -> None:
    code, out, err = fam("watch", spot, "--consumer", "jsonlgo:file=x").end()
    assert (code, out, err.count("\n")) == (1, b"", 1)
    assert err.startswith("fam: ")
    assert "jsonlgo" in err


def test_a_consumer_with_a_misspelt_argument_is_an_error(
    fam: Any, spot: Path, install: Callable[..., None]
) -> None:
    install(
        "famcore.consumers",
        "deaf",
        "import famcore\n@famcore.hookimpl\ndef fam_events(evnts=()): pass\n",
    )
    code, out, err = fam("watch", spot, "--consumer", "deaf").end()
    assert (code, out, err.count("\n")) == (1, b"", 1)
    assert err.startswith("fam: consumer 'deaf' (fam-deaf 1.0): ")
    assert "evnts" in err


def test_a_consumer_that_fails_is_named_and_disturbs_nobody(
    fam: Any, spot: Path, install: Callable[..., None]
) -> None:
    source = "import famcore\n@famcore.hookimpl\ndef fam_events(events):\n    raise KeyError('x')\n"
    install("famcore.consumers", "poor", source)
    code, out, err = fam("watch", spot, "--consumer", "poor", "--count", "2").end()
    assert (code, out) == (0, f"exists   {spot}\nendExist {spot}\n".encode()), err
    (line,) = [line for line in err.splitlines() if "poor" in line]
    assert line.startswith("fam: ")
    assert "KeyError: 'x'" in line
    assert "plugin_poor.py:4" in line
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["watch"], "Missing argument 'PATH...'"),
        (["watch", ""], "a path is empty"),
        (["watch", ".", "--jsn"], "--jsn"),
        (["watch", ".", "--json", "--print0"], "exclude each other"),
        (["watch", ".", "--format", "x", "--print0"], "exclude each other"),
        (["watch", ".", "--format", "{pth}"], "unknown field {pth}; did you mean path?"),
        (["watch", ".", "--only", "create"], "unknown code 'create'; did you mean created?"),
        (["watch", ".", "--only", ""], "unknown code '' (there are exists, endExist, created"),
        (["watch", ".", "--only", "exists", "--no-exists"], "leaves nothing"),
        (["watch", ".", "--count", "0"], "'--count'"),
        (["watch", ".", "--timeout", "soon"], "'soon' is not a number of seconds"),
        (["watch", ".", "--timeout", "inf"], "'inf' is not a number of seconds"),
        (["watch", ".", "--timeout", "nan"], "'nan' is not a number of seconds"),
        (["watch", ".", "--timeout", "-1"], "'-1' is not a number of seconds"),
        (["watch", ".", "--settle", "-1"], "'-1' is not a number of seconds"),
        (["watch", ".", "--settle", "1", "--settle-max", "0.5"], "is less than --settle 1"),
        (["watch", ".", "--settle-max", "1"], "give that too"),
        (["watch", "-", "-"], "'-' is given twice"),
        (["watch", "-"], "standard input names no path"),
        (["watch", ".", "--from0"], "give '-' too"),
        (["run"], "Missing argument 'PATH...'"),
        (["run", "--", "true"], "Missing argument 'PATH...'"),
        (["run", "."], "there is no command: fam run PATH... -- COMMAND"),
        (["run", ".", "--"], "there is no command"),
        (["run", ".", "--busy", "wait", "--", "true"], "'wait' is not one of 'queue', 'restart'"),
        (["run", ".", "--stop-signal", "TREM", "--", "true"], "unknown signal 'TREM'; did you"),
        (["run", ".", "--stop-signal", "999", "--", "true"], "unknown signal '999'"),
        (["run", ".", "--signal", "HUP", "--", "true"], "--busy signal"),
        (["run", ".", "--stop-timeout", "x", "--", "true"], "'x' is not a number of seconds"),
        (["run", ".", "--settle", "-0.1", "--", "true"], "'-0.1' is not a number of seconds"),
        (["run", ".", "--settle", "2", "--settle-max", "1", "--", "true"], "less than --settle 2"),
        (["run", ".", "--only", "endExist", "--", "true"], "no reason to run"),
        (["run", ".", "--shell", "--", "cat {}"], "{} is an ARGUMENT of its own"),
        (["run", "-", "-", "--", "true"], "'-' is given twice"),
        (["run", ".", "--", ""], "COMMAND is empty"),
        (["run", ".", "--", "{}", "x"], "what is changed would itself be executed"),
        (["watch", ".", "--ignore", ""], "a pattern is empty"),
        (
            ["watch", ".", "--ignore", "build/"],
            "no name ends with a slash as 'build/': give 'build'",
        ),
        (["run", ".", "--ignore", "/a", "--", "true"], "names are relative to PATH, not as '/a'"),
        (["watch", ".", "--consumer", "x", "--consumer", "x:a=b"], "--consumer x is given twice"),
        (["watch", ".", "--consumer", "x:file"], "an option is KEY=VALUE, not 'file'"),
        (["watch", ".", "--consumer", ":a=b"], "names no consumer"),
        (["wach"], "wach"),
    ],
)
def test_wrong_usage_ends_it_with_2_and_says_what_is_wrong(
    fam: Any, spot: Path, arguments: list[str], why: str
) -> None:
    code, out, err = fam(*arguments, cwd=spot).end()
    assert (code, out) == (2, b"")
    assert why in " ".join(err.split())


def test_it_tells_its_version(fam: Any) -> None:
    code, out, _ = fam("--version").end()
    assert code == 0
    assert out.startswith(b"fam ")


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_its_extra_it_says_what_to_install(missing: str) -> None:
    script = f"import sys; sys.modules[{missing!r}] = None; import famcore.cli; famcore.cli.main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("pip install 'famcore[cli]'\n")
    assert done.stderr.count("\n") == 1
