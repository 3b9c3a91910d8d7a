"""The backend: watches set with the mask for an interest, the kernel's records read in bulk."""

from __future__ import annotations

import os
import struct
from collections.abc import Hashable, Iterable
from contextlib import ExitStack

from fam_inotify.binding import ENCODING, ERRORS, Inotify, pyinotify
from fam_inotify.codes import Own, entry_kinds, own_kinds, watch_masks, write_mask
from fam_inotify.limits import limits
from fam_inotify.mounts import Mounts, either
from famcore.backend import Backend, BackendLost, Capability, Interest, Kind, Limit

#: `struct inotify_event` up to its name: watch descriptor, mask, cookie, the name's length.
_HEADER = struct.Struct("iIII")

#: Bytes asked of the kernel at a time. More costs: a larger buffer is mapped anew for each read.
_READ = 65_536
#: How often in a row it is asked if the answer was full, with no room for one more largest record.
_READS = 4
_FULL = _READ - _HEADER.size - 256

_Record = tuple[Kind, int | None, str, bool | None, int]


class InotifyBackend(Backend):
    """Linux' inotify: every change by name, at once, from the kernel.

    Needs Linux and pyinotify. A user may hold `fs.inotify.max_user_watches` watches (one for each
    directory, and each file that is monitored itself) in `fs.inotify.max_user_instances` instances
    (one for each started `FileMonitor`). Of more than `fs.inotify.max_queued_events` unread events
    the kernel drops the rest, which is told as RESCAN; so is what is mounted or unmounted, for
    which `/proc/self/mountinfo` is waited on.

    Says nothing of changes that another machine makes on a network filesystem, nor of writes
    through mmap(2). Source: inotify(7).
    """

    name = "inotify"
    api = 1
    priority = 90
    capabilities = (
        Capability.LIVE
        | Capability.CONTENTS
        | Capability.MOVES
        | Capability.EXACT
        | Capability.EACH
    )

    @classmethod
    def check(cls) -> None:
        pyinotify()

    @classmethod
    def limits(cls) -> list[Limit]:
        return limits()

    def __init__(self) -> None:
        with ExitStack() as opened:
            self._inotify = Inotify()
            opened.callback(self._inotify.close)
            self._mounts = Mounts()
            opened.callback(self._mounts.close)
            #: Readable when either is.
            self._either = either(self._inotify.descriptor, self._mounts.descriptor)
            opened.pop_all()
        self._masks = watch_masks()
        self._entry_kinds = entry_kinds()
        self._own_kinds = own_kinds()
        self._write = write_mask()

    def watch(self, path: str, interest: Interest = Interest.ALL) -> int:
        return self._inotify.add_watch(path, self._masks[interest])

    def unwatch(self, key: Hashable) -> None:
        if isinstance(key, int) and self._inotify.descriptor >= 0:
            self._inotify.rm_watch(key)

    def fileno(self) -> int:
        return self._either.fileno()

    def read(self) -> Iterable[_Record]:  # type: ignore[override]  # plain tuples of a Change
        changes: list[_Record] = []
        for _ in range(_READS):
            try:
                data = os.read(self._inotify.descriptor, _READ)
            except BlockingIOError:
                break
            except OSError as error:
                raise BackendLost(f"inotify can't be read: {error}") from error
            self._unpack(data, changes)
            if len(data) <= _FULL:
                return changes
        if not changes:
            changes.extend((Kind.RESCAN, None, at, None, 0) for at in self._mounts.changed())
        return changes

    def close(self) -> None:
        self._either.close()
        self._mounts.close()
        self._inotify.close()

    def _unpack(self, data: bytes, changes: list[_Record]) -> None:
        """Add the changes in a buffer of `struct inotify_event`. Hot: gone through once for each.

        The kernel merges a write with the one before if that was of the same file. Here so is
        every other write in a row of writes: of files written in turn, too, each is said once.
        """
        say = changes.append
        header = _HEADER.unpack_from
        kinds, write = self._entry_kinds, self._write
        encoding, errors = ENCODING, ERRORS
        row: set[bytes] = set()
        in_row = False
        offset, size = 0, len(data)
        while offset < size:
            watch, mask, cookie, length = header(data, offset)
            begin = offset
            offset += 16 + length
            if mask != write:
                if in_row:
                    in_row = False
                    row.clear()
            elif in_row:
                record = data[begin:offset]
                if record in row:
                    continue
                row.add(record)
            else:
                in_row = True
            if length:
                name = data[begin + 16 : offset].rstrip(b"\0").decode(encoding, errors)
                kind, is_directory = kinds[mask]
                say((kind, watch, name, is_directory, cookie))
            elif (own := self._own_kinds.get(mask)) is not None:
                self._say_own(changes, own, watch)

    def _say_own(self, changes: list[_Record], own: Own, watch: int) -> None:
        """Add what a record without a name says: of the watched thing itself, or of the queue."""
        if own.ends and changes and changes[-1][:3] == (Kind.CHANGED, watch, ""):
            # The fall of the link count to 0, told as a change of attributes just before the end.
            changes.pop()
        if own.outlives:
            self._inotify.rm_watch(watch)
        key = None if own.kind is Kind.RESCAN else watch
        changes.append((own.kind, key, "", own.is_directory, 0))
