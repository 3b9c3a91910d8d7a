"""How `fam run` ends what it has started, on pipes and on a terminal."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from famcore.catalog import Status, find_backend

DEADLINE = 20.0

#: Begins a child in its group, prints both numbers, and goes on; ended, it says by what.
PAIR = """
import os, signal, subprocess, sys, time
child = subprocess.Popen(["sleep", "600"])
def told(number, frame):
    print("ended by", signal.Signals(number).name, flush=True)
    sys.exit()
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, told)
print("pair", os.getpid(), child.pid, flush=True)
time.sleep(600)
"""
#: The same, and can't be ended but by KILL.
STUBBORN = PAIR.replace("told)", "signal.SIG_IGN)")


def python(source: str, *arguments: Any) -> list[str]:
    return ["--", sys.executable, "-c", source, *map(str, arguments)]


def is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def pids(running: Any) -> list[int]:
    """The process IDs on the next line."""
    return [int(word) for word in running.lines(1)[0].split()[1:]]


@pytest.fixture
def ended() -> Iterator[Callable[[list[int]], None]]:
    """Nobody of these is alive; none is left behind if one is."""
    seen: list[int] = []

    def ended(numbers: list[int]) -> None:
        seen.extend(numbers)
        assert [number for number in numbers if is_alive(number)] == []

    yield ended
    for number in seen:
        if is_alive(number):
            os.kill(number, signal.SIGKILL)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0)]
)
def test_a_signal_ends_the_command_and_all_that_it_began(
    fam: Any, spot: Path, ended: Any, number: int, code: int
) -> None:
    running = fam("run", spot, "--stop-timeout", "600", *python(PAIR))
    running.ready()
    pair = pids(running)
    running.process.send_signal(number)
    assert running.end() == (code, b"ended by SIGTERM\n", "")
    ended(pair)


def test_a_reader_that_leaves_ends_the_command(fam: Any, spot: Path, ended: Any) -> None:
    running = fam("run", spot, *python(PAIR))
    pair = pids(running)
    running.process.stdout.close()
    assert running.process.wait(DEADLINE) == 0
    ended(pair)


def test_it_is_ended_by_the_signal_asked_for(fam: Any, spot: Path, ended: Any) -> None:
    running = fam("run", spot, "--stop-signal", "INT", *python(PAIR))
    pair = pids(running)
    running.process.terminate()
    assert running.end()[:2] == (0, b"ended by SIGINT\n")
    ended(pair)


def test_what_does_not_end_in_time_is_killed(fam: Any, spot: Path, ended: Any) -> None:
    running = fam("run", spot, "--stop-timeout", "0.3", *python(STUBBORN))
    pair = pids(running)
    began = time.monotonic()
    running.process.terminate()
    assert running.end()[:2] == (0, b"")
    assert time.monotonic() - began >= 0.3
    ended(pair)


def test_a_second_signal_waits_for_nothing(fam: Any, spot: Path, ended: Any) -> None:
    running = fam("run", spot, "--stop-timeout", "600", *python(STUBBORN))
    running.ready()
    pair = pids(running)
    running.process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(0.3)
    running.process.send_signal(signal.SIGINT)
    assert running.end() == (130, b"", "")
    ended(pair)


def test_a_second_hang_up_is_no_hurry(fam: Any, spot: Path, ended: Any) -> None:
    slow = PAIR.replace('    print("ended', '    time.sleep(0.5)\n    print("ended')
    running = fam("run", spot, *python(slow))
    running.ready()
    pair = pids(running)
    for _ in range(20):
        running.process.send_signal(signal.SIGHUP)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.process.wait(0.01)
    assert running.end() == (0, b"ended by SIGTERM\n", "")
    ended(pair)


def test_a_quit_waits_for_nothing_at_all(terminal: Any, spot: Path, ended: Any) -> None:
    running = terminal.start("run", spot, "--stop-timeout", "600", *python(STUBBORN))
    pair = [int(word) for word in terminal.line("pair").split()[1:]]
    terminal.press(b"\x1c")
    assert running.process.wait(DEADLINE) == 131
    ended(pair)


def test_a_command_that_is_stopped_is_ended_all_the_same(fam: Any, spot: Path, ended: Any) -> None:
    running = fam("run", spot, *python(PAIR))
    pair = pids(running)
    os.kill(pair[0], signal.SIGSTOP)
    running.process.terminate()
    assert running.end()[:2] == (0, b"ended by SIGTERM\n")
    ended(pair)


def test_a_restart_ends_all_that_the_command_began(fam: Any, spot: Path, ended: Any) -> None:
    running = fam("run", spot, "--busy", "restart", "--stop-timeout", "0.2", *python(STUBBORN))
    first = pids(running)
    (spot / "a").touch()
    second = pids(running)
    ended(first)
    running.process.terminate()
    running.end()
    ended(second)


def test_what_a_command_leaves_running_is_ended_with_it(fam: Any, spot: Path, ended: Any) -> None:
    running = fam("run", spot, "--once", "--", "sh", "-c", "sleep 600 & echo pair $!; exit 5")
    left = pids(running)
    assert running.end()[0] == 5
    ended(left)


def test_what_leaves_the_group_is_left_alone(fam: Any, spot: Path) -> None:
    leave = (
        "import subprocess; "
        "print('pair', subprocess.Popen(['sleep', '600'], start_new_session=True, stdout=2).pid)"
    )
    running = fam("run", spot, "--once", *python(leave), stderr=subprocess.DEVNULL)
    (left,) = pids(running)
    assert running.end()[0] == 0
    assert is_alive(left)
    os.kill(left, signal.SIGKILL)


def test_a_hang_up_that_is_ignored_by_nohup_is_nothing(fam: Any, spot: Path) -> None:
    def nohup() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    running = fam("run", spot, "--", "echo", "run", preexec_fn=nohup)
    running.ready()
    assert running.lines(1) == [b"run"]
    running.process.send_signal(signal.SIGHUP)
    (spot / "a").touch()
    assert running.lines(1) == [b"run"]


def test_a_signal_ends_it_at_any_moment(fam: Any, spot: Path) -> None:
    for number in range(6):
        running = fam("run", spot, "--settle", "0", "--", "touch", spot / "again")
        running.ready()
        with pytest.raises(subprocess.TimeoutExpired):
            running.process.wait(number / 50)
        running.process.send_signal(signal.SIGINT)
        code, _, err = running.end()
        assert (code, "Traceback" in err) == (130, False)


#: Begins a command, becomes another user, and tries to do to it what it is told.
FOREIGN = """
import os, subprocess, sys
from famcore.cli.run.process import Process, Stop
command = Process(["sleep", "600"], os.environ, subprocess.DEVNULL, Stop(15, 0.0))
os.setresuid(65534, 65534, 0)
try:
    if sys.argv[1] == "signal":
        command.signal(1)
    else:
        command.stop(0.0)
        command.look(1.0)
except PermissionError as error:
    print(error.filename, error.strerror, sep=": ")
os.setresuid(0, 0, 0)
command.close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("what", ["signal", "stop"])
def test_a_command_of_another_user_is_named_where_it_can_not_be_signalled(what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FOREIGN, what], capture_output=True, text=True, timeout=DEADLINE
    )
    assert re.fullmatch(
        r"sleep \(process \d+\) can't be signalled: Operation not permitted\n", done.stdout
    ), done


STUCK = """
import famcore, sys, time
@famcore.hookimpl
def fam_events():
    print("stuck", file=sys.stderr, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGQUIT, 131)]
)
def test_a_second_signal_ends_it_with_the_code_of_the_first_where_it_is_stuck(
    fam: Any, spot: Path, install: Any, number: int, code: int
) -> None:
    install("famcore.consumers", "stuck", STUCK)
    running = fam("run", spot, "--consumer", "stuck", "--", "true")
    while running.said() != "stuck":
        pass
    # One that comes while another like it is not delivered yet is not seen at all.
    while running.process.poll() is None:
        running.process.send_signal(number)
        time.sleep(0.01)
    assert running.end() == (code, b"", "")


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGQUIT, 131)],
)
def test_a_signal_as_it_begins_leaves_nothing_behind(
    fam: Any, spot: Path, until: Any, tmp_path: Path, number: int, code: int
) -> None:
    handouts = tmp_path / "handouts"
    handouts.mkdir()
    environment = os.environ | {"TMPDIR": str(handouts)}
    running = fam("run", spot, "--postpone", "--", "true", env=environment)
    until(lambda: os.listdir(handouts))
    running.process.send_signal(number)
    ended, out, err = running.end()
    assert (ended, out, "Traceback" in err) == (code, b"", False)
    assert os.listdir(handouts) == []


def servers(mark: str) -> list[int]:
    """The gam_servers that are alive and whose environment has `mark`."""
    found = []
    for directory in Path("/proc").glob("[1-9]*"):
        with contextlib.suppress(OSError):
            is_server = (directory / "comm").read_text() == "gam_server\n"
            if is_server and mark.encode() in (directory / "environ").read_bytes():
                found.append(int(directory.name))
    return found


@pytest.mark.parametrize("command", [["watch"], ["run"]])
def test_a_hang_up_leaves_no_server_of_gamin(
    fam: Any, spot: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    if find_backend("gamin").status is not Status.USABLE:
        pytest.skip("gamin can't be used here")
    mark = f"of-{os.getpid()}-{command[0]}"
    monkeypatch.setenv("FAM_TEST_MARK", mark)
    what = ["--", "sleep", "600"] if command == ["run"] else []
    running = fam(*command, "-b", "gamin", spot, *what)
    running.ready()
    assert len(servers(mark)) == 1
    running.process.send_signal(signal.SIGHUP)
    assert running.end()[0] == 0
    deadline = time.monotonic() + DEADLINE
    while servers(mark):
        assert time.monotonic() < deadline
    # It would leave by itself only after 30 seconds.
    assert time.monotonic() < deadline - DEADLINE / 2


# --- on a terminal


def test_ctrl_c_on_a_terminal_ends_the_command_by_its_stop_signal(
    terminal: Any, spot: Path, ended: Any
) -> None:
    running = terminal.start("run", spot, *python(PAIR))
    pair = [int(word) for word in terminal.line("pair").split()[1:]]
    terminal.press(b"\x03")
    terminal.line("ended by SIGTERM")
    assert running.process.wait(DEADLINE) == 130
    ended(pair)


def test_a_terminal_that_goes_away_ends_the_command(terminal: Any, spot: Path, ended: Any) -> None:
    running = terminal.start("run", spot, *python(PAIR))
    pair = [int(word) for word in terminal.line("pair").split()[1:]]
    terminal.close()
    assert running.process.wait(DEADLINE) == 0
    ended(pair)


def test_a_command_that_reads_from_its_terminal_finds_nothing(terminal: Any, spot: Path) -> None:
    running = terminal.start("run", spot, "--once", "--", "sh", "-c", "read x; echo got $x.")
    assert terminal.line("got") == "got ."
    assert running.process.wait(DEADLINE) == 0


def test_a_command_that_insists_on_the_terminal_is_ended_and_told_why(
    terminal: Any, spot: Path
) -> None:
    running = terminal.start("run", spot, "--once", "--", "sh", "-c", "read x </dev/tty")
    assert terminal.line("the terminal") == (
        "fam: sh was ended: it wants the terminal, which no command of fam run can have"
    )
    assert running.process.wait(DEADLINE) == 128 + signal.SIGTERM


def test_one_that_wants_it_again_before_it_ends_is_not_waited_for(
    terminal: Any, spot: Path
) -> None:
    wants_it = ("sh", "-c", "trap 'read y </dev/tty' TERM; read x </dev/tty")
    running = terminal.start("run", spot, "--stop-timeout", "600", "--once", "--", *wants_it)
    assert terminal.line("the terminal").startswith("fam: sh was ended: it wants the terminal")
    assert running.process.wait(DEADLINE) == 128 + signal.SIGKILL
