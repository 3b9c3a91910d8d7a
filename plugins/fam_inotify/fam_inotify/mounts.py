"""Changes of what is mounted where, of which inotify says nothing, or only the end."""

from __future__ import annotations

import os
import re
import select

from fam_inotify.limits import open_refused

#: proc(5): poll(2) says POLLPRI of an open one when the mounts have changed since the last poll.
_MOUNTINFO = "/proc/self/mountinfo"

_ESCAPE = re.compile(rb"\\([0-7]{3})")


class Mounts:
    """Knows the mounts of this process' mount namespace, if `/proc` lets us know."""

    def __init__(self) -> None:
        #: The one to wait on. Whoever polls it first is told, and only he: so there is another.
        self.descriptor: int | None = None
        self._own: int | None = None
        try:
            self.descriptor = _open()
            self._own = _open()
        except OSError:
            self.close()
            raise
        self._poll = select.poll()
        if self._own is not None:
            self._poll.register(self._own, select.POLLPRI)
        self._known = self._read()

    def changed(self) -> list[str]:
        """The mount points at which something was mounted, unmounted or moved since the last call.

        Does not wait.
        """
        if not self._poll.poll(0):
            return []
        before, self._known = self._known, self._read()
        points = before.keys() | self._known.keys()
        return sorted(each for each in points if before.get(each) != self._known.get(each))

    def close(self) -> None:
        """Close the descriptors; a second time does nothing."""
        for descriptor in (self.descriptor, self._own):
            if descriptor is not None:
                os.close(descriptor)
        self.descriptor = self._own = None
        self._poll = select.poll()

    def _read(self) -> dict[str, list[bytes]]:
        """Mount point → the IDs of what is mounted there, the topmost last."""
        found: dict[str, list[bytes]] = {}
        if self._own is not None:
            with open(self._own, "rb", closefd=False) as lines:
                lines.seek(0)
                for line in lines:
                    number, _, _, _, point, _ = line.split(b" ", 5)
                    found.setdefault(os.fsdecode(_unescape(point)), []).append(number)
        return found


def either(inotify: int, mounts: int | None) -> select.epoll:
    """What is readable when `inotify` is, or the mounts have changed."""
    try:
        both = select.epoll()
        both.register(inotify, select.EPOLLIN)
        if mounts is not None:
            both.register(mounts, select.EPOLLPRI)
    except OSError as error:
        raise open_refused(error.errno or 0) from error
    return both


def _open() -> int | None:
    try:
        return os.open(_MOUNTINFO, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):
        return None
    except OSError as error:
        raise open_refused(error.errno or 0) from error


def _unescape(point: bytes) -> bytes:
    """A mount point, in which blanks, newlines and backslashes are written in octal."""
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 8)]), point)
