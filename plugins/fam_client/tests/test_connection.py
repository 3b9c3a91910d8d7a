"""A connection to gam_server: what the library gets wrong at the wrong moment, and is kept from."""

from __future__ import annotations

import fcntl
import itertools
import os
import select
import signal
import socket
import struct
import sys
import time

import pytest

from fam_client import Connection, is_gamins, load
from fam_client.library import Code
from famcore.backend import BackendLost, BackendUnavailable

LIBRARY = "libgamin-1.so.0"
#: Seconds.
DEADLINE = 20


@pytest.fixture
def library():
    try:
        return load(LIBRARY, "apt install gamin")
    except BackendUnavailable as error:
        required = "gamin" in os.environ.get("FAM_REQUIRE_BACKENDS", "").split(",")
        (pytest.fail if required else pytest.skip)(str(error))


@pytest.fixture
def connection(library, monkeypatch, tmp_path):
    """One to a server of its own."""
    monkeypatch.setenv("GAM_CLIENT_ID", f"test-{os.getpid()}-{tmp_path.name}")
    connection = Connection(library, "gam_server")
    server = pid_of_server(connection)
    yield connection
    connection.close()
    os.kill(server, signal.SIGKILL)


def pid_of_server(connection):
    with socket.socket(fileno=os.dup(connection.server_fileno())) as ours:
        said = ours.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return struct.unpack("3i", said)[0]


def is_readable(connection, within=0.0):
    return bool(select.select([connection.fileno()], [], [], within)[0])


def take_one(connection):
    """The next that the server says."""
    end = time.monotonic() + DEADLINE
    while not (said := connection.take(1)):
        assert is_readable(connection, max(0.0, end - time.monotonic())), "too late"
    return said[0]


def begin(connection, directory):
    """Have the server tell of a directory, and wait until it does: the request's number."""
    request = connection.monitor(str(directory), is_directory=True)
    end = time.monotonic() + DEADLINE
    # What is there before it begins is not told.
    for number in itertools.count():
        probe = directory / f"probe{number}"
        probe.touch()
        if is_readable(connection, 0.01) and connection.take(1):
            break
        assert time.monotonic() < end, "too late"
    while os.fsdecode(take_one(connection).filename) != probe.name:
        pass
    return request


def test_it_tells_a_library_of_gamin(library):
    assert is_gamins(library)


def test_a_library_that_is_missing_is_named_with_the_remedy():
    with pytest.raises(BackendUnavailable, match=r"libnone\.so\.0 can't be loaded") as caught:
        load("libnone.so.0", "apt install none")
    assert caught.value.hint == "apt install none"


def test_elsewhere_than_on_linux_no_library_is_used(monkeypatch):
    monkeypatch.setattr(sys, "platform", "freebsd14")
    with pytest.raises(BackendUnavailable, match="on Linux alone"):
        load(LIBRARY, "apt install gamin")


def test_a_library_without_fams_functions_is_refused():
    with pytest.raises(BackendUnavailable, match="FAM"):
        load("libc.so.6", "")


def test_events_carry_request_name_and_code(connection, tmp_path):
    request = begin(connection, tmp_path)
    (tmp_path / "a").touch()
    while (said := take_one(connection)).filename != b"a":
        pass
    assert said == (request, b"a", Code.CREATED)


def test_it_is_readable_until_all_is_taken(connection, tmp_path):
    begin(connection, tmp_path)
    for number in range(20):
        (tmp_path / f"f{number}").touch()
    wanted = {f"f{number}".encode() for number in range(20)}
    names = set()
    while not wanted <= names:
        names.add(take_one(connection).filename)
        # What the library has read is in no socket any more.
        assert is_readable(connection) or not connection.take(1)


def test_what_a_request_has_read_is_kept(connection, tmp_path):
    begin(connection, tmp_path)
    (tmp_path / "file").touch()
    end = time.monotonic() + DEADLINE
    while not is_readable(connection):
        assert time.monotonic() < end, "too late"
        connection.cancel(connection.monitor(str(tmp_path), is_directory=True))
    while take_one(connection).filename != b"file":
        pass


def test_thousands_of_requests_without_a_read_are_taken(connection, tmp_path):
    for number in range(10):
        (tmp_path / f"f{number}").touch()
    requests = [connection.monitor(str(tmp_path), is_directory=True) for _ in range(5_000)]
    assert len(set(requests)) == 5_000
    for request in requests:
        connection.cancel(request)


def test_no_child_inherits_it(connection):
    for descriptor in (connection.fileno(), connection.server_fileno()):
        assert fcntl.fcntl(descriptor, fcntl.F_GETFD) & fcntl.FD_CLOEXEC


# --- the server is gone


@pytest.fixture
def abandoned(connection):
    """A connection whose server has just been killed."""
    os.kill(pid_of_server(connection), signal.SIGKILL)
    assert is_readable(connection, DEADLINE)
    hung_up = select.poll()
    hung_up.register(connection.server_fileno(), 0)
    assert hung_up.poll(DEADLINE * 1000), "too late"
    return connection


def test_a_server_that_is_gone_makes_it_readable_and_taking_an_error(abandoned):
    with pytest.raises(BackendLost, match="gam_server is gone"):
        abandoned.take(1)


def test_a_request_to_a_server_that_is_gone_is_an_error(abandoned, tmp_path):
    with pytest.raises(BackendLost, match="gam_server is gone"):
        abandoned.monitor(str(tmp_path), is_directory=True)


def test_to_cancel_at_a_server_that_is_gone_does_no_harm(abandoned):
    abandoned.cancel(1)


def test_the_librarys_own_new_server_is_not_taken_for_the_old(abandoned, library):
    # It starts another one, which knows of no request.
    library.FAMPending(abandoned._connection)
    other = pid_of_server(abandoned)
    try:
        with pytest.raises(BackendLost, match="gam_server is gone"):
            abandoned.take(1)
    finally:
        os.kill(other, signal.SIGKILL)


# --- the server has stopped


def ask_without_end(connection, directory):
    while True:
        connection.monitor(str(directory), is_directory=True)


def test_a_server_that_takes_nothing_is_given_up_once_then_asked_without_waiting(
    connection, tmp_path
):
    server = pid_of_server(connection)
    os.kill(server, signal.SIGSTOP)
    try:
        with pytest.raises(BackendUnavailable, match="has taken no request for 2 s"):
            ask_without_end(connection, tmp_path)
        began = time.monotonic()
        with pytest.raises(BackendUnavailable, match="has taken no request"):
            connection.monitor(str(tmp_path), is_directory=True)
        connection.cancel(1)
        assert time.monotonic() - began < 1
    finally:
        os.kill(server, signal.SIGCONT)
    end = time.monotonic() + DEADLINE
    while True:
        try:
            connection.monitor(str(tmp_path), is_directory=True)
        except BackendUnavailable:
            assert time.monotonic() < end, "too late"
            time.sleep(0.01)
        else:
            break


# --- its end


def test_closed_twice_it_is_closed(connection):
    descriptors = connection.fileno(), connection.server_fileno()
    connection.close()
    connection.close()
    for descriptor in descriptors:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)


def test_it_leaves_no_descriptor_open(library, monkeypatch, tmp_path):
    monkeypatch.setenv("GAM_CLIENT_ID", f"test-{os.getpid()}-{tmp_path.name}")
    servers = set()
    counts = []
    for _ in range(5):
        connection = Connection(library, "gam_server")
        servers.add(pid_of_server(connection))
        connection.monitor(str(tmp_path), is_directory=True)
        connection.close()
        counts.append(len(os.listdir("/proc/self/fd")))
    for server in servers:
        os.kill(server, signal.SIGKILL)
    assert len(set(counts)) == 1
