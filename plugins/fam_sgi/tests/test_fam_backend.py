"""The backend `fam`: whose library it is, famd and the portmapper found or missed."""

from __future__ import annotations

import ctypes
import os
import runpy
import select
import signal
import threading
import time
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import fam_sgi
from fam_client import is_gamins
from fam_sgi import FamBackend, FamOfGaminBackend, FamOfSgiBackend
from fam_sgi.portmap import listens, registered_port
from famcore.backend import Backend, BackendUnavailable
from famcore.catalog import find_backend

famd = pytest.mark.famd
FAMD = runpy.run_path(str(Path(__file__).parents[3] / "tests/famd.py"))


def test_it_is_found_by_its_entry_point():
    (found,) = entry_points(group="famcore.backends", name=FamBackend.name)
    assert found.load() is fam_sgi
    assert found.dist is not None
    assert found.dist.name == "fam-sgi"


def test_its_hook_returns_a_class_wherever_it_is_asked():
    assert issubclass(fam_sgi.fam_backend(), FamBackend)
    assert issubclass(fam_sgi.fam_backend(), Backend)


def test_it_says_that_the_library_is_missing_and_what_brings_it(monkeypatch):
    monkeypatch.setattr("fam_sgi.backend._LIBRARY", "libnone.so.0")
    with pytest.raises(BackendUnavailable, match=r"libnone\.so\.0 can't be loaded") as caught:
        fam_sgi.fam_backend().check()
    assert "libfam0" in caught.value.hint


# --- on gamin's library


@pytest.fixture
def gamins():
    try:
        library = ctypes.CDLL("libfam.so.0")
    except OSError as error:
        library = None
        reason = str(error)
    else:
        reason = "libfam.so.0 is not gamin's"
    if library is None or not is_gamins(library):
        required = "gamin" in os.environ.get("FAM_REQUIRE_BACKENDS", "").split(",")
        (pytest.fail if required else pytest.skip)(reason)


def test_gamins_library_works_and_says_that_it_is_gamins(gamins, tmp_path):
    import famcore

    assert fam_sgi.fam_backend() is FamOfGaminBackend
    found = find_backend("fam")
    assert "libfam.so.0 of gamin" in found.about
    assert "gam_server" in found.about
    events = []
    with famcore.FileMonitor("fam") as fam:
        fam.add_monitor(tmp_path, events.append)
        fam.handle_events()
        (tmp_path / "a").touch()
        for _ in range(200):
            fam.handle_events(0.1)
            if [event.filename for event in events if event.action == "created"] == ["a"]:
                break
        else:
            pytest.fail(f"too late: {events}")


# --- on SGI's


@famd
def test_sgis_library_is_told_from_gamins():
    assert fam_sgi.fam_backend() is FamOfSgiBackend
    found = find_backend("fam")
    assert str(found.status) == "usable"
    assert found.about.startswith("libfam.so.0 of SGI, famd at port ")


@famd
def test_the_portmapper_knows_famd_and_no_other():
    assert registered_port(391002, 2) > 0
    assert registered_port(391003, 2) == 0


@famd
def test_a_read_ends_while_directories_go_on_to_be_made(tmp_path):
    def make():
        for number in range(400):
            (tmp_path / str(number)).mkdir()
            time.sleep(0.005)

    backend = FamOfSgiBackend()
    backend.watch(str(tmp_path))
    maker = threading.Thread(target=make)
    maker.start()
    longest = 0.0
    while maker.is_alive():
        select.select([backend.fileno()], [], [], 0.05)
        began = time.monotonic()
        backend.read()
        longest = max(longest, time.monotonic() - began)
    backend.close()
    assert longest < 1


@famd
def test_without_famd_it_is_unavailable_and_says_how_to_start_it():
    FAMD["stop_famd"]()
    try:
        found = find_backend("fam")
        assert str(found.status) == "unavailable"
        assert found.reason == "famd is not running"
        assert found.hint == "start famd -T 0"
    finally:
        FAMD["start_famd"]()


@famd
def test_a_famd_that_has_stopped_keeps_nobody_waiting_for_ever():
    process = FAMD["famd_pid"]()
    os.kill(process, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for _ in range(3):
            with pytest.raises(BackendUnavailable, match="famd does not answer"):
                FamOfSgiBackend()
        assert time.monotonic() - began < 10
    finally:
        os.kill(process, signal.SIGCONT)
    end = time.monotonic() + 30
    while True:
        try:
            FamOfSgiBackend().close()
        except BackendUnavailable:
            assert time.monotonic() < end, "too late"
            time.sleep(0.05)
        else:
            break


def test_without_a_portmapper_it_is_unavailable_and_says_so():
    if listens(111):
        pytest.skip("a portmapper is running here")
    with pytest.raises(OSError, match="refused"):
        registered_port(391002, 2)
    with pytest.raises(BackendUnavailable, match="the portmapper") as caught:
        FamOfSgiBackend.about()
    assert "rpcbind" in caught.value.hint
