"""The `kqueue` backend of famcore: file events of the BSDs and macOS, by Python's `select`."""

from __future__ import annotations

import errno
import itertools
import os
import select
import stat
from collections.abc import Hashable, Iterable
from typing import NamedTuple

import famcore
from famcore.backend import Backend, Capability, Change, Interest, Kind
from famcore.errors import BackendLost, BackendUnavailable, WatchLimitReached

#: O_EVTONLY, of macOS alone, leaves the filesystem free to be unmounted. A FIFO must not block.
_OPEN = getattr(os, "O_EVTONLY", os.O_RDONLY) | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
#: Descriptors that are left to the rest of the program.
_SPARE = 64
#: Notes taken from the kernel by one read.
_NOTES = 512


class _Watch(NamedTuple):
    descriptor: int
    is_directory: bool
    #: Device and inode.
    thing: tuple[int, int]


class KqueueBackend(Backend):
    """kqueue: what BSD's and macOS' kernels note of open files and directories.

    Takes a descriptor for each directory and for each file in it that is monitored. Of a directory
    the kernel notes that its entries changed, not which: famcore lists it and compares. Tells
    nothing of what another machine does on a network filesystem.
    """

    name = "kqueue"
    api = 1
    priority = 70
    capabilities = Capability.LIVE | Capability.EXACT

    @classmethod
    def check(cls) -> None:
        if not hasattr(select, "kqueue"):
            raise BackendUnavailable(
                "this system has no kqueue, which is of the BSDs and macOS",
                "use another backend: on Linux, pip install fam-inotify",
            )

    def __init__(self) -> None:
        ends = select.KQ_NOTE_DELETE | select.KQ_NOTE_RENAME | select.KQ_NOTE_REVOKE
        entries = ends | select.KQ_NOTE_WRITE | select.KQ_NOTE_EXTEND
        everything = entries | select.KQ_NOTE_ATTRIB | select.KQ_NOTE_LINK
        self._ends = ends
        self._asks = {Interest.SELF: ends, Interest.ENTRIES: entries, Interest.ALL: everything}
        self._watches: dict[Hashable, _Watch] = {}
        #: The thing → its key: what is watched by two paths is watched once.
        self._keys: dict[tuple[int, int], int] = {}
        self._next_key = itertools.count(1)
        self._kqueue = select.kqueue()

    def watch(self, path: str, interest: Interest = Interest.ALL) -> int:
        descriptor = _open(path)
        status = os.fstat(descriptor)
        thing = status.st_dev, status.st_ino
        if thing in self._keys:
            os.close(descriptor)
            key = self._keys[thing]
        else:
            key = self._keys[thing] = next(self._next_key)
            self._watches[key] = _Watch(descriptor, stat.S_ISDIR(status.st_mode), thing)
        descriptor, flags = self._watches[key].descriptor, select.KQ_EV_ADD | select.KQ_EV_CLEAR
        notes = self._asks[interest]
        try:  # what is registered already is given the new notes
            event = select.kevent(descriptor, select.KQ_FILTER_VNODE, flags, notes, udata=key)
            self._kqueue.control([event], 0)
        except OSError as error:
            self.unwatch(key)
            raise OSError(error.errno, error.strerror, path) from None
        return key

    def unwatch(self, key: Hashable) -> None:
        watch = self._watches.pop(key, None)
        if watch is not None:
            del self._keys[watch.thing]
            os.close(watch.descriptor)  # which ends its notes, too

    def fileno(self) -> int:
        return self._kqueue.fileno()

    def read(self) -> Iterable[Change]:
        try:
            events = self._kqueue.control(None, _NOTES, 0)
        except OSError as error:
            raise BackendLost(f"kqueue can't be read: {error}") from error
        return [change for event in events for change in self._changes(event.udata, event.fflags)]

    def close(self) -> None:
        for key in list(self._watches):
            self.unwatch(key)
        self._kqueue.close()

    def _changes(self, key: int, notes: int) -> Iterable[Change]:
        """What the notes of one watch say."""
        if notes & self._ends:
            self.unwatch(key)
            return [Change(Kind.GONE, key)]
        if not self._watches[key].is_directory:
            return [Change(Kind.CHANGED, key)]
        changes = []
        if notes & (select.KQ_NOTE_WRITE | select.KQ_NOTE_EXTEND):
            changes.append(Change(Kind.RESCAN, key))
        if notes & select.KQ_NOTE_ATTRIB:
            changes.append(Change(Kind.CHANGED, key))
        return changes


def _open(path: str) -> int:
    try:
        descriptor = os.open(path, _OPEN)
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise _limit(path, error.errno) from None
        if os.path.islink(path):  # O_NOFOLLOW's refusal, for which systems differ
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path) from None
        raise
    if descriptor >= os.sysconf("SC_OPEN_MAX") - _SPARE:
        os.close(descriptor)
        raise _limit(path, errno.EMFILE)
    return descriptor


def _limit(path: str, code: int) -> WatchLimitReached:
    if code == errno.ENFILE:
        return WatchLimitReached(path, "kern.maxfiles", None, "raise it by sysctl", code=code)
    most = os.sysconf("SC_OPEN_MAX")
    return WatchLimitReached(path, "RLIMIT_NOFILE", most, "raise it: ulimit -n", code=code)


@famcore.hookimpl
def fam_backend() -> type[KqueueBackend]:
    """The hook by which famcore finds the class."""
    return KqueueBackend
