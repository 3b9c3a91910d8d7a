"""The backend `gamin`: how it is found, what it says when something is missing, its server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import fam_gamin
from fam_client import find_server
from fam_gamin import GaminBackend
from famcore.backend import Backend, BackendUnavailable


@pytest.fixture(autouse=True)
def is_there():
    try:
        GaminBackend.check()
    except BackendUnavailable as error:
        required = "gamin" in os.environ.get("FAM_REQUIRE_BACKENDS", "").split(",")
        (pytest.fail if required else pytest.skip)(str(error))


def servers(process=None):
    """The servers of this process, or of those that call themselves `process`."""
    of_ours = f"GAM_CLIENT_ID=famcore-{process or os.getpid()}-".encode()
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_one = (process / "comm").read_text() == "gam_server\n"
            if is_one and of_ours in (process / "environ").read_bytes():
                found.add(int(process.name))
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
    return found


def test_it_is_found_by_its_entry_point():
    (found,) = entry_points(group="famcore.backends", name=GaminBackend.name)
    assert found.load() is fam_gamin
    assert found.dist is not None
    assert found.dist.name == "fam-gamin"


def test_its_hook_returns_the_class():
    assert fam_gamin.fam_backend() is GaminBackend
    assert issubclass(GaminBackend, Backend)


def test_it_says_that_gam_server_is_missing_and_what_brings_it(monkeypatch):
    monkeypatch.setattr("fam_client.gamin._PLACES", ())
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BackendUnavailable, match="gam_server not found") as caught:
        GaminBackend.check()
    assert caught.value.hint == "apt install gamin"


def test_it_says_that_the_library_is_missing_and_what_brings_it(monkeypatch):
    monkeypatch.setattr("fam_gamin._LIBRARY", "libnone.so.0")
    with pytest.raises(BackendUnavailable, match=r"libnone\.so\.0 can't be loaded") as caught:
        GaminBackend.check()
    assert caught.value.hint == "apt install gamin"


def test_to_check_starts_no_server():
    before = servers()
    GaminBackend.check()
    assert find_server() in GaminBackend.about()
    assert servers() == before


def test_each_has_a_server_of_its_own_that_ends_with_it():
    before = servers()
    one, other = GaminBackend(), GaminBackend()
    both = servers() - before
    assert len(both) == 2
    one.close()
    other.close()
    end = time.monotonic() + 10
    while servers() - before:
        assert time.monotonic() < end, "too late"
        time.sleep(0.01)


def test_two_processes_of_one_number_have_each_a_server():
    """As in two containers that share a network, by which servers are found."""
    number = 2**31 - os.getpid()
    source = f"""
import os, sys
os.getpid = lambda: {number}
from fam_gamin import GaminBackend
backend = GaminBackend()
print(flush=True)
sys.stdin.read()
backend.close()
"""
    command = [sys.executable, "-c", source]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as one, subprocess.Popen(command, **pipes) as other:
        for each in (one, other):
            assert each.stdout.readline() == b"\n"
        found = len(servers(number))
        for each in (one, other):
            each.communicate()
    assert found == 2


def test_a_forked_child_that_closes_its_copy_leaves_the_server_to_its_parent():
    source = """
import os
from fam_gamin import GaminBackend
backend = GaminBackend()
child = os.fork()
if not child:
    backend.close()
    os._exit(0)
os.waitpid(child, 0)
backend.watch("/")
backend.read()
backend.close()
"""
    subprocess.run([sys.executable, "-c", source], check=True, timeout=60)


def test_a_server_that_has_stopped_ends_with_it_too():
    before = servers()
    backend = GaminBackend()
    (server,) = servers() - before
    os.kill(server, signal.SIGSTOP)
    backend.close()
    end = time.monotonic() + 10
    while servers() - before:
        assert time.monotonic() < end, "too late"
        time.sleep(0.01)


def test_the_environment_is_as_it_was(monkeypatch):
    monkeypatch.setenv("GAM_CLIENT_ID", "mine")
    GaminBackend().close()
    assert os.environ["GAM_CLIENT_ID"] == "mine"
    monkeypatch.delenv("GAM_CLIENT_ID")
    GaminBackend().close()
    assert "GAM_CLIENT_ID" not in os.environ


def test_a_client_that_does_not_read_keeps_no_other_waiting(tmp_path):
    """In a process of its own: what can't be had there would be waited for for ever."""
    source = """
import sys
import famcore

lazy, busy = famcore.FileMonitor("gamin"), famcore.FileMonitor("gamin")
with lazy, busy:
    events = []
    lazy.add_monitor(sys.argv[1])
    busy.add_monitor(sys.argv[1], events.append)
    lazy.handle_events()
    while not any(event.action == "endExist" for event in events):
        busy.handle_events(0.1)
    # More than is kept in a socket.
    for number in range(20_000):
        open(f"{sys.argv[1]}/f{number}", "x").close()
    while len({event.filename for event in events if event.action == "created"}) < 20_000:
        busy.handle_events(0.1)
"""
    subprocess.run([sys.executable, "-c", source, str(tmp_path)], check=True, timeout=60)
