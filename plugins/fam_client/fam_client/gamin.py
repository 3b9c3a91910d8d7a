"""gam_server, as both backends that may come to it need it: gamin's own library, and its libfam."""

from __future__ import annotations

import itertools
import os
import shutil
import threading

from fam_client.backend import ServedBackend
from fam_client.connection import Connection
from famcore.backend import BackendUnavailable

#: Where the library looks for it, by the distribution that built it.
_PLACES = ("/usr/libexec", "/usr/lib/gamin", "/usr/local/libexec", "/usr/local/lib/gamin")

_NAME = "gam_server"

#: The environment is the process', and the library reads it when it opens a connection.
_lock = threading.Lock()
_numbers = itertools.count(1)


class GamServed(ServedBackend):
    """A backend on a gam_server of its own, which ends some 30 s after its only client has."""

    #: It looks at its own inotify once a second.
    latency = 1.5
    longest_path = 4_080

    @classmethod
    def check(cls) -> None:
        cls.library()
        find_server()

    def connect(self) -> Connection:
        # A server waits for each of its clients to read: with another client's it might wait for
        # ever, and so would we.
        with _lock:
            name = f"famcore-{os.getpid()}-{next(_numbers)}"
            before = os.environ.get("GAM_CLIENT_ID")
            os.environ["GAM_CLIENT_ID"] = name
            try:
                connection = Connection(self.library(), _NAME)
            finally:
                if before is None:
                    del os.environ["GAM_CLIENT_ID"]
                else:
                    os.environ["GAM_CLIENT_ID"] = before
        return connection


def find_server() -> str:
    """The path of gam_server. Raises `BackendUnavailable`."""
    found = shutil.which(_NAME, path=os.pathsep.join(_PLACES)) or shutil.which(_NAME)
    if found is None:
        raise BackendUnavailable(f"{_NAME} not found", "apt install gamin")
    return found
