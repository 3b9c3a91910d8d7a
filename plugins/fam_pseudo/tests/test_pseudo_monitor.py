"""What a `FileMonitor` on the pseudo backend tells: what exists, and nothing after that."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import famcore


@pytest.fixture
def fam() -> Iterator[famcore.FileMonitor]:
    with famcore.FileMonitor(backend="pseudo") as fam:
        yield fam


@pytest.fixture
def told() -> list[famcore.Event]:
    return []


def say(events: list[famcore.Event]) -> list[tuple[str, str]]:
    return [(str(event.action), event.filename) for event in events]


def test_a_directory_is_told_once(
    fam: famcore.FileMonitor, told: list[famcore.Event], tmp_path: Path
) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").mkdir()
    fam.add_monitor(tmp_path, told.append)
    fam.handle_events()
    first, *entries, last = say(told)
    assert first == ("exists", str(tmp_path))
    assert sorted(entries) == [("exists", "a"), ("exists", "b")]
    assert last == ("endExist", str(tmp_path))
    assert fam.handle_events() == 0


def test_a_file_is_told_once(
    fam: famcore.FileMonitor, told: list[famcore.Event], tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.touch()
    fam.add_monitor(path, told.append)
    fam.handle_events()
    assert say(told) == [("exists", str(path)), ("endExist", str(path))]


def test_a_missing_path_has_only_its_end(
    fam: famcore.FileMonitor, told: list[famcore.Event], tmp_path: Path
) -> None:
    path = tmp_path / "missing"
    fam.add_monitor(path, told.append)
    fam.handle_events()
    assert say(told) == [("endExist", str(path))]


def test_a_path_whose_parent_is_missing_is_refused(
    fam: famcore.FileMonitor, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        fam.add_monitor(tmp_path / "missing" / "file")


def test_what_happens_later_is_not_told(
    fam: famcore.FileMonitor, told: list[famcore.Event], tmp_path: Path
) -> None:
    fam.add_monitor(tmp_path, told.append)
    fam.handle_events()
    told.clear()
    (tmp_path / "new").touch()
    tmp_path.chmod(0o700)
    fam.handle_events()
    assert told == []


def test_nothing_waits_for_what_never_comes(fam: famcore.FileMonitor, tmp_path: Path) -> None:
    fam.add_monitor(tmp_path)
    fam.handle_events()
    began = time.monotonic()
    assert fam.handle_events(timeout=60) == 0
    assert fam.handle_events(timeout=None) == 0
    assert time.monotonic() - began < 30
    assert not fam.pending()


def test_running_ends_when_all_is_told(
    fam: famcore.FileMonitor, told: list[famcore.Event], tmp_path: Path
) -> None:
    fam.add_monitor(tmp_path, told.append)
    fam.run()
    assert say(told)[-1] == ("endExist", str(tmp_path))


def test_iteration_ends_when_all_is_told(fam: famcore.FileMonitor, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    fam.add_monitor(tmp_path)
    assert [str(event.action) for event in fam] == ["exists", "exists", "endExist"]


def test_the_environment_may_name_it(
    monkeypatch: pytest.MonkeyPatch, told: list[famcore.Event], tmp_path: Path
) -> None:
    monkeypatch.setenv("FAM_BACKEND", "pseudo")
    with famcore.FileMonitor() as fam:
        fam.add_monitor(tmp_path, told.append)
        fam.run()
    assert say(told) == [("exists", str(tmp_path)), ("endExist", str(tmp_path))]
