"""What the backend contract asks, of a backend that watches nothing."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import fam_pseudo
from fam_pseudo import PseudoBackend
from famcore.backend import API, Backend, Interest


@pytest.fixture
def backend() -> Backend:
    return PseudoBackend()


def test_it_is_found_by_its_entry_point() -> None:
    (found,) = entry_points(group="famcore.backends", name=PseudoBackend.name)
    assert found.load() is fam_pseudo
    assert found.dist is not None
    assert found.dist.name == "fam-pseudo"


def test_its_hook_returns_the_class() -> None:
    assert fam_pseudo.fam_backend() is PseudoBackend
    assert issubclass(PseudoBackend, Backend)


def test_it_is_written_for_this_contract_and_not_live() -> None:
    assert PseudoBackend.api == API
    assert not PseudoBackend.capabilities
    assert PseudoBackend.priority <= 9


def test_it_works_everywhere() -> None:
    PseudoBackend.check()


@pytest.mark.parametrize("interest", Interest)
def test_it_watches_a_directory_and_a_file(
    backend: Backend, tmp_path: Path, interest: Interest
) -> None:
    file = tmp_path / "file"
    file.touch()
    backend.watch(str(tmp_path), interest)
    backend.watch(str(file), interest)


def test_no_key_is_used_twice(backend: Backend, tmp_path: Path) -> None:
    first = backend.watch(str(tmp_path))
    second = backend.watch(str(tmp_path))
    backend.unwatch(first)
    assert len({first, second, backend.watch(str(tmp_path))}) == 3


def test_a_missing_path_is_refused_as_the_system_does(backend: Backend, tmp_path: Path) -> None:
    path = str(tmp_path / "missing")
    with pytest.raises(FileNotFoundError) as refused:
        backend.watch(path)
    assert refused.value.filename == path


def test_a_name_that_is_not_utf8_is_watched(backend: Backend, tmp_path: Path) -> None:
    path = os.fsdecode(bytes(tmp_path) + b"/\xff")
    Path(path).mkdir()
    backend.watch(path)


def test_a_watch_ends_as_often_as_one_likes(backend: Backend, tmp_path: Path) -> None:
    key = backend.watch(str(tmp_path))
    backend.unwatch(key)
    backend.unwatch(key)


def test_it_has_no_descriptor_and_tells_nothing(backend: Backend, tmp_path: Path) -> None:
    backend.watch(str(tmp_path))
    (tmp_path / "new").touch()
    tmp_path.chmod(0o700)
    assert backend.fileno() is None
    assert list(backend.read()) == []


def test_closing_twice_is_fine(backend: Backend) -> None:
    backend.close()
    backend.close()
