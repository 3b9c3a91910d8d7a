"""`fam run` runs a command on changes: when, how often, and with what it is told."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

#: Prints the run's number and the events: code and filename.
TELL = """
import json, os, sys
with open(os.environ["FAM_EVENTS_FILE"]) as file:
    events = [json.loads(line) for line in file]
assert len(events) == int(os.environ["FAM_EVENT_COUNT"])
print(os.environ["FAM_RUN"], *(f"{each['event']}:{each['filename']}" for each in events))
sys.stdout.flush()
"""
#: The same, and then goes on until a line comes from the pipe that it is given.
HOLD = TELL + "\nopen(sys.argv[1]).readline()\n"
#: Prints its arguments, each followed by NUL.
ARGUMENTS = "import os, sys; os.write(1, b''.join(os.fsencode(a) + b'\\0' for a in sys.argv[1:]))"


def python(source: str, *arguments: Any) -> list[str]:
    """The command that runs a Python program."""
    return ["--", sys.executable, "-c", source, *map(str, arguments)]


@pytest.fixture
def gate(tmp_path: Path) -> Any:
    """A pipe at which `HOLD` waits, and what lets it go on."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDWR)

    class Gate:
        def __fspath__(self) -> str:
            return str(path)

        __str__ = __fspath__

        def open(self) -> None:
            os.write(descriptor, b"\n")

    yield Gate()
    os.close(descriptor)


def test_the_command_is_run_at_the_start_and_on_each_change(fam: Any, spot: Path) -> None:
    running = fam("run", spot, *python(TELL))
    assert running.ready() == f"fam: watching {spot} (inotify)"
    assert running.lines(1) == [b"1"]
    (spot / "a").touch()
    assert running.lines(1) == [b"2 created:a"]
    (spot / "a").unlink()
    assert running.lines(1) == [b"3 deleted:a"]


def test_a_run_that_is_postponed_waits_for_the_first_change(fam: Any, spot: Path) -> None:
    (spot / "there").touch()
    running = fam("run", spot, "--postpone", *python(TELL))
    running.ready()
    (spot / "a").touch()
    assert running.lines(1) == [b"1 created:a"]


def test_what_is_there_is_told_if_asked_for(fam: Any, spot: Path) -> None:
    (spot / "there").touch()
    running = fam("run", spot, "--only", "exists", "--once", *python(TELL))
    assert running.lines(1) == [f"1 exists:{spot} exists:there".encode()]
    assert running.end()[0] == 0


def test_only_the_codes_asked_for_are_a_reason_to_run(fam: Any, spot: Path) -> None:
    running = fam("run", spot, "--only", "deleted", "--postpone", *python(TELL))
    running.ready()
    (spot / "a").touch()
    (spot / "a").unlink()
    assert running.lines(1) == [b"1 deleted:a"]


def test_all_that_is_in_a_directory_if_asked_for(fam: Any, spot: Path) -> None:
    (spot / "sub").mkdir()
    running = fam("run", "-r", spot, "--postpone", *python(TELL))
    running.ready()
    (spot / "sub" / "a").touch()
    assert running.lines(1) == [b"1 created:sub/a"]


def test_the_file_has_lines_as_watch_prints_them(fam: Any, spot: Path) -> None:
    running = fam("run", spot, "--postpone", "--", "sh", "-c", 'cat "$FAM_EVENTS_FILE"')
    running.ready()
    (spot / "sub").mkdir()
    event = json.loads(running.lines(1)[0])
    assert event.pop("time") == pytest.approx(spot.stat().st_mtime, abs=60)
    assert event == {
        "event": "created",
        "path": f"{spot}/sub",
        "filename": "sub",
        "monitor": str(spot),
        "backend": "inotify",
        "is_directory": True,
        "moved_from": None,
    }


def test_the_command_reads_the_events_if_asked_for(fam: Any, spot: Path) -> None:
    running = fam("run", spot, "--postpone", "--stdin", "--", "cat")
    running.ready()
    (spot / "a").touch()
    assert json.loads(running.lines(1)[0])["filename"] == "a"


def test_the_command_reads_nothing_otherwise(fam: Any, spot: Path) -> None:
    reader, writer = os.pipe()
    running = fam("run", spot, "--once", "--", "cat", stdin=reader)
    os.close(reader)
    assert running.end()[:2] == (0, b"")
    os.close(writer)


def test_names_that_fold_to_nothing_are_told_too(fam: Any, spot: Path, gate: Any) -> None:
    running = fam("run", spot, *python(HOLD, gate))
    assert running.lines(1) == [b"1"]
    (spot / "a").touch()
    (spot / "a").unlink()
    gate.open()
    assert running.lines(1) == [b"2 created:a deleted:a"]
    gate.open()


# --- how often


def test_changes_that_come_soon_after_each_other_are_one_run(fam: Any, spot: Path) -> None:
    running = fam("run", spot, "--postpone", "--settle", "0.5", *python(TELL))
    running.ready()
    for name in "abc":
        (spot / name).touch()
        with pytest.raises(subprocess.TimeoutExpired):
            running.process.wait(0.1)
    assert running.lines(1) == [b"1 created:a created:b created:c"]


def test_changes_that_never_come_to_rest_are_not_waited_for(fam: Any, spot: Path) -> None:
    running = fam("run", spot, "--postpone", "--settle", "5", "--settle-max", "5.5", *python(TELL))
    running.ready()
    busy = "import sys, time\nwhile True: open(sys.argv[1], 'a').close(); time.sleep(0.2)"
    with subprocess.Popen([sys.executable, "-c", busy, spot / "busy"]) as writer:
        try:
            assert running.lines(1) == [b"1 created:busy"]
        finally:
            writer.kill()


def test_what_comes_while_it_runs_is_one_further_run(fam: Any, spot: Path, gate: Any) -> None:
    running = fam("run", spot, "--settle", "0", *python(HOLD, gate))
    assert running.lines(1) == [b"1"]
    for name in "abc":
        (spot / name).touch()
        with pytest.raises(subprocess.TimeoutExpired):
            running.process.wait(0.05)
    (spot / "a").unlink()
    gate.open()
    assert running.lines(1) == [b"2 created:a created:b created:c deleted:a"]
    gate.open()


def test_a_run_that_is_restarted_is_told_what_the_one_before_was(
    fam: Any, spot: Path, gate: Any
) -> None:
    running = fam("run", spot, "--busy", "restart", *python(HOLD, gate))
    assert running.lines(1) == [b"1"]
    (spot / "a").touch()
    assert running.lines(1) == [b"2 created:a"]
    (spot / "b").touch()
    assert running.lines(1) == [b"3 created:a created:b"]
    gate.open()
    # That one came to its end by itself.
    (spot / "c").touch()
    assert running.lines(1) == [b"4 created:c"]


def test_a_restart_is_no_failure(fam: Any, spot: Path, gate: Any) -> None:
    running = fam("run", spot, "--busy", "restart", *python(HOLD, gate))
    running.ready()
    running.lines(1)
    (spot / "a").touch()
    running.lines(1)
    running.process.terminate()
    assert running.end() == (0, b"", "")


#: The same as HOLD, and at a signal prints its name, how many events the file has, and its path.
SIGNALLED = (
    TELL
    + """
import signal
def told(number, frame):
    file = os.environ["FAM_EVENTS_FILE"]
    print(signal.Signals(number).name, open(file).read().count("\\n"), file, flush=True)
for name in ("SIGHUP", "SIGUSR1"):
    signal.signal(getattr(signal, name), told)
print("set", flush=True)
open(sys.argv[1]).readline()
"""
)


def is_asleep(pid: int) -> bool:
    """Whether a process waits for something, by proc(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


@pytest.mark.parametrize("name", ["HUP", "USR1"])
def test_a_command_that_is_signalled_finds_the_events_in_its_file(
    fam: Any, spot: Path, gate: Any, until: Any, name: str
) -> None:
    def signalled() -> tuple[bytes, bytes, Path]:
        (line,) = running.lines(1)
        name, count, file = line.split()
        return name, count, Path(os.fsdecode(file))

    signal_name = f"SIG{name}".encode()
    options = ["--signal", name] if name != "HUP" else []
    running = fam("run", spot, "--busy", "signal", *options, *python(SIGNALLED, gate))
    assert running.lines(2) == [b"1", b"set"]
    (spot / "a").touch()
    (spot / "b").touch()
    assert signalled()[:2] == (signal_name, b"2")
    (spot / "c").touch()
    *told, file = signalled()
    assert told == [signal_name, b"1"]
    # The next change starts it, once it has ended. Not before it was looked at after the signal:
    # then it may have ended before that came.
    until(lambda: is_asleep(running.process.pid))
    gate.open()
    until(lambda: not file.exists())
    (spot / "d").touch()
    assert running.lines(2) == [b"2 created:d", b"set"]


def test_a_command_that_is_ended_by_the_signal_is_run_with_what_came(
    fam: Any, spot: Path, gate: Any
) -> None:
    running = fam("run", spot, "--busy", "signal", *python(HOLD, gate))
    running.ready()
    assert running.lines(1) == [b"1"]
    (spot / "a").touch()
    assert running.lines(1) == [b"2 created:a"]
    assert running.said().endswith("was ended by signal 1 (Hangup)")


def test_what_comes_while_it_runs_is_ignored_if_asked_for(fam: Any, spot: Path) -> None:
    write = 'echo run; echo x >"$1/written"; touch "$1/$FAM_RUN"'
    running = fam("run", spot, "--busy", "ignore", "--shell", "--", write, spot)
    assert running.lines(1) == [b"run"]
    assert running.said().startswith("fam: watching")
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(0.5)
    assert running.printed() == b""
    (spot / "a").touch()
    assert running.lines(1) == [b"run"]


def test_a_command_that_sets_itself_off_is_told_of(fam: Any, spot: Path) -> None:
    running = fam("run", spot, "--settle", "0", "--", "touch", spot / "again")
    running.ready()
    assert running.said() == (
        "fam: 10 runs in a row for changes made during the one before; "
        "if the command makes them, see --ignore and --busy ignore"
    )


@pytest.mark.parametrize("policy", ["queue", "restart"])
def test_in_a_storm_runs_are_few_and_nothing_is_missing(fam: Any, spot: Path, policy: str) -> None:
    log = spot.parent / "log"
    log.touch()
    # Not atomic: one that is ended may leave half of it behind, to be told again.
    tell = 'echo run >>"$1"; cat "$FAM_EVENTS_FILE" >>"$1"; sleep 0.2; echo done >>"$1"'
    running = fam("run", spot, "--busy", policy, "--postpone", "--shell", "--", tell, log)
    running.ready()
    for number in range(10_000):
        (spot / f"n{number}").touch()
    (spot / "last").touch()
    text = ""
    while '"last"' not in text or not text.endswith("done\n"):
        with pytest.raises(subprocess.TimeoutExpired):
            running.process.wait(0.05)
        text = log.read_text()
    lines = text.splitlines()
    completed: set[str] = set()
    events: list[str] = []
    for line in lines:
        if line == "run":
            events = []
        elif line == "done":
            completed.update(events)
        else:
            events.append(json.loads(line)["filename"])
    assert completed == {"last", *(f"n{number}" for number in range(10_000))}
    assert lines.count("run") <= 30


# --- what it is given


NAMES = [b"$(touch x)", b"-rf", b"a\nb", b"\xff\xfe", b"{}", b"`id`;&|", b" ", b"--", b"'\"*"]


@pytest.mark.parametrize("shell", [False, True])
def test_a_name_is_one_argument_whatever_it_is(fam: Any, spot: Path, shell: bool) -> None:
    command = python(ARGUMENTS, "before", "{}", "after")
    if shell:
        script = f'exec {sys.executable} -c "{ARGUMENTS}" before "$@" after'
        command = ["--shell", "--", script.replace("\\", "\\\\"), "{}"]
    running = fam("run", spot, "--settle", "0.5", *command, cwd=spot)
    running.ready()
    paths = [os.fsencode(spot) + b"/" + name for name in NAMES]
    for path in paths:
        Path(os.fsdecode(path)).touch()
    assert running.lines(2 + len(NAMES), b"\0") == [b"before", *paths, b"after"]
    assert sorted(os.listdir(os.fsencode(spot))) == sorted(NAMES)


def test_a_command_that_takes_paths_is_not_run_without_any(fam: Any, spot: Path) -> None:
    running = fam("run", spot, "--", "echo", "{}", "a{}b")
    running.ready()
    (spot / "x").touch()
    assert running.lines(1) == [f"{spot}/x a{{}}b".encode()]


@pytest.mark.parametrize("policy", ["queue", "restart", "signal", "ignore"])
def test_paths_that_are_too_many_for_a_command_line_are_several_runs(
    fam: Any, spot: Path, policy: str
) -> None:
    monitor = spot / ("d" * 200)
    monitor.mkdir()
    names = [f"{number:0200}" for number in range(12_000)]
    running = fam(
        "run", monitor, "--busy", policy, "--settle", "1", *python(ARGUMENTS, "run", "{}")
    )
    running.ready()
    for name in names:
        (monitor / name).touch()
    words: list[bytes] = []
    while len(set(words)) <= len(names):
        words += running.lines(1, b"\0")
    told = [word for word in words if word != b"run"]
    assert sorted(told) == sorted(os.fsencode(monitor / name) for name in names)
    assert words.count(b"run") >= 3


def test_what_it_is_given_leaves_nothing_behind_and_is_not_told_of(
    fam: Any, spot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(spot))
    running = fam("run", "-r", spot, *python(TELL))
    assert running.lines(1) == [b"1"]
    (spot / "a").touch()
    assert running.lines(1) == [b"2 created:a"]
    running.process.terminate()
    assert running.end()[:2] == (0, b"")
    assert os.listdir(spot) == ["a"]


def test_no_list_is_in_the_environment(fam: Any, spot: Path) -> None:
    running = fam("run", spot, "--postpone", "--once", "--settle", "1", "--", "env", "-0")
    running.ready()
    for number in range(5000):
        (spot / f"n{number}").touch()
    code, out, _ = running.end()
    assert code == 0
    ours = [line for line in out.split(b"\0") if line.startswith(b"FAM_")]
    names = {line.partition(b"=")[0] for line in ours} - os.environb.keys()
    assert names == {b"FAM_EVENTS_FILE", b"FAM_EVENT_COUNT", b"FAM_RUN"}
    assert b"FAM_EVENT_COUNT=5000" in ours


# --- how it ends


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (["true"], 0),
        (["sh", "-c", "exit 3"], 3),
        (["sh", "-c", "kill -KILL $$"], 137),
        (["/nowhere/nothing"], 127),
        (["/etc"], 126),
    ],
)
def test_once_ends_with_the_status_of_the_command(
    fam: Any, spot: Path, command: list[str], status: int
) -> None:
    assert fam("run", spot, "--once", "--", *command).end()[0] == status


def test_a_command_that_fails_is_told_of_and_run_again(fam: Any, spot: Path) -> None:
    running = fam("run", spot, "--", "sh", "-c", "echo run; exit 2")
    running.ready()
    assert running.said() == "fam: sh ended with status 2"
    (spot / "a").touch()
    assert running.said() == "fam: sh ended with status 2"
    assert running.lines(2) == [b"run", b"run"]


def test_a_command_that_can_not_be_run_ends_it(fam: Any, spot: Path) -> None:
    code, _, err = fam("run", spot, "--", "/nowhere/make").end()
    assert code == 127
    assert err.endswith("fam: /nowhere/make: No such file or directory\n")


@pytest.mark.parametrize(
    ("first_line", "code", "why"),
    [
        ("#!/nowhere/sh", 127, "the interpreter that its first line names is not"),
        ("true", 126, "its first line names no interpreter: begin it with #!, or give --shell"),
    ],
)
def test_a_script_without_its_interpreter_is_not_said_to_be_missing(
    fam: Any, spot: Path, first_line: str, code: int, why: str
) -> None:
    script = spot.parent / "script"
    script.write_text(f"{first_line}\n")
    script.chmod(0o755)
    running = fam("run", spot, "--", script)
    ended, _, err = running.end()
    assert ended == code
    assert err.endswith(f"{why}\n")


def test_a_command_that_is_being_replaced_is_run_at_the_next_change(fam: Any, spot: Path) -> None:
    command = spot.parent / "command"
    command.write_text("#!/bin/sh\necho run $FAM_EVENT_COUNT\n")
    command.chmod(0o755)
    running = fam("run", spot, "--", command)
    running.ready()
    assert running.lines(1) == [b"run 0"]
    command.rename(spot.parent / "away")
    (spot / "a").touch()
    assert running.said() == f"fam: {command}: No such file or directory"
    (spot.parent / "away").rename(command)
    (spot / "b").touch()
    # What could not be told is told now.
    assert running.lines(1) == [b"run 2"]


def test_a_command_that_finds_no_descriptor_left_is_named_and_run_again(
    fam: Any, spot: Path, until: Any
) -> None:
    running = fam("run", spot, "--", "sh", "-c", "echo told of $FAM_EVENT_COUNT")
    running.ready()
    assert running.lines(1) == [b"told of 0"]
    until(lambda: is_asleep(running.process.pid))
    pid = running.process.pid
    taken = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
    # One is left: for the file of events, then for an empty stdin, none for what else Popen opens.
    limit = min(set(range(len(taken) + 1)) - taken) + 1
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, hard))
    (spot / "a").touch()
    assert running.said() == "fam: sh: Too many open files"
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
    (spot / "b").touch()
    assert running.lines(1) == [b"told of 2"]


def test_a_backend_that_is_not_live_ends_it_after_the_first_run(fam: Any, spot: Path) -> None:
    (spot / "a").touch()
    running = fam("run", spot, "-b", "pseudo", "--only", "exists", *python(TELL))
    assert running.end()[:2] == (0, f"1 exists:{spot} exists:a\n".encode())


SHORT_SIGHTED = """
import famcore
from fam_inotify import InotifyBackend
from famcore.backend import Interest, WatchLimitReached

class ShortSighted(InotifyBackend):
    name = "short"

    def watch(self, path, interest=Interest.ALL):
        if path.endswith("/dark"):
            raise WatchLimitReached(path, "lamps", 1, "buy some")
        return super().watch(path, interest)

@famcore.hookimpl
def fam_backend():
    return ShortSighted
"""


@pytest.mark.parametrize("command", [["watch"], ["run"]])
def test_a_loss_of_coverage_ends_it_if_asked_for(
    fam: Any, spot: Path, install: Callable[..., None], command: list[str]
) -> None:
    install("famcore.backends", "short", SHORT_SIGHTED)
    what = ["--", "sleep", "60"] if command == ["run"] else []
    running = fam(*command, "-r", spot, "--strict", "-b", "short", *what)
    running.ready()
    (spot / "dark").mkdir()
    code, _, err = running.end()
    assert code == 4
    assert f"fam: {spot}/dark is not covered (--strict): lamps = 1 is reached\n" in err
    assert "buy some" in err


@pytest.mark.parametrize("command", [["watch"], ["run"]])
def test_what_is_not_covered_from_the_start_ends_it_too(
    fam: Any, spot: Path, install: Callable[..., None], command: list[str]
) -> None:
    install("famcore.backends", "short", SHORT_SIGHTED)
    (spot / "dark").mkdir()
    what = ["--", "sleep", "60"] if command == ["run"] else []
    assert fam(*command, "-r", spot, "--strict", "-b", "short", *what).end()[0] == 4


def test_what_it_is_given_is_not_told_of_by_another_that_runs(fam: Any, spot: Path) -> None:
    """They would set each other off for ever."""
    environment = os.environ | {"TMPDIR": str(spot)}
    within = fam("run", spot, "--postpone", *python(TELL), env=environment)
    within.ready()
    running = fam("run", "-r", spot, "--postpone", "--settle", "0", *python(TELL))
    running.ready()
    for number, name in enumerate("abc", 1):
        (spot / name).touch()
        told = f"{number} created:{name}".encode()
        # The file of events has been written by then, and after the next one it would be told.
        assert within.lines(1) == [told]
        assert running.lines(1) == [told]
