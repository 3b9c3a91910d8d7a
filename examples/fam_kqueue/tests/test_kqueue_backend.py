"""The kqueue backend, by the kit: on a stand-in for `select.kqueue` where there is none."""

from __future__ import annotations

import os
import resource
import runpy
import select
import subprocess
import sys
from pathlib import Path

import pytest

from fam_kqueue import _SPARE as SPARE
from fam_kqueue import KqueueBackend
from famcore import FileMonitor
from famcore.backend import BackendUnavailable, WatchLimitReached
from famcore.testing import BackendTests

HERE = Path(__file__).parent
IS_REAL = hasattr(select, "kqueue")
STANDIN = None if IS_REAL else runpy.run_path(str(HERE / "standin.py"))


@pytest.fixture(autouse=True)
def kqueue(monkeypatch):
    if STANDIN is not None:
        STANDIN["install"](monkeypatch)


class TestKqueue(BackendTests):
    backend_class = KqueueBackend


# --- what is noted, by kevent(2): on the stand-in, and on a kernel that has it


@pytest.fixture
def noted(tmp_path):
    """What is noted of a directory and of a file in it when something is done there."""
    path = tmp_path / "d"
    path.mkdir()
    (path / "f").write_text("x")
    (path / "s").mkdir()
    queue = select.kqueue()
    flags = os.O_RDONLY | os.O_NONBLOCK
    opened = {name: os.open(each, flags) for name, each in (("d", path), ("f", path / "f"))}
    names = {each: name for name, each in opened.items()}
    ask = select.KQ_NOTE_DELETE | select.KQ_NOTE_WRITE | select.KQ_NOTE_EXTEND
    ask |= select.KQ_NOTE_ATTRIB | select.KQ_NOTE_LINK | select.KQ_NOTE_RENAME
    for each in opened.values():
        flags = select.KQ_EV_ADD | select.KQ_EV_CLEAR
        queue.control([select.kevent(each, select.KQ_FILTER_VNODE, flags, ask)], 0)

    def noted(do):
        do(path)
        return {
            (names[event.ident], note)
            for event in queue.control(None, 10, 0)
            for note in ("DELETE", "WRITE", "EXTEND", "ATTRIB", "LINK", "RENAME")
            if event.fflags & getattr(select, f"KQ_NOTE_{note}")
        }

    yield noted
    for each in opened.values():
        os.close(each)
    queue.close()


def append(path):
    with open(path / "f", "a") as file:
        file.write("more")


#: What is done; what has to be noted of it; what may be, besides.
NOTES = {
    "a file is made": (lambda d: (d / "new").touch(), {("d", "WRITE")}, set()),
    "a directory is made": (
        lambda d: (d / "new").mkdir(),
        {("d", "WRITE"), ("d", "LINK")},
        set(),
    ),
    "a directory is removed": (
        lambda d: (d / "s").rmdir(),
        {("d", "WRITE"), ("d", "LINK")},
        set(),
    ),
    "a file is written to": (append, {("f", "WRITE"), ("f", "EXTEND")}, set()),
    "a file's mode is changed": (lambda d: (d / "f").chmod(0o600), {("f", "ATTRIB")}, set()),
    "a file gets a second name": (
        lambda d: (d / "again").hardlink_to(d / "f"),
        {("d", "WRITE"), ("f", "LINK")},
        set(),
    ),
    "a file is renamed": (
        lambda d: (d / "f").rename(d / "g"),
        {("d", "WRITE"), ("f", "RENAME")},
        {("d", "EXTEND")},
    ),
    "a file is removed": (
        lambda d: (d / "f").unlink(),
        {("d", "WRITE"), ("f", "DELETE")},
        {("f", "LINK")},
    ),
    "a file is renamed over": (
        lambda d: ((d / "g").touch(), (d / "g").rename(d / "f")),
        {("d", "WRITE"), ("f", "DELETE")},
        {("d", "EXTEND"), ("f", "LINK")},
    ),
    "something is done below": (lambda d: (d / "s" / "x").touch(), set(), set()),
    "the directory's mode is changed": (lambda d: d.chmod(0o700), {("d", "ATTRIB")}, set()),
    "the directory is renamed": (
        lambda d: d.rename(d.with_name("e")),
        {("d", "RENAME")},
        set(),
    ),
}


@pytest.mark.parametrize(("do", "has_to", "may"), NOTES.values(), ids=NOTES)
def test_what_the_kernel_notes(noted, do, has_to, may):
    came = noted(do)
    assert came - may == has_to


def test_five_hundred_writes_are_one_note(noted):
    assert noted(lambda d: [append(d) for _ in range(500)]) == {("f", "WRITE"), ("f", "EXTEND")}
    assert noted(lambda d: None) == set()


# --- limits


@pytest.fixture
def few_descriptors():
    """Let so many more files be opened."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def allow(count):
        probe = os.dup(0)
        os.close(probe)
        resource.setrlimit(resource.RLIMIT_NOFILE, (probe + count, before[1]))

    yield allow
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_limit_of_open_files_is_named_with_its_value(tmp_path, few_descriptors):
    (tmp_path / "f").touch()
    backend = KqueueBackend()
    few_descriptors(0)
    with pytest.raises(WatchLimitReached) as error:
        backend.watch(str(tmp_path / "f"))
    assert error.value.limit == "RLIMIT_NOFILE"
    assert error.value.value == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    backend.close()


def test_files_beyond_the_limit_are_named_and_heard_once_there_is_room(tmp_path, few_descriptors):
    for number in range(20):
        (tmp_path / f"{number}").touch()
    heard = []
    with FileMonitor(KqueueBackend, audit=0.1) as fam:
        fam.start()
        few_descriptors(SPARE + 16)
        fam.add_monitor(tmp_path, heard.append)
        fam.handle_events(0)
        missed = {row.path for row in fam.coverage() if not row.covered}
        assert 0 < len(missed) < 20
        assert len([event for event in heard if event.action == "exists"]) == 21
        for path in missed:
            Path(path).write_text("not heard")
        heard.clear()
        few_descriptors(SPARE + 100)
        while not all(row.covered for row in fam.coverage()) or fam.handle_events(0.1):
            fam.handle_events(0.1)
    assert {event.path for event in heard if event.action == "changed"} == missed


# --- where there is none


def test_without_kqueue_it_says_why_and_what_to_use(monkeypatch):
    monkeypatch.delattr(select, "kqueue")
    with pytest.raises(BackendUnavailable, match="no kqueue") as error:
        KqueueBackend.check()
    assert "fam-inotify" in error.value.hint


@pytest.mark.skipif(IS_REAL, reason="there is a kqueue here")
def test_installed_on_linux_it_is_listed_as_unavailable(tmp_path):
    install = ["install", "-qq", "--no-index", "--no-deps", "--no-build-isolation"]
    target = ["--target", str(tmp_path / "site"), str(HERE.parent)]
    subprocess.run([sys.executable, "-m", "pip", *install, *target], check=True)
    program = "from famcore.catalog import find_backend; print(find_backend('kqueue'))"
    path = os.pathsep.join([str(tmp_path / "site"), *filter(None, sys.path)])
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "'kqueue' (fam-kqueue 0.1.0): this system has no kqueue" in said.stdout
