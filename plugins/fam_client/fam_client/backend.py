"""A backend on a FAM server: its events made changes, and what it does wrong made good.

What such a server leaves out is left to the core, which looks at the disk for a backend without
`Capability.EXACT`.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import stat
from abc import abstractmethod
from collections.abc import Hashable, Iterable
from typing import ClassVar

from fam_client.connection import Connection, Said
from fam_client.library import Code
from famcore.backend import Backend, Capability, Change, Interest, Kind

#: Events made changes at a time.
_READ = 1_000

_KINDS: dict[int, Kind] = {
    Code.CREATED: Kind.CREATED,
    Code.CHANGED: Kind.CHANGED,
    Code.DELETED: Kind.DELETED,
}


class _Watch:
    """One directory or file that the server was asked to monitor."""

    __slots__ = ("identity", "interest", "is_directory", "key", "path", "request")

    def __init__(self, key: int, path: str, status: os.stat_result) -> None:
        self.key = key
        self.path = path
        self.is_directory = stat.S_ISDIR(status.st_mode)
        self.identity = status.st_dev, status.st_ino
        self.interest = Interest.ALL
        self.request = 0


class ServedBackend(Backend):
    """What the backends of FAM's servers have in common.

    A server monitors paths, not things: a request ends when what is at its path goes, before the
    server begins to look for what may come there.
    """

    capabilities = Capability.LIVE | Capability.CONTENTS

    #: Bytes of the longest path that the server takes.
    longest_path: ClassVar[int]

    @classmethod
    @abstractmethod
    def library(cls) -> ctypes.CDLL:
        """FAM's C library. Raises `BackendUnavailable`."""

    @abstractmethod
    def connect(self) -> Connection:
        """Open a connection to the server. Raises `BackendUnavailable`."""

    def __init__(self) -> None:
        self._connection = self.connect()
        self._keys = itertools.count(1)
        self._by_key: dict[Hashable, _Watch] = {}
        self._by_path: dict[str, _Watch] = {}
        self._by_request: dict[int, _Watch] = {}

    def watch(self, path: str, interest: Interest = Interest.ALL) -> int:
        # The core looks whether the thing was still there afterwards; a name that is missing when
        # the server looks for it may be the end of the server.
        status = os.lstat(path)
        watch = self._by_path.get(path)
        if watch is not None and watch.identity != (status.st_dev, status.st_ino):
            self._end(watch)
            watch = None
        if watch is None:
            self._refuse(path)
            watch = _Watch(next(self._keys), path, status)
            watch.request = self._connection.monitor(path, is_directory=watch.is_directory)
            self._by_request[watch.request] = watch
            self._by_key[watch.key] = self._by_path[path] = watch
        watch.interest = interest
        return watch.key

    def unwatch(self, key: Hashable) -> None:
        watch = self._by_key.get(key)
        if watch is not None:
            self._end(watch)

    def fileno(self) -> int:
        return self._connection.fileno()

    def read(self) -> Iterable[Change]:
        changes: list[Change] = []
        for said in self._connection.take(_READ):
            watch = self._by_request.get(said.request)
            change = None if watch is None else self._translate(watch, said)
            if change is not None:
                changes.append(change)
        return changes

    def close(self) -> None:
        self._connection.close()

    # --- requests

    def _refuse(self, path: str) -> None:
        """Raise for a path of which the server would say nothing, or worse."""
        if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        if len(os.fsencode(path)) > self.longest_path:
            reason = f"more than the {self.longest_path} bytes of path that {self.name} can watch"
            raise OSError(errno.ENAMETOOLONG, reason, path)

    def _end(self, watch: _Watch) -> None:
        del self._by_key[watch.key], self._by_path[watch.path], self._by_request[watch.request]
        self._connection.cancel(watch.request)

    # --- events

    def _translate(self, watch: _Watch, said: Said) -> Change | None:
        """What one event tells, if it is to be told."""
        # Where a directory is spoken of there may be a slash behind its name.
        name = os.fsdecode(said.filename).rstrip("/")
        kind = _KINDS.get(said.code)
        if kind is None or (name and name[0] != "/" and not watch.is_directory):
            return Change(Kind.RESCAN, watch.key)
        if not name or name[0] == "/":
            return self._itself(watch, kind)
        return self._entry(watch, kind, name)

    def _itself(self, watch: _Watch, kind: Kind) -> Change | None:
        """Of what is watched."""
        if kind is not Kind.CHANGED:
            # It went, or was replaced, perhaps by something of the same inode number.
            self._end(watch)
            return Change(Kind.GONE, watch.key)
        return self._changed(watch, "", watch.path)

    def _entry(self, watch: _Watch, kind: Kind, name: str) -> Change | None:
        """Of an entry of the directory that is watched."""
        if watch.interest < (Interest.ALL if kind is Kind.CHANGED else Interest.ENTRIES):
            return None
        if kind is not Kind.CHANGED:
            return Change(kind, watch.key, name)
        return self._changed(watch, name, os.path.join(watch.path, name))

    def _changed(self, watch: _Watch, name: str, path: str) -> Change | None:
        """Of what is at `path`; of a directory some servers tell that its entries changed."""
        try:
            status = os.lstat(path)
        except OSError:
            # It has gone meanwhile; or it is called otherwise.
            return Change(Kind.RESCAN, watch.key)
        is_directory = stat.S_ISDIR(status.st_mode)
        if is_directory and status.st_mtime_ns == status.st_ctime_ns:
            # That sets both at once: it is told by the watch on that directory, by name.
            return None
        return Change(Kind.CHANGED, watch.key, name, is_directory)
