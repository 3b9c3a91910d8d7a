"""What is left out is not told of, and costs no watch; the rest is told as ever."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import famcore
from fam_gitignore import Gitignore

DEADLINE = 60.0
FAM_WATCH = [sys.executable, "-m", "famcore.cli", "watch", "--format", "{filename}\n"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a build directory of 50 directories."""
    project = tmp_path / "project"
    (project / ".git" / "objects").mkdir(parents=True)
    (project / "src").mkdir()
    (project / "src" / "main.c").touch()
    (project / ".gitignore").write_text("# what is built\n/build/\n*.o\n!kept.o\n\n")
    for number in range(50):
        (project / "build" / f"{number}").mkdir(parents=True)
    return project


@pytest.fixture
def fams() -> Iterator[list[famcore.FileMonitor]]:
    fams: list[famcore.FileMonitor] = []
    yield fams
    for fam in fams:
        fam.shutdown()


@pytest.fixture
def monitor(fams: list[famcore.FileMonitor]):
    """Monitor a tree with the consumer; the `FileMonitor`, and what is told."""

    def monitor(root: Path, backend: str | None = None, **options: str):
        fam = famcore.FileMonitor(backend, consumers=[("gitignore", options)])
        fams.append(fam)
        told: list[tuple[str, str]] = []
        fam.add_monitor(
            root, lambda event: told.append((event.action, event.filename)), recursive=True
        )
        fam.handle_events()
        return fam, told

    return monitor


def names(told: list[tuple[str, str]], *actions: str) -> list[str]:
    return sorted(name for action, name in told if action in actions and name[0] != "/")


def count_watches() -> int:
    """The inotify watches of this process, as the kernel counts them."""
    counts = 0
    for info in Path("/proc/self/fdinfo").iterdir():
        try:
            counts += info.read_text().count("inotify wd:")
        except FileNotFoundError:  # the directory's own descriptor
            continue
    return counts


def test_it_is_found_by_its_entry_point() -> None:
    (found,) = entry_points(group="famcore.consumers", name="gitignore")
    assert found.load() is Gitignore


def test_what_is_ignored_is_not_there(monitor, project: Path) -> None:
    for name in ("x.o", "kept.o", "src/y.o"):
        (project / name).touch()
    _, told = monitor(project)
    assert names(told, "exists") == ["kept.o", "src", "src/main.c"]


def test_its_changes_are_not_told_and_those_of_the_rest_are(monitor, project: Path) -> None:
    fam, told = monitor(project)
    told.clear()
    (project / "build" / "1" / "new").touch()
    (project / "build" / "51").mkdir()
    (project / ".git" / "index").touch()
    (project / "src" / "main.o").touch()
    (project / "src" / "build").mkdir()
    (project / "src" / "build" / "told").touch()
    shutil.rmtree(project / "build")
    fam.handle_events()
    assert names(told, "created") == ["src/build", "src/build/told"]
    assert names(told, "deleted") == []


@pytest.mark.skipif(sys.platform != "linux", reason="it counts the watches of inotify")
def test_no_watch_is_spent_on_it(monitor, project: Path) -> None:
    before = count_watches()
    monitor(project, "inotify")
    with_it = count_watches() - before
    shutil.rmtree(project / "build")
    shutil.rmtree(project / ".git")
    before = count_watches()
    monitor(project, "inotify")
    assert with_it == count_watches() - before
    # And as many as there are directories, without it.
    for number in range(50):
        (project / "not built" / f"{number}").mkdir(parents=True)
    before = count_watches()
    monitor(project, "inotify")
    assert count_watches() - before == with_it + 51


def test_names_hold_everywhere(monitor, project: Path) -> None:
    for name in ("node_modules", "src/node_modules", "target"):
        (project / name / "below").mkdir(parents=True)
    (project / "src" / "target").touch()
    _, told = monitor(project, names="node_modules target/")
    assert names(told, "exists") == ["src", "src/main.c", "src/target"]


def test_the_nearest_file_counts(monitor, project: Path) -> None:
    (project / "src" / ".gitignore").write_text("!*.o\n/local\n")
    for name in ("local", "src/local", "src/main.o", "src/deep/local", "src/deep/more.o"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).touch()
    _, told = monitor(project)
    assert names(told, "exists") == [
        "local",
        "src",
        "src/deep",
        "src/deep/local",
        "src/deep/more.o",
        "src/main.c",
        "src/main.o",
    ]


def test_files_above_the_monitored_path_count_up_to_the_top(monitor, project: Path) -> None:
    (project.parent / ".gitignore").write_text("*.c\n")
    (project / "src" / "main.o").touch()
    _, told = monitor(project / "src")
    assert names(told, "exists") == ["main.c"]


def test_a_rule_that_is_written_later_holds_for_what_comes_later(monitor, project: Path) -> None:
    fam, told = monitor(project)
    (project / "src" / "first.tmp").touch()
    fam.handle_events()
    (project / "src" / ".gitignore").write_text("*.tmp\n")
    (project / "src" / "second.tmp").touch()
    fam.handle_events()
    (project / "src" / ".gitignore").unlink()
    (project / "src" / "third.tmp").touch()
    fam.handle_events()
    assert names(told, "created") == ["src/first.tmp", "src/third.tmp"]


def test_it_ignores_what_git_does(monitor, project: Path) -> None:
    """As git itself says, of patterns of every kind."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    shutil.rmtree(project / ".git")
    git = ["git", "-C", str(project)]
    subprocess.run([*git, "init", "-q"], check=True)
    patterns = r"/a|b/|c*.txt|**/d|e/**/f|g/*|!g/keep|h\ i|[jk].x|\#l|n/**  |!n/keep|o|!r/"
    # With the byte order mark and the ends of lines that editors elsewhere write.
    (project / ".gitignore").write_text("\ufeff" + "\r\n".join(patterns.split("|")))
    (project / "s").mkdir()
    (project / "s" / ".gitignore").write_text("none\rkeep\n")
    folders = ["a", "b", "e/m", "g", "n", "n/o", "q/p", "r/o", "s/b", "s/g"]
    (project / "q").mkdir()
    (project / "q" / ".gitignore").write_text("**/*.x\n!/p/\n")
    for folder in folders:
        (project / folder).mkdir(parents=True)
    for folder in (".", "e", "s", *folders):
        for name in (
            *"abdfh",
            "c.txt",
            "cat.txt",
            "h i",
            "j.x",
            "l.x",
            "#l",
            "keep",
            "\xe9",
            "\udcff",
        ):
            if not (project / folder / name).is_dir():
                (project / folder / name).touch()
    _, told = monitor(project)
    listed = subprocess.run(
        [*git, "ls-files", "-z", "--others", "--exclude-standard"], check=True, capture_output=True
    )
    files = {name for name in names(told, "exists") if not (project / name).is_dir()}
    by_git = {os.fsdecode(name) for name in listed.stdout.split(b"\0") if name}
    # Which famcore itself ignores.
    by_git -= {".gitignore", "q/.gitignore", "s/.gitignore"}
    assert {"n/keep", "s/keep"} <= by_git
    assert files == by_git


def test_what_is_no_pattern_is_left_out_with_a_word(monitor, project: Path, caplog) -> None:
    (project / ".gitignore").write_text("!\n*.c\n[z-a]\n")
    _, told = monitor(project)
    assert "src/main.c" not in names(told, "exists")
    assert f"{project}/.gitignore, line 1 is left out" in caplog.text
    assert f"{project}/.gitignore, line 3 is left out" in caplog.text


def test_a_file_that_cannot_be_read_ignores_nothing_and_that_is_said(
    monitor, project: Path, caplog
) -> None:
    (project / ".gitignore").unlink()
    (project / ".gitignore").mkdir()
    _, told = monitor(project)
    assert "build" in names(told, "exists")
    assert f"{project}/.gitignore can't be read" in caplog.text


def test_the_command_takes_it(project: Path) -> None:
    (project / "tmp").mkdir()
    done = subprocess.run(
        [*FAM_WATCH, "-r", "--count", "4", "--consumer", "gitignore:names=tmp", project],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.split()) == sorted([str(project), "src", "src/main.c", str(project)])


def test_the_command_names_the_options_it_has(project: Path) -> None:
    done = subprocess.run(
        [*FAM_WATCH, "--consumer", "gitignore:name=x", project],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode != 0
    assert "it accepts names" in done.stderr


def test_who_monitors_what_is_ignored_is_told_of_what_is_in_it(monitor, project: Path) -> None:
    _, told = monitor(project / "build")
    assert len(names(told, "exists")) == 50
