"""`fam new-backend` and `fam new-consumer`: what they write is installed, found, and works."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

#: Seconds that the tests of what was written may take, or its installation.
DEADLINE = 300.0
ROOT = Path(__file__).parents[2]
FILES = ["README.md", "fam_{0}/__init__.py", "fam_{0}/py.typed", "pyproject.toml"]


@pytest.fixture
def new(fam: Any, tmp_path: Path) -> Callable[..., Any]:
    """Run a command where nothing is; its exit code, the lines on stdout, and stderr."""

    def new(*arguments: str) -> tuple[int, list[str], str]:
        code, out, err = fam(*arguments, cwd=tmp_path).end()
        return code, out.decode().splitlines(), err

    return new


def run(*arguments: object, cwd: Path, **environment: str) -> str:
    """What a Python program prints, which ends well."""
    done = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=cwd,
        env={key: value for key, value in os.environ.items() if key != "FAM_BACKEND"} | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def put_in(distribution: Path, site: Path) -> dict[str, str]:
    """Install it; return what the environment has to have for it to be found."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling, which builds it, is not installed")
    quiet = ("-qq", "--disable-pip-version-check", "--no-cache-dir")
    nothing_else = ("--no-index", "--no-deps", "--no-build-isolation")
    run("pip", "install", *quiet, *nothing_else, "--target", site, distribution, cwd=ROOT)
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(site), os.getenv("PYTHONPATH"))))}


# --- what is written works


def test_a_new_backend_is_found_and_passes_the_kit_before_a_line_is_changed(
    new: Any, tmp_path: Path
) -> None:
    assert new("new-backend", "lamp")[0] == 0
    installed = put_in(tmp_path / "fam-lamp", tmp_path / "site")
    rows = json.loads(run("famcore.cli", "backends", "--json", cwd=tmp_path, **installed))
    (row,) = (row for row in rows if row["name"] == "lamp")
    assert (row["status"], row["distribution"]) == ("usable", "fam-lamp 0.1.0")
    assert 10 <= row["priority"] < 40
    run("pip", "check", cwd=tmp_path, **installed)
    arguments = ("-q", "-W", "error", "-p", "no:cacheprovider")
    said = run("pytest", *arguments, cwd=tmp_path / "fam-lamp", **installed)
    assert int(re.findall(r"(\d+) passed", said)[0]) > 100


@pytest.mark.parametrize("name", ["lamp_log", "sequence", "none"])
def test_a_new_consumer_is_found_and_its_tests_pass_before_a_line_is_changed(
    new: Any, tmp_path: Path, name: str
) -> None:
    """Whatever it is called: a class Sequence would hide what is imported, None can't be one."""
    assert new("new-consumer", name, "--to", "it")[0] == 0
    installed = put_in(tmp_path / "it", tmp_path / "site")
    run("pip", "check", cwd=tmp_path, **installed)
    arguments = ("-q", "-W", "error", "-p", "no:cacheprovider")
    said = run("pytest", *arguments, cwd=tmp_path / "it", **installed)
    assert re.search(r"[1-9] passed", said)


def test_a_new_consumer_is_turned_on_as_is_said(new: Any, fam: Any, tmp_path: Path) -> None:
    _, _, said = new("new-consumer", "lamp")
    (option,) = re.findall(r"^fam:   fam watch --consumer (\S+) \.$", said, re.MULTILINE)
    installed = put_in(tmp_path / "fam-lamp", tmp_path / "site")
    (tmp_path / "spot").mkdir()
    watch = fam(
        *("watch", "--count", "3", "--consumer", option, "spot"),
        cwd=tmp_path,
        env=os.environ | installed,
    )
    watch.ready()
    (tmp_path / "spot" / "new").touch()
    assert watch.end()[0] == 0
    assert f"created '{tmp_path}/spot/new'\n" in (tmp_path / "told").read_text()


@pytest.mark.parametrize("name", ["a", "sequence", "sixteen_letters1", "twenty_four_letters_long"])
@pytest.mark.parametrize("kind", ["backend", "consumer"])
def test_what_is_written_is_clean_code(new: Any, tmp_path: Path, kind: str, name: str) -> None:
    if importlib.util.find_spec("ruff") is None or importlib.util.find_spec("mypy") is None:
        pytest.skip("ruff and mypy are not installed")
    new(f"new-{kind}", name, "--to", "it")
    settings = ("--config", ROOT / "pyproject.toml", "--no-cache")
    run("ruff", "check", *settings, ".", cwd=tmp_path / "it")
    run("ruff", "format", "--check", *settings, ".", cwd=tmp_path / "it")
    run("mypy", "--strict", "--cache-dir", os.devnull, f"fam_{name}", cwd=tmp_path / "it")


def test_nothing_of_the_template_is_left(new: Any, tmp_path: Path) -> None:
    new("new-backend", "lamp", "--to", "one")
    new("new-consumer", "lamp", "--to", "two")
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert "$" not in path.read_text(), path
        assert not path.name.endswith(".in")


def test_a_new_backend_takes_less_than_a_hundred_lines_of_code(new: Any, tmp_path: Path) -> None:
    new("new-backend", "lamp")
    source = (tmp_path / "fam-lamp" / "fam_lamp" / "__init__.py").read_text()
    assert lines_of_code(source) < 100


def lines_of_code(source: str) -> int:
    """Lines that are neither blank nor of a comment or a docstring."""
    without_docstrings = re.sub(r'^ *""".*?"""$', "", source, flags=re.MULTILINE | re.DOTALL)
    lines = (line.strip() for line in without_docstrings.splitlines())
    return sum(bool(line) and not line.startswith("#") for line in lines)


# --- where it is written, and what is told


@pytest.mark.parametrize("kind", ["backend", "consumer"])
def test_the_files_are_told_on_stdout_and_what_to_type_on_stderr(
    new: Any, tmp_path: Path, kind: str
) -> None:
    code, out, err = new(f"new-{kind}", "two_words")
    files = [file.format("two_words") for file in (*FILES, "tests/test_{0}.py")]
    assert (code, out) == (0, [f"fam-two-words/{file}" for file in files])
    there = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(tmp_path)) for path in there) == out
    assert "fam:   cd fam-two-words\nfam:   pip install -e '.[test]'\n" in err


def test_a_directory_is_named_as_a_shell_would_have_it(new: Any, tmp_path: Path) -> None:
    code, out, err = new("new-consumer", "lamp", "--to", "it's here")
    assert (code, out[0]) == (0, "it's here/README.md")
    assert "fam:   cd 'it'\"'\"'s here'\n" in err


def test_an_empty_directory_is_written_to(new: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert new("new-backend", "lamp", "--to", "empty")[0] == 0


def test_nothing_is_written_over(new: Any, tmp_path: Path) -> None:
    (tmp_path / "fam-lamp").mkdir()
    (tmp_path / "fam-lamp" / "README.md").write_text("mine")
    code, out, err = new("new-backend", "lamp")
    assert (code, out) == (1, [])
    assert err == ("fam: fam-lamp is not empty; nothing is written over: give another by --to\n")
    assert [path.name for path in (tmp_path / "fam-lamp").iterdir()] == ["README.md"]
    assert (tmp_path / "fam-lamp" / "README.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("to", "why"),
    [("file", "file: File exists"), ("missing/it", "missing/it: No such file or directory")],
)
def test_where_it_can_not_be_written_the_system_says_why(
    new: Any, tmp_path: Path, to: str, why: str
) -> None:
    (tmp_path / "file").touch()
    assert new("new-backend", "lamp", "--to", to) == (1, [], f"fam: {why}\n")


# --- names


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Lamp", "; as lamp\n"),
        ("my-lamp", "; as my_lamp\n"),
        ("my__lamp", "single underscores within;"),
        ("lamp_", "single underscores within;"),
        ("9lives", "a letter comes first\n"),
        ("", "a letter comes first\n"),
        ("lämp", "small letters a to z"),
        ("../lamp", "small letters a to z"),
        ("lamp\n", "'lamp\\n': a name has"),
        ("fam_lamp", "'fam_lamp': leave out fam_, it is put before it\n"),
        ("fam-lamp", "'fam-lamp': leave out fam-, it is put before it\n"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_rule(
    new: Any, tmp_path: Path, name: str, why: str
) -> None:
    code, out, err = new("new-backend", name)
    assert (code, out) == (2, [])
    assert "Invalid value for NAME: " in err
    assert why in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["backend", "consumer"])
def test_a_name_that_is_taken_is_refused_with_who_has_it(
    new: Any, install: Any, tmp_path: Path, kind: str
) -> None:
    install(f"famcore.{kind}s", "lamp", "raise SystemExit('not to be imported')")
    assert new(f"new-{kind}", "lamp") == (
        1,
        [],
        f"fam: {kind} 'lamp' is installed already (fam-lamp 1.0); choose another name\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_distribution_that_is_installed_is_not_replaced_by_another(
    new: Any, install: Any, tmp_path: Path
) -> None:
    install("famcore.backends", "lamp", "")
    assert new("new-consumer", "lamp") == (
        1,
        [],
        "fam: fam-lamp 1.0 is installed already and would be replaced; choose another name\n",
    )
