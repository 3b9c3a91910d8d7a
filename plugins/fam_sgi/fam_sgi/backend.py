"""The backend, by whose `libfam.so.0` is installed: SGI's own, or the one that gamin brings."""

from __future__ import annotations

import ctypes
import os
import select
import time
from collections.abc import Hashable, Iterable, Iterator

from fam_client import Connection, GamServed, ServedBackend, find_server, is_gamins, load
from fam_sgi.portmap import listens, registered_port
from famcore.backend import BackendUnavailable, Change, Kind

_LIBRARY = "libfam.so.0"

#: What famd is called by at the portmapper: `sgi_fam` of rpc(5), and its version of the protocol.
_PROGRAM, _VERSION = 391002, 2

#: Milliseconds in which famd, having looked at a directory, tells all that this has brought.
_AT_ONCE = 10
#: Changes read at a time, at most about.
_ENOUGH = 1_000


class FamBackend(ServedBackend):
    """FAM by the library that carries its name, whoever built it."""

    name = "fam"
    api = 1
    priority = 40

    @classmethod
    def library(cls) -> ctypes.CDLL:
        return load(_LIBRARY, "apt install libfam0, or libgamin0")


class FamOfSgiBackend(FamBackend):
    """SGI's File Alteration Monitor, served by famd.

    Needs libfam, and a running famd and portmapper; `check` asks the portmapper for famd. All
    clients share that one, which is started and ended by others.

    Tells no change that was undone at once, no renames as such, and cuts names at a newline. famd
    says nothing at all beyond its limit of open files, of which it takes one for each directory:
    what is missed the core finds by looking at the disk, each directory once in `audit` seconds.
    Refuses paths of more than 294 bytes, by which famd drops the connection. Source: famd(8).
    """

    #: It is told at once, and tells at once.
    latency = 0.1
    #: A longer one has famd drop the connection.
    longest_path = 294

    @classmethod
    def check(cls) -> None:
        cls.library()
        _find_famd()

    @classmethod
    def about(cls) -> str:
        return f"{_LIBRARY} of SGI, famd at port {_find_famd()}"

    def __init__(self) -> None:
        super().__init__()
        self._owner = os.getpid()
        self._poll = select.poll()
        self._poll.register(self.fileno(), select.POLLIN)

    def connect(self) -> Connection:
        return Connection(self.library(), "famd", may_hang=True)

    def read(self) -> list[Change]:
        changes = list(super().read())
        # Where one directory after the other is made, each may be half.
        until = time.monotonic() + self.latency
        while changes and len(changes) < _ENOUGH and self._may_be_half(changes[-1]):
            if not (self._poll.poll(_AT_ONCE) and (more := list(super().read()))):
                break
            changes += more
            if time.monotonic() > until:
                break
        return list(_gone_first(changes))

    def close(self) -> None:
        # famd aborts when a client goes whose requests are still set, and with it all others'.
        # A forked child that closes its copy leaves them to its parent.
        if os.getpid() == self._owner:
            for key in list(self._by_key):
                self.unwatch(key)
            self._connection.flush()
        super().close()

    def _may_be_half(self, change: Change) -> bool:
        """Whether it may be of a directory that was renamed, whose old name is told next."""
        watch = self._by_key.get(change.key)
        if watch is None or change.kind is not Kind.CREATED:
            return False
        return os.path.isdir(os.path.join(watch.path, change.name))


class FamOfGaminBackend(FamBackend, GamServed):
    """FAM as gamin's libfam speaks it: gam_server under another name.

    Needs that library and gam_server (Debian: the packages libgamin0 and gamin). All that is said
    of the backend `gamin` holds for it, too.
    """

    @classmethod
    def about(cls) -> str:
        return f"{_LIBRARY} of gamin, {find_server()}"


def installed() -> type[FamBackend]:
    """The class for the library that is installed; SGI's, whose `check` says so, if none is."""
    try:
        library = FamBackend.library()
    except BackendUnavailable:
        return FamOfSgiBackend
    return FamOfGaminBackend if is_gamins(library) else FamOfSgiBackend


def _gone_first(changes: Iterable[Change]) -> Iterator[Change]:
    """`changes`, with what went before what came, as a rename has them.

    famd lists a directory that was changed: it meets a new name before it misses an old one.
    """
    came: dict[str, Change] = {}
    key: Hashable = None
    for change in changes:
        is_of_them = change.key == key and change.kind is not Kind.CHANGED
        if came and not (is_of_them and change.name not in came):
            yield from came.values()
            came.clear()
        if change.kind is Kind.CREATED:
            key = change.key
            came[change.name] = change
        else:
            yield change
    yield from came.values()


def _find_famd() -> int:
    """The port at which famd listens. Raises `BackendUnavailable`."""
    try:
        port = registered_port(_PROGRAM, _VERSION)
        # One that was killed stays registered.
        is_running = port and listens(port)
    except OSError as error:
        raise BackendUnavailable(
            f"the portmapper, by which famd is found, does not answer: {error}",
            "start rpcbind, then famd -T 0",
        ) from error
    if not is_running:
        raise BackendUnavailable("famd is not running", "start famd -T 0")
    return port
