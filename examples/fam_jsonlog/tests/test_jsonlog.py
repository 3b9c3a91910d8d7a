"""The consumer on real files, and as the command line turns it on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

import famcore

#: Seconds. What has not come by then never will.
DEADLINE = 30.0


@pytest.fixture
def spot(tmp_path):
    """An empty directory to be monitored."""
    spot = tmp_path / "spot"
    spot.mkdir()
    return spot


@pytest.fixture
def begin(spot):
    """Monitor a directory, with the consumer turned on by its name."""
    begun = []

    def begin(path=spot, **options):
        begun.append(famcore.FileMonitor(consumers=[("jsonlog", options)]))
        begun[-1].add_monitor(path)
        begun[-1].handle_events()
        return begun[-1]

    yield begin
    for fam in begun:
        fam.shutdown()


def entries(file):
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def told(file):
    return [(entry["event"], os.path.basename(entry["path"])) for entry in entries(file)]


def pump(fam, file, name):
    """Deliver until something of `name` is in `file`."""
    deadline = time.monotonic() + DEADLINE
    while name not in [name for _, name in told(file)]:
        assert time.monotonic() < deadline, f"nothing of {name!r} in {told(file)}"
        fam.handle_events(0.1)


# --- lines


def test_each_event_is_a_line_once_its_batch_is_delivered(begin, spot, tmp_path):
    (spot / "a").touch()
    log = tmp_path / "log"
    fam = begin(file=str(log))
    assert told(log) == [("exists", "spot"), ("exists", "a"), ("endExist", "spot")]
    (spot / "b").touch()
    pump(fam, log, "b")
    assert ("created", "b") in told(log)
    assert {entry["backend"] for entry in entries(log)} == {fam.backend}


def test_lines_are_added_to_what_is_there(begin, tmp_path):
    log = tmp_path / "log"
    log.write_text('{"event": "created", "path": "earlier"}\n')
    begin(file=str(log))
    assert told(log)[0] == ("created", "earlier")
    assert told(log)[-1] == ("endExist", "spot")


def test_a_name_that_is_not_utf8_can_be_had_back(begin, spot, tmp_path):
    os.mkdir(os.fsencode(spot) + b"/caf\xe9")
    log = tmp_path / "log"
    begin(file=str(log))
    assert "path_bytes" in entries(log)[1]
    assert entries(log)[1]["filename"] == "caf\ufffd"


def test_the_file_is_closed_when_it_is_over(begin, tmp_path):
    log = tmp_path / "log"
    fam = begin(file=str(log))
    assert str(log) in open_files()
    fam.shutdown()
    assert str(log) not in open_files()


def open_files():
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("/proc doesn't tell which files are open")
    return [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]


# --- its own files


def test_what_happens_to_its_own_files_is_not_written(begin, spot):
    log = spot / "log"
    fam = begin(file=str(log), size="400")
    for number in range(20):
        (spot / f"a{number}").touch()
        pump(fam, log, f"a{number}")
    # If each line brought another there would be no end.
    assert 0 in (fam.handle_events(0.1) for _ in range(100))
    assert (spot / "log.5").exists()
    written = [name for file in spot.glob("log*") for _, name in told(file)]
    assert [name for name in written if name.startswith("log")] == []


def test_its_own_files_are_known_by_another_path_of_their_directory(begin, spot, tmp_path):
    (tmp_path / "link").symlink_to(spot)
    (spot / "log.old").touch()
    log = spot / "log"
    fam = begin(tmp_path / "link", file=str(log))
    (spot / "a").touch()
    pump(fam, log, "a")
    assert "log" not in [name for _, name in told(log)]
    assert ("exists", "log.old") in told(log)


# --- options


def test_sizes_have_units_and_numbers_may_be_numbers(begin, tmp_path):
    for number, size in enumerate(["1K", "10m", "2G", "5000", 5000]):
        begin(file=str(tmp_path / f"log{number}"), size=size, keep=3)
        assert told(tmp_path / f"log{number}")[-1] == ("endExist", "spot")


def test_a_home_is_found(begin, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    begin(file="~/log")
    assert told(tmp_path / "log")[-1] == ("endExist", "spot")


@pytest.mark.parametrize("size", ["10X", "", "0", "-1", "1.5M", "M", "٣"])
def test_a_size_that_is_none_is_refused_with_one_that_is(begin, tmp_path, size):
    with pytest.raises(famcore.PluginError) as refused:
        begin(file=str(tmp_path / "log"), size=size)
    assert str(refused.value).startswith(
        f"consumer 'jsonlog' (fam-jsonlog 0.1.0): size is {size!r}; give bytes, above 0, or K, M"
        " or G of them, as 10M"
    )


@pytest.mark.parametrize("keep", ["-1", "all", "", 1.5])
def test_a_number_that_is_none_is_refused(begin, tmp_path, keep):
    with pytest.raises(famcore.PluginError, match=f"keep is {keep!r}; give a number, 0 or more"):
        begin(file=str(tmp_path / "log"), keep=keep)


def test_a_file_that_can_not_be_written_is_said_by_start(begin, tmp_path):
    with pytest.raises(FileNotFoundError) as refused:
        begin(file=str(tmp_path / "missing" / "log"))
    assert refused.value.filename == str(tmp_path / "missing" / "log")


# --- the command line


def fam_watch(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "famcore.cli", "watch", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=DEADLINE,
    )


def test_the_command_line_turns_it_on_and_it_has_the_lines_of_json(spot, tmp_path):
    os.mkdir(os.fsencode(spot) + b"/caf\xe9")
    log = tmp_path / "log"
    option = f"jsonlog:file={log},size=10M,keep=2"
    watch = fam_watch("--json", "--count", "3", "--consumer", option, spot)
    assert watch.returncode == 0, watch.stderr
    printed = [json.loads(line) for line in watch.stdout.splitlines()]
    assert list(map(without_time, entries(log))) == list(map(without_time, printed))
    assert len(printed) == 3


def without_time(entry):
    return [(key, value) for key, value in entry.items() if key != "time"]


def test_the_command_line_says_what_is_wrong_with_an_option(spot):
    watch = fam_watch("--consumer", "jsonlog:file=log,size=big", spot)
    assert (watch.returncode, watch.stdout) == (1, b"")
    assert watch.stderr.startswith(
        b"fam: consumer 'jsonlog' (fam-jsonlog 0.1.0): size is 'big'; give bytes, above 0, or K, M"
        b" or G of them, as 10M"
    )
    assert watch.stderr.count(b"\n") == 1
