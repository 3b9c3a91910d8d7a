"""gam_server, as both backends that may come to it need it: gamin's own library, and its libfam."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import socket
import struct
import threading

from fam_client.backend import ServedBackend, Watch
from fam_client.connection import Connection
from famcore.backend import BackendUnavailable, Change, Kind

#: Where the library looks for it, by the distribution that built it.
_PLACES = ("/usr/libexec", "/usr/lib/gamin", "/usr/local/libexec", "/usr/local/lib/gamin")

_NAME = "gam_server"

#: `struct ucred`: process, user, group.
_CREDENTIALS = struct.Struct("3i")

#: The environment is the process', and the library reads it when it opens a connection.
_lock = threading.Lock()


class GamServed(ServedBackend):
    """A backend on a gam_server of its own, which it ends when it is closed.

    By itself a server ends half a minute after its last client, and holds one of the user's inotify
    instances until then.
    """

    #: It looks at its own inotify once a second.
    latency = 1.5
    longest_path = 4_080

    @classmethod
    def check(cls) -> None:
        cls.library()
        find_server()

    def __init__(self) -> None:
        super().__init__()
        #: Directories of which the server may tell nothing any more, for one in them has ended:
        #: it then takes the one for the other.
        self._deaf: set[str] = set()

    def connect(self) -> Connection:
        # A server waits for each of its clients to read: with another client's it might wait for
        # ever, and so would we.
        with _lock:
            # Whose network is ours may be a container with a process of our number.
            name = f"famcore-{os.getpid()}-{os.urandom(8).hex()}"
            before = os.environ.get("GAM_CLIENT_ID")
            os.environ["GAM_CLIENT_ID"] = name
            try:
                connection = Connection(self.library(), _NAME)
            finally:
                if before is None:
                    del os.environ["GAM_CLIENT_ID"]
                else:
                    os.environ["GAM_CLIENT_ID"] = before
        #: A forked child may close its copy, and the server is still its parent's.
        self._owner = os.getpid()
        try:
            self._server = _process_at(connection.server_fileno())
        except BaseException:
            connection.close()
            raise
        return connection

    def read(self) -> list[Change]:
        changes = list(super().read())
        while self._deaf and self._connection.is_free(0.0):
            watch = self._by_path.get(self._deaf.pop())
            if watch is not None:
                self._renew(watch)
                changes.append(Change(Kind.RESCAN, watch.key))
        return changes

    def _end(self, watch: Watch) -> None:
        super()._end(watch)
        if watch.is_directory and not watch.is_there():
            self._deaf.add(os.path.dirname(watch.path))
            self._connection.wake()

    def close(self) -> None:
        super().close()
        if self._server is not None:
            # Also one that is stopped, or waits for us. It has nothing to lose.
            if self._owner == os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._server, signal.SIGKILL)
            os.close(self._server)
            self._server = None


def _process_at(descriptor: int) -> int | None:
    """The process at the other end of a Unix socket, as a descriptor.

    None if it is gone; or if the kernel, before Linux 5.3, has no such descriptors.
    """
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        said = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    process, _, _ = _CREDENTIALS.unpack(said)
    try:
        return os.pidfd_open(process)
    except OSError as error:
        if error.errno not in (errno.ESRCH, errno.ENOSYS):
            raise
        return None


def find_server() -> str:
    """The path of gam_server. Raises `BackendUnavailable`."""
    found = shutil.which(_NAME, path=os.pathsep.join(_PLACES)) or shutil.which(_NAME)
    if found is None:
        raise BackendUnavailable(f"{_NAME} not found", "apt install gamin")
    return found
