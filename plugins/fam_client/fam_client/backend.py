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
from collections.abc import Hashable, Iterable, Iterator
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


class Watch:
    """One directory or file that the server was asked to monitor."""

    __slots__ = ("identity", "interest", "is_directory", "key", "path", "request")

    def __init__(self, key: int, path: str, status: os.stat_result) -> None:
        self.key = key
        self.path = path
        self.is_directory = stat.S_ISDIR(status.st_mode)
        self.identity = _identity(status)
        self.interest = Interest.ALL
        self.request = 0

    def is_there(self) -> bool:
        """Whether it is still what is at its path."""
        try:
            status = os.lstat(self.path)
        except OSError:
            return False
        return self.identity == _identity(status)


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
        self._by_key: dict[Hashable, Watch] = {}
        self._by_path: dict[str, Watch] = {}
        self._by_request: dict[int, Watch] = {}

    def watch(self, path: str, interest: Interest = Interest.ALL) -> int:
        watch = self._by_path.get(path)
        if watch is not None and not watch.is_there():
            self._end(watch)
            watch = None
        if watch is None:
            # The core looks whether the thing was still there afterwards; a name that is missing
            # when the server looks for it may be the end of the server.
            watch = Watch(next(self._keys), path, self._look_at(path))
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
            if watch is not None:
                changes.extend(self._translate(watch, said))
        return changes

    def close(self) -> None:
        self._connection.close()

    # --- requests

    def _look_at(self, path: str) -> os.stat_result:
        """What is at `path`; raises for that of which the server would say nothing, or worse."""
        if len(os.fsencode(path)) > self.longest_path:
            reason = f"more than the {self.longest_path} bytes of path that {self.name} can watch"
            raise OSError(errno.ENAMETOOLONG, reason, path)
        # Of one thing, whatever is put at the path meanwhile.
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW)
        try:
            is_readable = os.access(
                f"/proc/self/fd/{descriptor}",
                os.R_OK,
                effective_ids=os.access in os.supports_effective_ids,
            )
            if not is_readable:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
            return os.fstat(descriptor)
        finally:
            os.close(descriptor)

    def _renew(self, watch: Watch) -> None:
        """Ask the server anew for what it does not tell of any more."""
        old = watch.request
        watch.request = self._connection.monitor(watch.path, is_directory=watch.is_directory)
        self._by_request[watch.request] = watch
        del self._by_request[old]
        self._connection.cancel(old)

    def _end(self, watch: Watch) -> None:
        del self._by_key[watch.key], self._by_path[watch.path], self._by_request[watch.request]
        self._connection.cancel(watch.request)

    # --- events

    def _translate(self, watch: Watch, said: Said) -> Iterator[Change]:
        """What one event tells."""
        # Where a directory is spoken of there may be a slash behind its name.
        name = os.fsdecode(said.filename).rstrip("/")
        kind = _KINDS.get(said.code)
        if kind is None or (name and name[0] != "/" and not watch.is_directory):
            yield Change(Kind.RESCAN, watch.key)
        elif name and name[0] != "/":
            yield from self._entry(watch, kind, name)
        elif kind is Kind.CHANGED:
            yield from self._changed(watch, "", watch.path)
        elif kind is Kind.CREATED and watch.is_there():
            # It came before it was watched, which is told late.
            yield Change(Kind.RESCAN, watch.key)
        else:
            # It went, and what is there now may have its inode number.
            yield self._gone(watch)

    def _entry(self, watch: Watch, kind: Kind, name: str) -> Iterator[Change]:
        """What an event tells of an entry of the directory that is watched."""
        path = os.path.join(watch.path, name)
        entry = self._by_path.get(path)
        if entry is not None and kind is not Kind.CHANGED and not entry.is_there():
            # Some servers tell of its end here alone.
            yield self._gone(entry)
        if watch.interest < (Interest.ALL if kind is Kind.CHANGED else Interest.ENTRIES):
            return
        if kind is Kind.CHANGED:
            yield from self._changed(watch, name, path)
        else:
            yield Change(kind, watch.key, name)

    def _gone(self, watch: Watch) -> Change:
        self._end(watch)
        return Change(Kind.GONE, watch.key)

    def _changed(self, watch: Watch, name: str, path: str) -> Iterator[Change]:
        """Of what is at `path`; of a directory some servers tell that its entries changed."""
        try:
            status = os.lstat(path)
        except OSError:
            # It has gone meanwhile; or it is called otherwise.
            yield Change(Kind.RESCAN, watch.key)
            return
        is_directory = stat.S_ISDIR(status.st_mode)
        if is_directory and status.st_mtime_ns == status.st_ctime_ns:
            # That sets both at once: it is told by the watch on that directory, by name.
            return
        yield Change(Kind.CHANGED, watch.key, name, is_directory)


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_dev, status.st_ino, stat.S_IFMT(status.st_mode)
