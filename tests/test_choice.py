"""Which backend a `FileMonitor` opens: real distributions in a folder on `sys.path`."""

from __future__ import annotations

import os
import sys
from typing import ClassVar

import pytest

import famcore
import famcore.catalog  # what it imports is out of sight in these tests
from famcore.backend import Backend, BackendUnavailable, Capability, Interest
from famcore.errors import BackendNotFound, FamError, NoBackend, PluginError


class Given(Backend):
    """A class that is given, not installed."""

    name = "given"
    api = 1
    priority = 50
    capabilities = Capability.LIVE
    failure: ClassVar[BaseException | None] = None
    unavailable: ClassVar[BackendUnavailable | None] = None
    log: ClassVar[list[str]] = []

    @classmethod
    def check(cls):
        cls.log.append("check")
        if cls.unavailable:
            raise cls.unavailable

    def __init__(self):
        self.log.append("open")
        if self.failure:
            raise self.failure

    def watch(self, path, interest=Interest.ALL):
        os.lstat(path)
        return path

    def unwatch(self, key): ...

    def fileno(self):
        return None

    def read(self):
        return ()

    def close(self):
        self.log.append("close")


@pytest.fixture
def given(site):
    """`Given`, which works."""
    Given.failure = Given.unavailable = None
    Given.log.clear()
    return Given


def picked(fam):
    """The backend that it starts with."""
    with fam:
        return fam.backend


# The choice is free


def test_the_live_one_of_the_highest_priority_is_picked(site, make_fam):
    site.install("low", priority=20)
    site.install("high", priority=90)
    site.install("middle", priority=50)
    assert picked(make_fam()) == "high"


def test_one_that_is_not_live_is_never_picked_unasked(site, make_fam):
    site.install("deaf", priority=99, capabilities="Capability.CONTENTS")
    site.install("low", priority=10)
    assert picked(make_fam()) == "low"


def test_with_none_that_is_live_it_does_not_start(site, make_fam):
    site.install("deaf", capabilities="Capability.CONTENTS")
    fam = make_fam()
    with pytest.raises(NoBackend, match=r"deaf .* is usable, but not live: name it to use it"):
        fam.start()
    assert not fam.started
    assert picked(make_fam(backend="deaf")) == "deaf"


def test_with_none_at_all_it_says_what_to_install(site, make_fam):
    with pytest.raises(NoBackend, match="pip install"):
        make_fam().start()


def test_one_that_is_not_available_is_passed_by(site, make_fam):
    site.install("best", priority=90, check="raise BackendUnavailable('no server', 'start it')")
    site.install("next", priority=50)
    assert picked(make_fam()) == "next"


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": "import no_such_module"},
        {"source": "raise SystemExit(1)"},
        {"source": "1 / 0"},
        {"source": ""},
        {"api": 2},
        {"check": "raise RuntimeError"},
        {"check": "raise SystemExit(1)"},
        {"priority": 1_000},
    ],
    ids=repr,
)
def test_one_that_is_wrong_is_passed_by(wrong, site, make_fam):
    site.install("wrong", **({"priority": 99} | wrong))
    site.install("right")
    assert picked(make_fam()) == "right"


def test_one_that_two_distributions_bring_is_passed_by(site, make_fam):
    for distribution in ("fam-first", "fam-second"):
        site.install("twice", priority=90, distribution=distribution)
    site.install("once")
    assert picked(make_fam()) == "once"


@pytest.mark.parametrize(
    "failure",
    [
        "RuntimeError('out of order')",
        "OSError(24, 'out of order')",
        "BackendUnavailable('out of order')",
        "BackendLost('out of order')",
        "SystemExit('out of order')",
    ],
)
def test_if_the_one_picked_can_not_open_the_next_is_taken_and_logged(
    failure, site, make_fam, caplog
):
    best = site.install("best", priority=90, opening=f"raise {failure}")
    site.install("deaf", priority=70, capabilities="Capability.CONTENTS")
    site.install("next", priority=50)
    last = site.install("last", priority=20)
    assert picked(make_fam()) == "next"
    assert sys.modules[best].It.log == ["check", "open"]
    assert "open" not in sys.modules[last].It.log
    [record] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "'best'" in record.getMessage()
    assert "out of order" in record.getMessage()


def test_if_none_can_open_each_is_listed_with_its_reason(site, make_fam):
    site.install("best", priority=90, opening="raise RuntimeError('out of order')")
    site.install("next", priority=50, opening="raise OSError(24, 'too many')")
    fam = make_fam()
    with pytest.raises(NoBackend) as caught:
        fam.start()
    for said in ("best", "out of order", "next", "too many"):
        assert said in str(caught.value)
    assert not fam.started


def test_no_name_is_known_before_the_start(site, make_fam):
    site.install("mine")
    fam = make_fam()
    assert fam.backend is None
    assert make_fam(backend="mine").backend == "mine"
    fam.start()
    assert fam.backend == "mine"


# One is named


def test_the_one_that_is_named_is_taken_and_no_other_imported(site, make_fam):
    low = site.install("low", priority=20)
    high = site.install("high", priority=90)
    assert picked(make_fam(backend="low")) == "low"
    assert low in site.imported()
    assert high not in site.imported()


def test_it_is_checked_then_opened_once_and_closed(site, make_fam, tmp_path):
    module = site.install("mine")
    with make_fam(backend="mine") as fam:
        fam.add_monitor(tmp_path)
        fam.start()
        fam.handle_events()
    assert sys.modules[module].It.log == ["check", "open", "close"]


def test_the_environment_names_one_where_the_caller_does_not(site, make_fam, monkeypatch, given):
    site.install("low", priority=20)
    high = site.install("high", priority=90)
    monkeypatch.setenv("FAM_BACKEND", "low")
    assert picked(make_fam()) == "low"
    assert high not in site.imported()
    assert picked(make_fam(backend="high")) == "high"
    assert picked(make_fam(backend=given)) == "given"
    monkeypatch.setenv("FAM_BACKEND", "")
    assert picked(make_fam()) == "high"


def test_the_environment_may_name_one_that_is_not_live(site, make_fam, monkeypatch):
    site.install("deaf", capabilities="Capability.CONTENTS")
    site.install("high", priority=90)
    monkeypatch.setenv("FAM_BACKEND", "deaf")
    assert picked(make_fam()) == "deaf"


def test_a_typo_is_answered_by_what_was_meant(site, make_fam, monkeypatch):
    site.install("inotify")
    fam = make_fam(backend="inotfy")
    with pytest.raises(BackendNotFound, match=r"'inotfy'.*did you mean inotify"):
        fam.start()
    assert not fam.started
    monkeypatch.setenv("FAM_BACKEND", "inotifi")
    with pytest.raises(BackendNotFound, match=r"FAM_BACKEND.*'inotifi'.*did you mean inotify"):
        make_fam().start()


def named_by(way, make_fam, monkeypatch):
    """A `FileMonitor` that is to have the backend `mine`."""
    if way == "argument":
        return make_fam(backend="mine")
    monkeypatch.setenv("FAM_BACKEND", "mine")
    return make_fam()


@pytest.mark.parametrize("way", ["argument", "environment"])
def test_if_the_one_named_is_not_available_no_other_is_taken(way, site, make_fam, monkeypatch):
    site.install("mine", check="raise BackendUnavailable('no server', 'start it')")
    other = site.install("other")
    fam = named_by(way, make_fam, monkeypatch)
    with pytest.raises(BackendUnavailable, match=r"mine.*no server") as caught:
        fam.start()
    assert caught.value.hint == "start it"
    assert not fam.started
    assert other not in site.imported()


@pytest.mark.parametrize("way", ["argument", "environment"])
@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        ("RuntimeError('out of order')", RuntimeError),
        ("OSError(24, 'out of order')", OSError),
        ("BackendUnavailable('out of order')", BackendUnavailable),
        # What a plugin does must not end the program.
        ("SystemExit('out of order')", Exception),
    ],
)
def test_if_the_one_named_can_not_open_no_other_is_taken(
    failure, expected, way, site, make_fam, monkeypatch
):
    site.install("mine", opening=f"raise {failure}")
    other = site.install("other")
    fam = named_by(way, make_fam, monkeypatch)
    with pytest.raises(expected, match="out of order"):
        fam.start()
    assert not fam.started
    assert other not in site.imported()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"source": "import no_such_module"}, "no_such_module"),
        ({"source": "raise SystemExit(1)"}, "SystemExit: 1"),
        ({"api": 2}, "contract 2"),
        ({"check": "raise RuntimeError('odd')"}, "RuntimeError: odd"),
    ],
)
def test_if_the_one_named_is_wrong_it_says_why(wrong, message, site, make_fam):
    site.install("mine", **wrong)
    with pytest.raises(PluginError, match=rf"backend 'mine' \(fam-mine 1\.0\).*{message}"):
        make_fam(backend="mine").start()


def test_after_a_start_that_failed_another_may_do(site, make_fam, tmp_path):
    opening = f"if not os.path.exists({str(tmp_path / 'ready')!r}): raise OSError(2, 'not ready')"
    site.install("mine", opening=opening)
    fam = make_fam(backend="mine")
    told = []
    fam.add_monitor(tmp_path, told.append)
    for call in (fam.start, fam.handle_events, fam.pending, fam.fileno):
        with pytest.raises(OSError, match="not ready"):
            call()
    (tmp_path / "ready").touch()
    fam.handle_events()
    assert told


def test_what_failed_to_start_can_be_shut_down(site, make_fam):
    fam = make_fam(backend="no such")
    with pytest.raises(BackendNotFound):
        fam.start()
    fam.shutdown()
    assert fam.handle_events() == 0
    with pytest.raises(FamError):
        fam.start()


# A class is given


def test_a_class_that_is_given_is_checked_then_opened(given, make_fam):
    fam = make_fam(backend=given)
    assert fam.backend == "given"
    assert given.log == []
    with fam:
        assert given.log == ["check", "open"]
        assert fam.backend == "given"
    assert given.log == ["check", "open", "close"]


def test_if_the_class_given_can_not_start_no_other_is_taken(given, site, make_fam):
    other = site.install("other")
    given.unavailable = BackendUnavailable("no server", "start it")
    fam = make_fam(backend=given)
    with pytest.raises(BackendUnavailable, match="no server; start it"):
        fam.start()
    assert given.log == ["check"]
    given.unavailable, given.failure = None, OSError(24, "out of order")
    with pytest.raises(OSError, match="out of order"):
        fam.start()
    assert other not in site.imported()
    given.failure = None
    assert picked(fam) == "given"


def test_what_is_no_backend_is_refused(site, make_fam):
    with pytest.raises(PluginError):
        make_fam(backend=int).start()


# available


def test_available_lists_the_usable_and_the_best_live_one_as_default(site):
    site.install("deaf", priority=99, capabilities="Capability.CONTENTS")
    site.install("high", priority=90)
    site.install("low", priority=20)
    site.install("absent", check="raise BackendUnavailable('no server')")
    site.install("broken", source="1 / 0")
    available = famcore.available
    assert set(available) == {"deaf", "high", "low", "default"}
    assert available["default"] is available["high"]
    for name in ("deaf", "high", "low"):
        assert issubclass(available[name], famcore.FileMonitor)
        assert picked(available[name]()) == name


def test_available_has_no_default_without_a_live_one(site):
    site.install("deaf", capabilities="Capability.CONTENTS")
    assert set(famcore.available) == {"deaf"}


def test_what_is_available_is_bound_whatever_the_environment_names(site, monkeypatch):
    site.install("high", priority=90)
    site.install("low", priority=20)
    monkeypatch.setenv("FAM_BACKEND", "low")
    assert picked(famcore.available["high"]()) == "high"
