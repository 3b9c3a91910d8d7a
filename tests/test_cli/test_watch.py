"""`fam watch` tells what happens to real files."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_it_tells_of_files_made_changed_renamed_and_removed(fam: Any, spot: Path) -> None:
    watching = fam("watch", spot, "--no-exists", "--only", "created,deleted")
    watching.ready()
    (spot / "a").write_text("one")
    (spot / "a").rename(spot / "b")
    (spot / "b").unlink()
    assert watching.lines(4) == [
        f"created  {spot}/a".encode(),
        f"deleted  {spot}/a".encode(),
        f"created  {spot}/b".encode(),
        f"deleted  {spot}/b".encode(),
    ]


def test_what_is_there_is_out_before_it_says_that_it_is_ready(fam: Any, spot: Path) -> None:
    for number in range(2500):
        (spot / f"{number:04}").touch()
    # A file holds them all without a reader.
    with (spot.parent / "out").open("w+b") as out:
        watching = fam("watch", spot, stdout=out)
        assert watching.ready() == f"fam: watching {spot} (inotify)"
        lines = (spot.parent / "out").read_bytes().splitlines()
    assert lines[0] == f"exists   {spot}".encode()
    assert sorted(lines[1:-1]) == [f"exists   {spot}/{n:04}".encode() for n in range(2500)]
    assert lines[-1] == f"endExist {spot}".encode()


def test_it_is_ready_when_all_paths_are_monitored(fam: Any, spot: Path) -> None:
    file = spot / "file"
    file.touch()
    missing = spot / "missing"
    watching = fam("watch", spot, file, missing)
    assert watching.ready() == f"fam: watching {spot}, {file}, {missing} (inotify)"
    printed = watching.printed().splitlines()
    assert [line for line in printed if line.startswith(b"endExist")] == [
        f"endExist {path}".encode() for path in (spot, file, missing)
    ]


def test_of_many_paths_it_tells_the_number(fam: Any, spot: Path) -> None:
    files = [spot / str(number) for number in range(4)]
    assert fam("watch", *files).ready() == "fam: watching 4 paths (inotify)"


def test_each_batch_is_out_at_once(fam: Any, spot: Path) -> None:
    watching = fam("watch", spot, "--no-exists", "--only", "created")
    watching.ready()
    for name in "abc":
        (spot / name).touch()
        assert watching.lines(1) == [f"created  {spot}/{name}".encode()]


def test_paths_are_told_as_they_were_given_made_absolute(fam: Any, spot: Path) -> None:
    watching = fam("watch", "spot/../spot/", "--count", "1", cwd=spot.parent)
    assert watching.end()[1] == f"exists   {spot.parent}/spot/../spot\n".encode()


def test_json_has_an_object_a_line(fam: Any, spot: Path) -> None:
    watching = fam("watch", spot, "--json", "--no-exists", "--only", "created")
    watching.ready()
    (spot / "old").touch()
    (spot / "old").rename(spot / "new")
    (spot / "sub").mkdir()
    entries = [json.loads(line) for line in watching.lines(3)]
    for entry in entries:
        assert entry.pop("time") == pytest.approx(spot.stat().st_mtime, abs=60)
        assert (entry.pop("monitor"), entry.pop("backend")) == (str(spot), "inotify")
        assert entry.pop("event") == "created"
    assert entries == [
        {
            "path": f"{spot}/{name}",
            "filename": name,
            "is_directory": is_directory,
            "moved_from": old,
        }
        for name, is_directory, old in [
            ("old", False, None),
            ("new", False, "old"),
            ("sub", True, None),
        ]
    ]


@pytest.mark.parametrize(
    ("options", "end", "shown"),
    [
        ([], b"\n", rb"exists   %s/a\nb\xff"),
        (["--print0"], b"\0", b"%s/a\nb\xff"),
        (["--format", r"{filename}\0"], b"\0", b"a\nb\xff"),
    ],
)
def test_any_name_is_told(
    fam: Any, spot: Path, options: list[str], end: bytes, shown: bytes
) -> None:
    (Path(os.fsdecode(os.fsencode(spot) + b"/a\nb\xff"))).touch()
    lines = fam("watch", spot, "--count", "2", *options).lines(2, end)
    assert lines[1] == shown.replace(b"%s", os.fsencode(spot))


def test_json_gives_the_bytes_of_any_path(fam: Any, spot: Path) -> None:
    path = os.fsencode(spot) + b"/caf\xe9"
    Path(os.fsdecode(path)).touch()
    entry = json.loads(fam("watch", os.fsdecode(path), "--json", "--count", "1").lines(1)[0])
    assert base64.b64decode(entry["path_bytes"]) == path


def test_only_and_no_exists_choose_among_the_codes(fam: Any, spot: Path) -> None:
    (spot / "there").touch()
    watching = fam("watch", spot, "--only", "exists,deleted", "--no-exists", "--count", "1")
    watching.ready()
    (spot / "there").unlink()
    assert watching.end()[:2] == (0, f"deleted  {spot}/there\n".encode())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], ["dull.o", "keen.c"]),
        (["--ignore", "*.o"], ["keen.c"]),
        (["--ignore", "*.o", "--ignore", "*.c"], []),
        (["--no-default-ignore"], ["dull.o", "keen.c", "keen.c~"]),
        (["--no-default-ignore", "--ignore", "*.o"], ["keen.c", "keen.c~"]),
    ],
)
def test_ignore_patterns_are_added_to_the_defaults(
    fam: Any, spot: Path, options: list[str], told: list[str]
) -> None:
    for name in ("dull.o", "keen.c", "keen.c~"):
        (spot / name).touch()
    watching = fam("watch", spot, "--format", "{filename}", "--only", "exists", *options)
    watching.ready()
    assert sorted(watching.printed().decode().splitlines()[1:]) == told


def test_a_name_in_a_format_is_no_field(fam: Any, spot: Path) -> None:
    (spot / "{event}%s").touch()
    watching = fam("watch", spot, "--format", "{filename}", "--count", "2")
    assert watching.end()[1].splitlines()[1] == b"{event}%s"


def test_count_ends_it_after_so_many_printed_events(fam: Any, spot: Path) -> None:
    for number in range(3000):
        (spot / str(number)).touch()
    code, out, _ = fam("watch", spot, "--count", "1500").end()
    assert (code, out.count(b"\n")) == (0, 1500)


def test_what_is_not_printed_does_not_count(fam: Any, spot: Path) -> None:
    watching = fam("watch", spot, "--no-exists", "--only", "deleted", "--count", "2")
    watching.ready()
    for name in "ab":
        (spot / name).touch()
        (spot / name).unlink()
    assert watching.end()[:2] == (0, f"deleted  {spot}/a\ndeleted  {spot}/b\n".encode())


def test_timeout_ends_it_when_nothing_was_printed_for_so_long(fam: Any, spot: Path) -> None:
    code, out, err = fam("watch", spot, "--timeout", "0.2").end()
    assert (code, out.count(b"\n"), err) == (3, 2, f"fam: watching {spot} (inotify)\n")


def test_timeout_begins_anew_with_each_printed_event(fam: Any, spot: Path) -> None:
    watching = fam("watch", spot, "--no-exists", "--timeout", "1")
    watching.ready()
    with pytest.raises(subprocess.TimeoutExpired):
        watching.process.wait(0.5)
    made = time.monotonic()
    (spot / "a").touch()
    assert watching.end()[0] == 3
    assert time.monotonic() - made >= 1


def test_timeout_passes_though_what_is_not_printed_goes_on(fam: Any, spot: Path) -> None:
    watching = fam("watch", spot, "--timeout", "0.3", "--only", "deleted")
    watching.ready()
    busy = "import itertools, sys; [open(sys.argv[1], 'a').close() for _ in itertools.count()]"
    with subprocess.Popen([sys.executable, "-c", busy, spot / "busy"]) as writer:
        try:
            assert watching.end()[0] == 3
        finally:
            writer.kill()


def test_a_backend_that_is_not_live_ends_it_after_what_is_there(fam: Any, spot: Path) -> None:
    (spot / "a").touch()
    code, out, err = fam("watch", spot, "-b", "pseudo", "--format", "{event} {filename}").end()
    assert err.endswith("fam: pseudo tells what is there, and no change\n")
    assert (code, out) == (0, f"exists {spot}\nexists a\nendExist {spot}\n".encode())


CONSUMER = """
import pathlib
import famcore

class Counter:
    def __init__(self, file, **options):
        self.file = pathlib.Path(file)
        self.options = options

    @famcore.hookimpl
    def fam_started(self, fam):
        fam.add_monitor(self.file.parent)

    @famcore.hookimpl
    def fam_events(self, events):
        with self.file.open("a") as file:
            file.writelines(f"{event.action} {event.path} {self.options}\\n" for event in events)
"""


def test_a_consumer_gets_its_options_and_the_events(
    fam: Any, spot: Path, install: Callable[..., None]
) -> None:
    install("famcore.consumers", "counter", CONSUMER, "Counter")
    notes = spot.parent / "other" / "notes=1"
    notes.parent.mkdir()
    code, out, _ = fam(
        "watch", spot, "--consumer", f"counter:file={notes},size=10M", "--count", "2"
    ).end()
    assert f"exists {spot} {{'size': '10M'}}\n" in notes.read_text()
    # The monitor that the consumer set for itself is not printed.
    assert (code, out) == (0, f"exists   {spot}\nendExist {spot}\n".encode())


def test_enough_is_enough_for_consumers_too(
    fam: Any, spot: Path, install: Callable[..., None]
) -> None:
    install("famcore.consumers", "counter", CONSUMER, "Counter")
    for number in range(5000):
        (spot / str(number)).touch()
    notes = spot.parent / "other" / "notes"
    notes.parent.mkdir()
    watching = fam("watch", spot, "--consumer", f"counter:file={notes}", "--count", "1")
    assert watching.end()[0] == 0
    assert 1 <= notes.read_text().count("\n") < 5000


def test_all_that_is_in_a_directory_if_asked_for(fam: Any, spot: Path) -> None:
    (spot / "sub" / "below").mkdir(parents=True)
    options = ["--only", "exists", "--format", "{filename}"]
    for flags, told in [([], ["sub"]), (["-r"], ["sub", "sub/below"])]:
        watching = fam("watch", spot, *options, *flags)
        watching.ready()
        assert watching.printed().decode().splitlines() == [str(spot), *told]


@pytest.mark.parametrize(("options", "end"), [([], b"\n"), (["--from0"], b"\0")])
def test_paths_come_from_stdin_if_asked_for(
    fam: Any, spot: Path, options: list[str], end: bytes
) -> None:
    name = b"caf\xe9" if end == b"\n" else b"a\nb"
    os.mkdir(os.fsencode(spot) + b"/" + name)
    (spot / "given").mkdir()
    with (spot / "list").open("w+b") as listed:
        listed.write(name + end + end + b"list" + end)
        listed.seek(0)
        watching = fam(
            "watch", "given", "-", *options, "--print0", "--only", "endExist",
            cwd=spot, stdin=listed,
        )  # fmt: skip
        watching.ready()
        within = os.fsencode(spot)
        assert watching.lines(3, b"\0") == [
            within + b"/given",
            within + b"/" + name,
            within + b"/list",
        ]


def test_counts_are_told_at_the_end_if_asked_for(fam: Any, spot: Path) -> None:
    watching = fam("watch", spot, "--stats", "--only", "created,deleted")
    watching.ready()
    for number in range(1200):
        (spot / f"n{number}").touch()
    (spot / "n1").unlink()
    watching.lines(1201)
    watching.process.send_signal(signal.SIGINT)
    code, _, err = watching.end()
    assert code == 130
    assert re.fullmatch(
        r"fam: 1,201 events in [0-9.]+ s, [0-9,.]+ a second: created 1,200, deleted 1\n", err
    )


def test_nothing_is_lost_on_the_way_to_another_program(fam: Any, spot: Path) -> None:
    with subprocess.Popen(["wc", "-l"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as counter:
        assert counter.stdin
        assert counter.stdout
        watching = fam(
            "watch", spot, "--json", "--only", "created", "--count", "10000", stdout=counter.stdin
        )
        counter.stdin.close()
        watching.ready()
        for number in range(10_000):
            (spot / f"n{number}").touch()
        assert watching.end()[0] == 0
        assert counter.stdout.read().strip() == b"10000"


def test_a_program_that_reads_the_first_line_alone_ends_it(fam: Any, spot: Path) -> None:
    with subprocess.Popen(["head", "-1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as head:
        assert head.stdin
        assert head.stdout
        watching = fam("watch", spot, "--no-exists", stdout=head.stdin)
        head.stdin.close()
        watching.ready()
        (spot / "a").touch()
        assert head.stdout.read() == f"created  {spot}/a\n".encode()
        assert watching.end() == (0, b"", "")


# --- on a terminal


def test_a_terminal_gets_colours_and_paths_as_seen_from_here(terminal: Any, spot: Path) -> None:
    terminal.start("watch", spot, spot.parent, cwd=spot)
    terminal.line("watching")
    (spot / "a\x1b[m").touch()
    assert terminal.line("created") == "\x1b[32mcreated \x1b[m a\\x1b[m"
    spot.chmod(0o700)
    assert terminal.line("33m") == "\x1b[33mchanged \x1b[m ."
    assert "\x1b[2mexists  \x1b[m .\r\n" in terminal.shown
    assert f"\x1b[2mexists  \x1b[m {spot.parent}\r\n" in terminal.shown


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_gets_no_colours_where_they_are_not_wanted(
    terminal: Any, spot: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    terminal.start("watch", spot, "--no-exists", cwd=spot)
    terminal.line("watching")
    (spot / "a").touch()
    assert terminal.line("created") == "created  a"


SLOW = """
import time
import famcore
from fam_inotify import InotifyBackend
from famcore.backend import Interest

class Slow(InotifyBackend):
    name = "slow"

    def watch(self, path, interest=Interest.ALL):
        time.sleep(0.1)
        return super().watch(path, interest)

@famcore.hookimpl
def fam_backend():
    return Slow
"""


def test_a_terminal_shows_how_far_the_listing_of_a_big_tree_is(
    terminal: Any, spot: Path, install: Callable[..., None]
) -> None:
    install("famcore.backends", "slow", SLOW)
    for number in range(5):
        (spot / str(number)).mkdir()
        for name in range(1000):
            (spot / str(number) / f"n{name}").touch()
    terminal.start("watch", "-r", "-b", "slow", "--no-exists", spot)
    line = terminal.line("watching")
    assert re.fullmatch(
        r"(\rfam: listing what is there: [0-9,]+ entries\x1b\[K)+\r\x1b\[Kfam: watching .*", line
    )


def test_a_terminal_that_goes_away_ends_it(terminal: Any, spot: Path) -> None:
    watching = terminal.start("watch", spot)
    terminal.line("watching")
    terminal.close()
    assert watching.process.wait(20) == 0


def test_ctrl_c_on_a_terminal_ends_it(terminal: Any, spot: Path) -> None:
    watching = terminal.start("watch", spot)
    terminal.line("watching")
    terminal.press(b"\x03")
    assert watching.process.wait(20) == 130
