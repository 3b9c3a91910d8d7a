"""`fam doctor` says what is used, what hinders, and what to do about it."""

from __future__ import annotations

import base64
import json
import os
import resource
import runpy
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
backend = runpy.run_path(str(TESTS / "installing.py"))["backend"]

#: Root of a user namespace, where nobody else's processes are seen, and mounts are its own.
NAMESPACE = ["unshare", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc"]
DOCTOR = [sys.executable, "-m", "famcore.cli", "doctor", "--json"]

LIMITED = """
    @classmethod
    def limits(cls):
        from famcore.backend import Limit, Spent
        return [
            Limit("kern.watches", Spent.WATCH, 10, 3, "sysctl kern.watches={value}"),
            Limit("kern.queues", Spent.BACKEND, 100, 80, "sysctl kern.queues={value}", "2 jails"),
            Limit("kern.length", Spent.CHANGE, 500, None, "sysctl kern.length={value}"),
        ]

    @classmethod
    def about"""


def limited(name: str = "limited", **parts: Any) -> str:
    """The source of a backend with limits."""
    source: str = backend(name, **parts)
    before, _, after = source.partition("\n    @classmethod\n    def about")
    return before + LIMITED + after


class Report:
    """What it said as JSON."""

    def __init__(self, code: int, out: bytes | str) -> None:
        self.code = code
        self.all = json.loads(out)
        self.findings = self.all["findings"]

    def of(self, subject: str) -> list[dict[str, Any]]:
        """What there is of one subject."""
        return [each for each in self.findings if each["subject"] == subject]

    def limit(self, name: str) -> dict[str, Any]:
        [found] = [each for each in self.of("limit") if each["data"]["name"] == name]
        return found


@pytest.fixture
def doctor(fam: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    """Its report on a path, or on none."""
    monkeypatch.delenv("FAM_BACKEND", raising=False)

    def doctor(*arguments: Any, **options: Any) -> Report:
        code, out, _ = fam("doctor", "--json", *arguments, **options).end()
        return Report(code, out)

    return doctor


@pytest.fixture
def bare_doctor(bare: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Report]:
    """The same, where no backend is installed but those of the test."""
    monkeypatch.delenv("FAM_BACKEND", raising=False)

    def doctor(*arguments: Any) -> Report:
        code, out, _ = bare("doctor", "--json", *arguments).end()
        return Report(code, out)

    return doctor


@pytest.fixture
def namespace() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a program in a namespace, once a shell did there what it is told to."""
    if subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces here")

    def run(prepare: str, path: Path, *command: Any) -> subprocess.CompletedProcess[str]:
        script = f'set -e; {prepare}; shift; exec "$@"'
        return subprocess.run(
            [*NAMESPACE, "sh", "-c", script, "sh", path, *command, path],
            capture_output=True,
            text=True,
            env={**os.environ, "FAM_BACKEND": "inotify"},
            check=False,
        )

    return run


@pytest.fixture
def inside(namespace: Callable[..., Any]) -> Callable[..., Report]:
    """Its report on a path there."""

    def inside(prepare: str, path: Path, *before: str) -> Report:
        done = namespace(prepare, path, *before, *DOCTOR)
        assert done.stdout, done.stderr
        return Report(done.returncode, done.stdout)

    return inside


# Backends


def test_where_nothing_hinders_it_says_what_is_used_and_ends_with_0(
    doctor: Callable[..., Report], spot: Path
) -> None:
    report = doctor(spot)
    assert (report.code, report.all["path"]) == (0, str(spot))
    assert report.all["level"] in ("ok", "note")
    picked = report.of("backend")[0]
    assert picked["data"] == {"name": "inotify", "priority": 90, "status": "usable"}
    assert picked["level"] == "ok"
    assert "the live one of the highest priority" in picked["text"]
    [pseudo] = [each for each in report.of("backend") if each["data"]["name"] == "pseudo"]
    assert pseudo["text"].endswith("is usable, but not live: it is used only when named")
    [trial] = report.of("trial")
    assert trial["text"] == f"a monitor on {spot} works by inotify"


def test_without_a_path_it_is_of_the_backend_alone(doctor: Callable[..., Report]) -> None:
    report = doctor()
    assert report.all["path"] is None
    assert {each["subject"] for each in report.findings} == {"backend", "trial", "limit"}


def test_why_the_others_are_not_used_is_told_with_the_way_out(
    bare_doctor: Callable[..., Report], install: Callable[..., None], spot: Path
) -> None:
    lacks = "raise BackendUnavailable('no server', 'apt install server')"
    install("famcore.backends", "unable", backend("unable", check=lacks))
    install("famcore.backends", "torn", "1 / 0")
    install("famcore.backends", "low", backend("low", priority=20))
    install("famcore.backends", "high", backend("high", priority=90))
    report = bare_doctor(spot)
    told = {each["data"]["name"]: each for each in report.of("backend")}
    assert told["high"]["level"] == "ok"
    assert told["low"]["text"] == (
        "low (fam-low 1.0) is usable, of priority 20: it comes after the one that is picked"
    )
    assert told["unable"]["text"] == "unable (fam-unable 1.0) is unavailable: no server"
    assert told["unable"]["remedy"] == "apt install server"
    assert told["unable"]["level"] == "note"
    assert "its import fails: ZeroDivisionError" in told["torn"]["text"]
    assert told["torn"]["level"] == "warning"
    assert (report.code, report.all["level"]) == (0, "warning")


def test_with_none_to_use_it_ends_with_1(
    bare_doctor: Callable[..., Report], install: Callable[..., None], spot: Path
) -> None:
    report = bare_doctor(spot)
    assert report.code == 1
    assert report.of("backend")[0]["text"].startswith("no backend is installed; pip install")
    install("famcore.backends", "unable", backend("unable", check="raise BackendUnavailable('-')"))
    report = bare_doctor(spot)
    assert report.code == 1
    assert [each["level"] for each in report.of("backend")] == ["error", "note"]


def test_the_environment_is_said_to_name_it(
    doctor: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAM_BACKEND", "pseudo")
    picked = doctor().of("backend")[0]
    assert picked["text"].startswith("pseudo (fam-pseudo ")
    assert "is picked: $FAM_BACKEND names it" in picked["text"]
    monkeypatch.setenv("FAM_BACKEND", "psuedo")
    report = doctor()
    assert report.code == 1
    none, *others = report.of("backend")
    assert "did you mean pseudo?" in none["text"]
    assert "; more come by" in none["text"]
    assert none["remedy"] == ""
    [inotify] = [each for each in others if each["data"]["name"] == "inotify"]
    assert inotify["text"].endswith("it is not used, as $FAM_BACKEND names another")


def test_a_backend_that_tells_no_change_is_an_error(
    doctor: Callable[..., Report], spot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAM_BACKEND", "pseudo")
    report = doctor(spot)
    picked = report.of("backend")[0]
    assert (picked["level"], picked["remedy"]) == ("error", "unset FAM_BACKEND")
    assert picked["text"].endswith("it is not live: no change is told")
    assert report.code == 1


@pytest.mark.parametrize("way", ["nowhere/at/all", "file/below"])
def test_of_what_can_not_be_no_filesystem_is_said(
    way: str, doctor: Callable[..., Report], spot: Path
) -> None:
    (spot / "file").touch()
    assert doctor(spot / way).of("filesystem") == []


def test_one_that_can_not_start_is_named_and_the_next_is_tried(
    bare_doctor: Callable[..., Report], install: Callable[..., None], spot: Path
) -> None:
    install("famcore.backends", "stuck", backend("stuck", priority=90, opening="raise OSError(5)"))
    report = bare_doctor(spot)
    [trial] = report.of("trial")
    assert (report.code, trial["level"]) == (1, "error")
    install("famcore.backends", "next", backend("next", priority=20))
    report = bare_doctor(spot)
    stuck, works = report.of("trial")
    assert (report.code, stuck["level"]) == (0, "warning")
    assert stuck["text"].startswith("stuck can't start: ")
    assert stuck["text"].endswith("; next is used instead")
    assert works["text"] == f"a monitor on {spot} works by next"


# Limits


def test_a_backend_speaks_of_its_own_limits(
    bare_doctor: Callable[..., Report], install: Callable[..., None], spot: Path
) -> None:
    install("famcore.backends", "limited", limited())
    for number in range(5):
        (spot / f"d{number}").mkdir()
        (spot / f"d{number}/file").touch()
    report = bare_doctor(spot)
    # Without CONTENTS each file takes a watch, too.
    [tree] = report.of("tree")
    assert tree["data"] == {
        "directories": 6,
        "files": 5,
        "watches": 11,
        "complete": True,
        "closed": 0,
    }
    watches = report.limit("kern.watches")
    assert watches["level"] == "warning"
    assert watches["text"] == (
        "kern.watches (one for each thing watched): 3 of 10 are in use,"
        f" and a recursive monitor of {spot} takes 11"
    )
    assert watches["remedy"] == "sysctl kern.watches=32"
    queues = report.limit("kern.queues")
    assert queues["level"] == "warning"
    assert queues["text"] == (
        "kern.queues (one for each started FileMonitor): at least 80 of 100 are in use;"
        " 2 jails may not be looked into"
    )
    assert queues["remedy"] == "sysctl kern.queues=256"
    length = report.limit("kern.length")
    assert (length["level"], length["remedy"]) == ("ok", "")
    assert length["text"] == "kern.length (one for each change that waits to be read) is 500"
    assert report.code == 0


def test_one_that_can_not_tell_its_limits_is_said_to(
    bare_doctor: Callable[..., Report], install: Callable[..., None], spot: Path
) -> None:
    source = limited().replace('Limit("kern.watches", Spent.WATCH, 10', "Limit(no_such_name")
    install("famcore.backends", "limited", source)
    report = bare_doctor(spot)
    found, _ = report.of("limit")
    assert found["level"] == "warning"
    assert found["text"].startswith("what limits limited can't be told: NameError: ")
    assert report.code == 0


def test_one_that_takes_no_watch_for_a_file_counts_directories(
    bare_doctor: Callable[..., Report], install: Callable[..., None], spot: Path
) -> None:
    capabilities = "Capability.LIVE | Capability.CONTENTS"
    install("famcore.backends", "limited", limited(capabilities=capabilities))
    for number in range(6):
        (spot / f"d{number}").mkdir()
        (spot / f"d{number}/file").touch()
    report = bare_doctor(spot)
    assert report.of("tree")[0]["data"]["watches"] == 7
    assert report.limit("kern.watches")["level"] == "ok"
    (spot / "d7").mkdir()
    assert bare_doctor(spot).limit("kern.watches")["level"] == "warning"


HOLD = """
import subprocess, sys
from fam_inotify import InotifyBackend
backend = InotifyBackend()
for directory in ("/", "/proc", "/usr"):
    backend.watch(directory)
sys.exit(subprocess.run(sys.argv[1:]).returncode)
"""


def test_what_is_in_use_is_counted_and_the_limit_of_a_namespace_holds(
    inside: Callable[..., Report], spot: Path
) -> None:
    for number in range(10):
        (spot / f"d{number}").mkdir()
    set_limit = "echo 13 >/proc/sys/user/max_inotify_watches"
    report = inside(set_limit, spot, sys.executable, "-c", HOLD)
    watches = report.limit("user.max_inotify_watches")
    assert (watches["data"]["value"], watches["data"]["used"]) == (13, 3)
    assert report.limit("fs.inotify.max_user_instances")["data"]["used"] == 1
    assert watches["level"] == "warning"
    assert "3 of 13 are in use, and a recursive monitor of" in watches["text"]
    assert watches["remedy"] == "sudo sysctl -w user.max_inotify_watches=32"
    assert (report.code, report.all["level"]) == (0, "warning")
    report = inside("echo 14 >/proc/sys/user/max_inotify_watches", spot)
    assert report.limit("user.max_inotify_watches")["level"] == "ok"


def test_a_limit_that_leaves_nothing_hinders(inside: Callable[..., Report], spot: Path) -> None:
    report = inside("echo 0 >/proc/sys/user/max_inotify_watches", spot)
    assert report.code == 1
    [trial] = [each for each in report.of("trial") if str(spot) in each["text"]]
    assert trial["level"] == "error"
    assert "user.max_inotify_watches = 0 is reached" in trial["text"]
    assert "sysctl user.max_inotify_watches=" in trial["remedy"]
    report = inside("echo 0 >/proc/sys/user/max_inotify_instances", spot)
    assert report.code == 1
    [trial] = report.of("trial")
    assert trial["text"].startswith("inotify can't start: ")
    assert "sysctl user.max_inotify_instances=" in trial["remedy"]


def test_few_open_files_are_a_warning(doctor: Callable[..., Report]) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))

    files = doctor(preexec_fn=lower).limit("RLIMIT_NOFILE")
    assert (files["level"], files["data"]["value"]) == ("warning", 100)
    assert files["remedy"] == "ulimit -n 1024; for a service LimitNOFILE=1024"


# Filesystems that can be mounted here


def test_a_tmpfs_is_found_by_its_mount(inside: Callable[..., Report], spot: Path) -> None:
    where = spot / "a b\n\\c"
    where.mkdir()
    report = inside('mount -t tmpfs mine "$1"', where)
    [found] = report.of("filesystem")
    assert found["level"] == "ok"
    assert found["data"] == {"type": "tmpfs", "source": "mine", "mount_point": str(where)}
    assert report.code == 0


def test_of_mounts_upon_each_other_the_last_is_told(
    inside: Callable[..., Report], spot: Path
) -> None:
    (spot / "in").mkdir()
    over = 'mount -t tmpfs lower "$1/in"; mount -t tmpfs upper "$1"; mkdir "$1/in"'
    [found] = inside(over, spot).of("filesystem")
    assert found["data"]["source"] == "upper"


OVERLAY = (
    'mount -t tmpfs none "$1"; cd "$1"; mkdir lower upper work merged;'
    " mount -t overlay over -o lowerdir=lower,upperdir=upper,workdir=work merged; cd /"
)


def test_an_overlay_is_known_for_what_it_is(inside: Callable[..., Report], spot: Path) -> None:
    report = inside(OVERLAY.replace("work merged; cd", 'work "$1"; cd'), spot)
    [found] = report.of("filesystem")
    assert found["data"]["type"] == "overlay"
    assert found["level"] == "note"
    assert "past it, is not" in found["text"]
    assert report.code == 0


PAST_IT = """
import sys
from pathlib import Path
from famcore import FileMonitor

top = Path(sys.argv[1])
told = []
with FileMonitor() as fam:
    fam.add_monitor(top / "merged", lambda event: told.append(event.filename))
    fam.handle_events()
    (top / "upper/past").touch()
    (top / "merged/through").touch()
    while "through" not in told:
        fam.handle_events(1)
assert (top / "merged/past").exists()
print("past" in told)
"""


def test_it_is_true_what_is_said_of_overlays(namespace: Callable[..., Any], spot: Path) -> None:
    done = namespace(OVERLAY, spot, sys.executable, "-c", PAST_IT)
    assert done.stdout == "False\n", done.stderr


def test_what_is_not_told_below_is_a_warning(inside: Callable[..., Report], spot: Path) -> None:
    (spot / "proc").mkdir()
    (spot / "tmp").mkdir()
    mount = 'mount --bind /proc "$1/proc"; mount -t tmpfs none "$1/tmp"'
    report = inside(mount, spot)
    _, below = report.of("filesystem")
    assert below["level"] == "warning"
    assert below["text"].startswith(f"below it, at {spot}/proc, is proc (proc): ")


@pytest.mark.parametrize("over", ["$1/m", "$1/m/in"])
def test_what_is_below_but_mounted_over_is_not_told(
    inside: Callable[..., Report], spot: Path, over: str
) -> None:
    """Nobody can get to it; `mountinfo` has it all the same."""
    (spot / "m").mkdir()
    below = 'mount -t tmpfs lower "$1/m"; mkdir "$1/m/in"; mount --bind /proc "$1/m/in"'
    assert len(inside(below, spot).of("filesystem")) == 2
    assert len(inside(f'{below}; mount -t tmpfs upper "{over}"', spot).of("filesystem")) == 1


def test_where_the_kernel_makes_up_the_files_no_monitor_is_of_use(
    inside: Callable[..., Report], spot: Path
) -> None:
    report = inside('mount --bind /proc "$1"', spot)
    [found] = report.of("filesystem")
    assert (found["level"], found["data"]["type"]) == ("error", "proc")
    assert report.code == 1


# Paths


def test_a_path_that_is_not_there_yet_is_waited_for(
    doctor: Callable[..., Report], spot: Path
) -> None:
    report = doctor(spot / "later")
    assert report.code == 0
    [found] = report.of("path")
    assert (found["level"], found["text"]) == (
        "note",
        f"{spot}/later is not there yet: it is waited for",
    )
    assert not report.of("tree")


def test_one_that_nothing_can_come_to_hinders(doctor: Callable[..., Report], spot: Path) -> None:
    report = doctor(spot / "no place/later")
    assert report.code == 1
    [found] = report.of("path")
    assert found["level"] == "error"
    assert found["remedy"] == f"mkdir -p '{spot}/no place'"


def test_one_below_a_file_hinders_and_no_directory_helps(
    doctor: Callable[..., Report], spot: Path
) -> None:
    (spot / "file").touch()
    report = doctor(spot / "file/a/b")
    assert report.code == 1
    [found] = report.of("path")
    assert found["text"] == f"{spot}/file/a/b can't come to be: {spot}/file is not a directory"
    assert "mkdir" not in found["remedy"]


def test_a_link_that_leads_nowhere_is_said_to(doctor: Callable[..., Report], spot: Path) -> None:
    (spot / "link").symlink_to("nowhere")
    [found] = doctor(spot / "link").of("path")
    assert (
        found["text"] == f"{spot}/link is a link to nowhere, which is not there: it is waited for"
    )


def test_names_that_are_not_utf_8_are_told_as_json_can(
    doctor: Callable[..., Report], spot: Path
) -> None:
    path = os.fsencode(spot) + b"/\xff"
    os.mkdir(path)
    report = doctor(os.fsdecode(path))
    assert base64.b64decode(report.all["path_bytes"]) == path
    assert report.all["path"] == f"{spot}/�"
    assert report.code == 0


def test_a_path_is_taken_from_the_working_directory(
    doctor: Callable[..., Report], spot: Path
) -> None:
    assert doctor(".", cwd=spot).all["path"] == str(spot)


def test_what_is_above_a_link_is_above_what_it_leads_to(
    doctor: Callable[..., Report], spot: Path
) -> None:
    """As a monitor has it, and the system."""
    (spot / "far/there").mkdir(parents=True)
    (spot / "far/file").touch()
    (spot / "link").symlink_to("far/there")
    report = doctor("link/../file", cwd=spot)
    assert report.all["path"] == f"{spot}/link/../file"
    assert not report.of("path")


# How it is shown


def test_lines_are_plain_and_whole_when_piped(fam: Any, spot: Path) -> None:
    (spot / "two\nlines").mkdir()
    code, out, err = fam("doctor", spot / "two\nlines/x/y").end()
    assert (code, err) == (1, "")
    lines = out.decode().splitlines()
    assert all(line[:9].strip() in ("ok", "note", "warning", "error", "") for line in lines)
    [remedy] = [line.strip() for line in lines if line.strip().startswith("-> mkdir")]
    assert remedy == rf"-> mkdir -p '{spot}/two\nlines/x'"
    assert "\x1b" not in out.decode()


def test_a_terminal_gets_colours(fam: Any, monkeypatch: pytest.MonkeyPatch, spot: Path) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    master, slave = os.openpty()
    running = fam("doctor", spot, stdout=slave)
    assert running.process.wait(20) == 0
    assert select.select([master], [], [], 20)[0]
    out = os.read(master, 65536)
    os.close(slave)
    os.close(master)
    assert b"\x1b[32mok" in out
    assert b"is picked" in out


def test_a_full_disk_is_told_with_the_name_of_what_was_written_to(fam: Any, spot: Path) -> None:
    for options in ((), ("--json",)):
        with open("/dev/full", "w") as full:
            code, _, err = fam("doctor", *options, spot, stdout=full).end()
        assert (code, err) == (1, "fam: standard output: No space left on device\n")


def test_wrong_use_is_told(fam: Any, spot: Path) -> None:
    code, out, err = fam("doctor", spot, spot).end()
    assert (code, out) == (2, b"")
    assert "Got unexpected extra argument" in err
    assert fam("doctor", "").end()[0] == 2
