"""One connection to a FAM server, whose calls neither wait for ever nor go wrong in silence.

The library does both where it is called at the wrong moment: what is asked first stands here.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import threading
import time
from collections import deque
from typing import ClassVar, NamedTuple

from fam_client.library import Code, FAMConnection, FAMEvent, FAMRequest
from famcore.backend import BackendLost, BackendUnavailable

#: Seconds that the server is given to take a request.
_PATIENCE = 2.0


class Said(NamedTuple):
    """One event of the server."""

    request: int
    #: A name in the directory, or the path that is monitored, as the server spells it.
    filename: bytes
    code: int


class Connection:
    """One connection. A failing call raises `BackendLost`; the connection is of no use then.

    Both sides write to a socket of limited size and wait while it is full: a client that asks and
    asks without reading waits for a server that waits for it. So before anything is asked, what
    is there is read, and kept for `take`. The library reads ahead, too: whether its socket
    is readable does not say whether there is an event.
    """

    def __init__(self, library: ctypes.CDLL, server: str, *, may_hang: bool = False) -> None:
        """Open it. `may_hang`: the server is not ours, and may be stopped or hang itself."""
        self._library = library
        self._server = server
        self._connection = _open_in_time(library, server) if may_hang else _open(library, server)
        self._is_open = True
        #: Whether the library may be called at all: after an error it keeps its lock.
        self._is_sound = True
        with contextlib.ExitStack() as opened:
            opened.callback(library.FAMClose, self._connection)
            #: The socket's number. Another one on that descriptor: the library has gone to another
            #: server by itself, which knows nothing of our monitors.
            self._inode = os.fstat(self._fd).st_ino
            os.set_inheritable(self._fd, False)
            #: Readable while there is something in `_said`.
            self._signal = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            opened.callback(os.close, self._signal)
            self._either = select.epoll()
            opened.callback(self._either.close)
            for descriptor in (self._fd, self._signal):
                self._either.register(descriptor, select.EPOLLIN)
            opened.pop_all()
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        self._poll_to_ask = select.poll()
        self._poll_to_ask.register(self._fd, select.POLLIN | select.POLLOUT)
        self._event = FAMEvent()
        self._said: deque[Said] = deque()
        #: Requests that are not wanted any more, and the server does not know that yet.
        self._to_cancel: deque[int] = deque()
        #: Until when (monotonic seconds) a server that takes no request is waited for.
        self._patient_until: float | None = None

    @property
    def _fd(self) -> int:
        return int(self._connection.fd)

    def fileno(self) -> int:
        """The descriptor, readable when there is something to take, or the server is gone."""
        return self._either.fileno()

    def server_fileno(self) -> int:
        """The descriptor of the socket to the server."""
        return self._fd

    # --- requests

    def monitor(self, path: str, *, is_directory: bool) -> int:
        """Have the server tell of the directory or file at `path`; return the request's number."""
        self._wait_to_ask()
        request = FAMRequest()
        library = self._library
        ask = library.FAMMonitorDirectory if is_directory else library.FAMMonitorFile
        if ask(self._connection, os.fsencode(path), request, None) != 0:
            raise BackendLost(f"{self._server} refuses to monitor {path}")
        return int(request.reqnum)

    def cancel(self, request: int) -> None:
        """Have the server tell no more of what was asked by that number; does not wait.

        What can't be asked now is asked with the next request. Until then it tells on.
        """
        self._to_cancel.append(request)
        # If it is gone, whoever reads is told so.
        with contextlib.suppress(BackendLost):
            self._cancel_all()

    def flush(self) -> None:
        """Wait until the server knows of all that was cancelled, or has failed to take it."""
        deadline = time.monotonic() + _PATIENCE
        with contextlib.suppress(BackendLost):
            while self._is_open and self._to_cancel and (left := deadline - time.monotonic()) > 0:
                self.is_free(left)
                self._cancel_all()

    def _cancel_all(self) -> None:
        while self._to_cancel and self.is_free(0.0):
            request = FAMRequest(self._to_cancel.popleft())
            self._library.FAMCancelMonitor(self._connection, request)

    def _wait_to_ask(self) -> None:
        """Wait until a request can be written at once."""
        self._cancel_all()
        now = time.monotonic()
        deadline = self._patient_until or now + _PATIENCE
        while not self.is_free(max(0.0, deadline - now)):
            now = time.monotonic()
            if now >= deadline:
                # Others who ask now are not to wait as long again, one after the other.
                self._patient_until = now
                reason = f"{self._server} has taken no request for {_PATIENCE:g} s"
                raise BackendUnavailable(reason, f"end {self._server} if it is stopped or hangs")
        self._patient_until = None

    def is_free(self, timeout: float) -> bool:
        """Whether a request can be written; waits for that, or for something to be read."""
        self._gather()
        ready = self._poll_to_ask.poll(timeout * 1000)
        return bool(ready) and bool(ready[0][1] & select.POLLOUT)

    # --- what the server says

    def take(self, limit: int) -> list[Said]:
        """What the server has said and was not taken yet, oldest first, `limit` at most."""
        self._cancel_all()
        self._gather()
        said = self._said
        taken = [said.popleft() for _ in range(min(limit, len(said)))]
        if not said:
            with contextlib.suppress(BlockingIOError):
                os.eventfd_read(self._signal)
        return taken

    def wake(self) -> None:
        """Make it readable until `take` has been called."""
        os.eventfd_write(self._signal, 1)

    def _gather(self) -> None:
        """Keep what has been said, without waiting for more."""
        had = len(self._said)
        while self._has_more():
            self._keep()
        if len(self._said) > had:
            self.wake()

    def _has_more(self) -> bool:
        """Whether the library has an event; it has read all of the socket if not."""
        # Asked first: if the server is gone the library does not say so, but starts another one.
        ready = self._poll.poll(0)
        if ready and ready[0][1] & ~select.POLLIN:
            raise BackendLost(f"{self._server} is gone")
        pending = self._library.FAMPending(self._connection)
        if pending < 0 or self._is_another():
            raise BackendLost(f"{self._server} is gone")
        return bool(pending)

    def _keep(self) -> None:
        event = self._event
        if self._library.FAMNextEvent(self._connection, event) != 1:
            self._is_sound = False
            raise BackendLost(f"{self._server} is gone, or not to be understood")
        if event.code not in _UNHEARD:
            self._said.append(Said(event.fr.reqnum, event.filename, event.code))

    def _is_another(self) -> bool:
        try:
            return os.fstat(self._fd).st_ino != self._inode
        except OSError:
            return True

    def close(self) -> None:
        """End the connection. A second time does nothing: FAMClose would abort the process."""
        if not self._is_open:
            return
        self._is_open = False
        self._either.close()
        os.close(self._signal)
        if self._is_sound:
            self._library.FAMClose(self._connection)
        else:
            os.close(self._fd)


# --- opening


def _open(library: ctypes.CDLL, server: str) -> FAMConnection:
    connection = FAMConnection()
    if library.FAMOpen2(connection, b"famcore") != 0:
        raise BackendUnavailable(f"{server} can't be reached", f"see that {server} is running")
    return connection


class _Opening(threading.Thread):
    """Opens a connection to a server that may never answer."""

    #: By server, one that still waits for an answer: others need not wait as long again.
    given_up: ClassVar[dict[str, _Opening]] = {}

    def __init__(self, library: ctypes.CDLL, server: str) -> None:
        super().__init__(name=f"opening {server}", daemon=True)
        self._library = library
        self._server = server
        self._lock = threading.Lock()
        self._opened: FAMConnection | BackendUnavailable | None = None
        self._is_wanted = True

    def run(self) -> None:
        opened: FAMConnection | BackendUnavailable
        try:
            opened = _open(self._library, self._server)
        except BackendUnavailable as error:
            opened = error
        with self._lock:
            self._opened = opened
            if isinstance(opened, FAMConnection) and not self._is_wanted:
                self._library.FAMClose(opened)

    def take(self) -> FAMConnection | BackendUnavailable | None:
        """What came of it; None: nothing yet, and then what comes is not wanted any more."""
        with self._lock:
            self._is_wanted = False
            return self._opened


def _open_in_time(library: ctypes.CDLL, server: str) -> FAMConnection:
    """Open a connection in a thread, for the call can't be told to give up: so is it, instead."""
    before = _Opening.given_up.get(server)
    opened = None
    if before is None or not before.is_alive():
        opening = _Opening(library, server)
        opening.start()
        opening.join(_PATIENCE)
        opened = opening.take()
        if opened is None:
            _Opening.given_up[server] = opening
    if opened is None:
        raise BackendUnavailable(f"{server} does not answer", f"restart {server}")
    if isinstance(opened, BackendUnavailable):
        raise opened
    return opened


#: What is there when a monitor is set is known by other means, and programs are none of ours.
_UNHEARD = frozenset(
    (Code.START_EXECUTING, Code.STOP_EXECUTING, Code.ACKNOWLEDGE, Code.EXISTS, Code.END_EXIST)
)
