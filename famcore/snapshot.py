"""What is on disk: one directory listed, one path looked at, files that may have changed."""

from __future__ import annotations

import enum
import errno
import os
import stat
import sys
from collections.abc import Iterable, Mapping

#: Seconds by which the stamp of a change may lie before the change itself: the kernel stamps
#: with the time of its last tick, 10 ms ago at most where HZ is 100.
CLOCK_GRAIN = 0.020

#: Filesystems whose stamps are taken from this machine's clock. On others (network, FUSE, 9p) a
#: server's may be used, and nothing can be told from it.
LOCAL = frozenset(
    "bcachefs btrfs devtmpfs exfat ext2 ext3 ext4 f2fs hfsplus jfs nilfs2 ntfs3 overlay ramfs"
    " reiserfs squashfs tmpfs ubifs udf vfat xfs zfs".split()
)


#: Bits of a device number in the number of a thing. Linux has 32 at most, so that most numbers
#: are small ones.
_DEVICE_BITS = 32 if sys.platform == "linux" else 64

_MISSING = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class Found(enum.Enum):
    """What is at a path, links not followed."""

    NOTHING = enum.auto()
    FILE = enum.auto()
    DIRECTORY = enum.auto()
    LINK = enum.auto()
    #: A socket, a FIFO, a device: it comes and goes, but can't be watched.
    SPECIAL = enum.auto()


def is_missing(error: BaseException) -> bool:
    """Whether the system says that there is no such path.

    ELOOP says so too: a directory of the path has been replaced by a link that leads nowhere.
    """
    return isinstance(error, OSError) and error.errno in _MISSING


def look(path: str) -> Found:
    """What is at `path` now; nothing, too, if the system doesn't let us know."""
    try:
        return identify(path)[0]
    except OSError:
        return Found.NOTHING


def identify(path: str) -> tuple[Found, int]:
    """What is at `path` now, and a number (device and inode) that no other thing has meanwhile.

    A thing made after this one has gone may have its number; but no link that leads elsewhere.
    Raises the system's `OSError` if it doesn't let us know.
    """
    try:
        status = os.lstat(path)
    except ValueError:  # a name that no file can have
        return Found.NOTHING, 0
    except OSError as error:
        if is_missing(error):
            return Found.NOTHING, 0
        raise
    number = _number(status)
    if stat.S_ISDIR(status.st_mode):
        return Found.DIRECTORY, number
    if stat.S_ISREG(status.st_mode):
        return Found.FILE, number
    if stat.S_ISLNK(status.st_mode):
        # Its inode is given to the next one by many filesystems, for nobody watches a link. Its
        # ctime moves when it is given another name or owner, too.
        return Found.LINK, hash((number, target_of(path)))
    return Found.SPECIAL, number


def target_of(path: str) -> str | None:
    """Where the link at `path` leads; None if it is none any more."""
    try:
        return os.readlink(path)
    except OSError:
        return None


def _number(status: os.stat_result) -> int:
    return status.st_ino << _DEVICE_BITS | status.st_dev


def device_of(number: int) -> int:
    """The device (`st_dev`) of what `identify` gave that number."""
    return number & (1 << _DEVICE_BITS) - 1


def scan(path: str | int) -> dict[str, bool]:
    """The entries of the directory at `path`: name → is it a directory (a link never is).

    `path` may be a descriptor.
    """
    with os.scandir(path) as entries:
        return {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}


def identify_and_scan(path: str) -> tuple[int, dict[str, bool]]:
    """`identify` and `scan` in one, of the same directory; raises `OSError` if `path` is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        return _number(os.fstat(descriptor)), scan(descriptor)
    finally:
        os.close(descriptor)


def changed_since(
    path: str, names: Iterable[str], since: float, known: Mapping[str, float] | None = None
) -> list[str]:
    """Those `names` in the directory at `path` that may have changed at or after `since`.

    Of names that are `known` to have been told later, after that. Times in epoch seconds. What
    surely did not change is what has a ctime older than that, less `CLOCK_GRAIN`; nobody can set a
    ctime. Of directories those are told whose attributes did.
    """
    known = known or {}
    found = []
    for name in names:
        limit = max(since, known.get(name, since)) - CLOCK_GRAIN
        try:
            status = os.lstat(f"{path}/{name}")
        except OSError:
            continue
        if status.st_ctime >= limit and not entries_were_last(status):
            found.append(name)
    return found


def entries_were_last(status: os.stat_result) -> bool:
    """Whether it is of a directory, and the last that changed was which entries it has.

    That sets both its times at once; a change of its mode or owner, its ctime alone.
    """
    return stat.S_ISDIR(status.st_mode) and status.st_mtime_ns == status.st_ctime_ns


def stamps_are_ours(device: int) -> bool:
    """Whether the filesystem on `device` (`st_dev`) stamps changes with this machine's clock."""
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:
            for line in mounts:
                # proc(5): ID parent MAJOR:MINOR root point options [fields…] - TYPE source options
                fields = line.split()
                if fields[2] == wanted:
                    return fields[fields.index("-") + 1] in LOCAL
    except OSError:
        pass
    return False
