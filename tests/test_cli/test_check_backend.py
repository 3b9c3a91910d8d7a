"""`fam check-backend` asks an installed backend all rules of the kit, and reports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NO_PYTEST = """
import importlib.util, sys

find_spec = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "pytest" else find_spec(name, *rest)
from famcore.cli.root import run

sys.exit(run(sys.argv[1:]))
"""

UNABLE = """
import famcore
from fam_pseudo import PseudoBackend
from famcore.backend import BackendUnavailable

class Unable(PseudoBackend):
    name = "unable"
    @classmethod
    def check(cls):
        raise BackendUnavailable("no such server", "apt install server")

@famcore.hookimpl
def fam_backend():
    return Unable
"""

OF_THE_FUTURE = """
import famcore
from fam_pseudo import PseudoBackend

class Future(PseudoBackend):
    name = "future"
    api = 99

@famcore.hookimpl
def fam_backend():
    return Future
"""

SLOPPY = """
import os
import famcore
from fam_pseudo import PseudoBackend

class Sloppy(PseudoBackend):
    name = "sloppy"
    priority = 50
    def __init__(self):
        super().__init__()
        os.open("/dev/null", os.O_RDONLY)

@famcore.hookimpl
def fam_backend():
    return Sloppy
"""


def rows(out: bytes) -> dict[str, str]:
    """Rule → what came of it."""
    table = out.decode().partition("\n\n")[0].splitlines()[1:]
    cells = [[cell.strip() for cell in line.split("  ") if cell] for line in table]
    return {rule: result for result, rule, *_ in cells}


def test_each_rule_is_a_row_and_a_summary_ends_it(fam: Any) -> None:
    code, out, err = fam("check-backend", "pseudo").end()
    assert (code, err) == (0, "")
    came = rows(out)
    assert came["closing it twice is harmless"] == "pass"
    assert came["what happens is told"] == "not applicable"
    assert "needs LIVE" in out.decode()
    passed = sum(result == "pass" for result in came.values())
    last = out.decode().splitlines()[-1]
    assert last.startswith("backend 'pseudo' (fam-pseudo ")
    assert f": {passed} pass, 0 waived, 0 fail, {len(came) - passed} not applicable, " in last


def test_what_fails_is_told_in_full(fam: Any, install: Callable[..., None]) -> None:
    install("famcore.backends", "sloppy", SLOPPY)
    code, out, err = fam("check-backend", "sloppy").end()
    assert (code, err) == (1, "")
    failed = {rule for rule, result in rows(out).items() if result == "fail"}
    assert failed == {
        "its priority is that of one that is not live",
        "no descriptor is left when it is closed",
    }
    _, *messages = out.decode().split("\nfail: ")
    assert len(messages) == 2
    heading, backend, rule, *_ = messages[0].splitlines()
    assert heading.endswith("(test_its_priority_is_that_of_one_that_is_not_live)")
    assert backend.strip().startswith("backend 'sloppy': its priority is ")
    assert rule.strip().startswith("the rule: ")
    assert "expected: 0 to 9" in messages[0]
    assert "left are /dev/null" in messages[1]


def test_what_is_waived_does_not_count(fam: Any, install: Callable[..., None]) -> None:
    install("famcore.backends", "sloppy", SLOPPY)
    waivers = [
        "--waive=no descriptor is left when it is closed=it is known",
        "--waive=test_its_priority_is_that_of_one_that_is_not_live=so is this",
    ]
    code, out, err = fam("check-backend", "sloppy", *waivers).end()
    assert (code, err) == (0, "")
    assert rows(out)["no descriptor is left when it is closed"] == "waived"
    assert "it is known" in out.decode()


def test_json_has_all_of_it(fam: Any, install: Callable[..., None]) -> None:
    install("famcore.backends", "sloppy", SLOPPY)
    words = ("-k", "descriptor", "-k", "close-on", "-k", "what_happens")
    code, out, err = fam("check-backend", "sloppy", "--json", *words).end()
    assert (code, err) == (1, "")
    report = json.loads(out)
    assert report["backend"] == "sloppy"
    assert report["distribution"] == "fam-sloppy 1.0"
    assert report["status"] == "usable"
    assert report["counts"]["fail"] == 1
    assert sum(report["counts"].values()) == len(report["results"])
    by_test = {each["test"]: each for each in report["results"]}
    assert by_test["test_what_happens_is_told"]["outcome"] == "not applicable"
    assert by_test["test_what_happens_is_told"]["remark"] == "needs LIVE"
    failed = by_test["test_no_descriptor_is_left_when_it_is_closed"]
    assert failed["outcome"] == "fail"
    assert "/dev/null" in failed["message"]


def test_it_stops_at_the_first_that_fails_if_told_to(
    fam: Any, install: Callable[..., None]
) -> None:
    install("famcore.backends", "sloppy", SLOPPY)
    code, out, _ = fam("check-backend", "sloppy", "-x").end()
    assert code == 1
    assert list(rows(out).values())[-1] == "fail"
    assert len(rows(out)) < 10


def test_an_unknown_backend_is_refused_and_the_right_one_named(fam: Any) -> None:
    code, out, err = fam("check-backend", "psuedo").end()
    assert (code, out) == (1, b"")
    assert err.startswith("fam: no backend 'psuedo' is installed; did you mean pseudo?")


def test_one_that_is_not_available_is_asked_what_it_says_of_itself(
    fam: Any, install: Callable[..., None]
) -> None:
    install("famcore.backends", "unable", UNABLE)
    code, out, err = fam("check-backend", "unable").end()
    assert code == 1
    assert "no such server; apt install server" in err
    assert rows(out)["its api is a literal number"] == "pass"
    assert rows(out)["closing it twice is harmless"] == "skipped"
    assert "fail" not in rows(out).values()


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("torn", "raise RuntimeError('half a file')", "broken: backend 'torn' (fam-torn 1.0)"),
        ("future", OF_THE_FUTURE, "incompatible: backend 'future' (fam-future 1.0)"),
    ],
)
def test_one_that_can_not_be_asked_is_refused_with_the_reason(
    name: str, source: str, said: str, fam: Any, install: Callable[..., None]
) -> None:
    install("famcore.backends", name, source)
    code, out, err = fam("check-backend", name).end()
    assert (code, out) == (1, b"")
    assert err.startswith(f"fam: {said}")


def test_what_a_plugin_prints_is_no_part_of_the_report(
    fam: Any, install: Callable[..., None]
) -> None:
    install("famcore.backends", "sloppy", f"print('it is loud')\n{SLOPPY}")
    code, out, err = fam("check-backend", "sloppy", "--json", "-k", "its name").end()
    assert (code, err) == (0, "it is loud\n")
    assert json.loads(out)["counts"]["pass"] == 1


def test_words_that_no_rule_has_are_refused(fam: Any) -> None:
    code, out, err = fam("check-backend", "pseudo", "-k", "nonsense").end()
    assert (code, out) == (1, b"")
    assert "'nonsense'" in err


@pytest.mark.parametrize("waiver", ["test", "=reason", "test= "])
def test_a_waiver_without_a_reason_is_refused(waiver: str, fam: Any) -> None:
    code, _, err = fam("check-backend", "pseudo", "--waive", waiver).end()
    assert code == 2
    assert "is not TEST=REASON" in err


def test_without_pytest_it_says_what_to_install() -> None:
    command = [sys.executable, "-c", NO_PYTEST, "check-backend", "pseudo"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == "fam: check-backend needs pytest: pip install 'famcore[testing]'\n"


def test_nothing_of_the_working_directory_is_used_and_nothing_left_there(
    fam: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError\n")
    (tmp_path / "pytest.py").write_text("raise RuntimeError\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--nonsense")
    monkeypatch.setenv("PYTEST_PLUGINS", "nonsense")
    (tmp_path / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    command = [str(Path(sys.executable).with_name("fam")), "check-backend", "pseudo"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    left = sorted(path.name for path in tmp_path.rglob("*"))
    assert left == ["conftest.py", "pytest.ini", "pytest.py", "scratch"]


def test_a_terminal_is_told_how_far_it_is(fam: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    master, slave = os.openpty()
    checking = fam("check-backend", "pseudo", "-k", "closing", stderr=slave)
    code = checking.process.wait(60)
    shown = os.read(master, 65536)
    os.close(slave)
    os.close(master)
    assert code == 0
    assert b"1/1 closing it twice is harmless" in shown
    assert shown.endswith(b"\r\x1b[K")
