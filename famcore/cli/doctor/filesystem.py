"""Which filesystem a path is on, and what the kernel tells of changes there."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from famcore.cli.doctor.finding import Finding, Level
from famcore.snapshot import LOCAL

MOUNTINFO = "/proc/self/mountinfo"

_ESCAPE = re.compile(r"\\([0-7]{3})")


class Mount(NamedTuple):
    """One line of `mountinfo`."""

    number: int
    #: The number of the one that it is mounted on.
    parent: int
    point: str
    type: str
    source: str


class Told(NamedTuple):
    """What a backend that asks the kernel hears of a filesystem."""

    level: Level
    text: str
    remedy: str = ""


_ELSEWHERE = "monitor it on the machine that has the files, or by a backend that looks itself"

_LOCAL = Told(Level.OK, "what is changed there is told")
_SHARED = Told(
    Level.WARNING,
    "a network filesystem: what this machine changes there is told, what others change is not",
    _ELSEWHERE,
)
_HOST = Told(
    Level.WARNING,
    "shared with the machine that this one runs on: what is changed here is told, what is changed"
    " there is not",
    _ELSEWHERE,
)
_PROGRAM = Told(
    Level.WARNING,
    "a program serves it (FUSE): what is changed through this mount is told, what comes to be"
    " behind that program, as on another machine, is not",
    _ELSEWHERE,
)
_LAYERS = Told(
    Level.NOTE,
    "laid over other directories: what is changed through this mount is told, what is changed in"
    " those directly, past it, is not",
)
_GENERATED = Told(
    Level.ERROR,
    "the kernel makes up its files when they are read: that they change is not told",
    "read it at intervals",
)
_CGROUPS = Told(
    Level.NOTE,
    "control groups: of directories all is told; of files, only those tell that are meant to, as"
    " cgroup.events",
)
_LATER = Told(Level.NOTE, "mounted when somebody enters it: look again then")

_BY_TYPE: dict[str, Told] = {
    **dict.fromkeys(LOCAL | {"fuseblk", "erofs", "hugetlbfs", "iso9660", "msdos"}, _LOCAL),
    **dict.fromkeys(
        "afs beegfs ceph cifs coda gfs2 glusterfs gpfs lustre ncpfs nfs nfs4 ocfs2 orangefs pvfs2"
        " smb3 smbfs".split(),
        _SHARED,
    ),
    **dict.fromkeys("9p drvfs prl_fs vboxsf virtiofs vmhgfs".split(), _HOST),
    **dict.fromkeys("aufs overlay".split(), _LAYERS),
    **dict.fromkeys(
        "binfmt_misc bpf configfs debugfs devpts efivarfs fusectl mqueue nsfs proc pstore"
        " rpc_pipefs securityfs selinuxfs sysfs tracefs".split(),
        _GENERATED,
    ),
    **dict.fromkeys("cgroup cgroup2".split(), _CGROUPS),
    "autofs": _LATER,
    "fuse": _PROGRAM,
}


def told_of(kind: str) -> Told:
    """What is told of a filesystem of that type, as `mountinfo` names it."""
    told = _BY_TYPE.get(kind) or _BY_TYPE.get(kind.partition(".")[0])
    return told or Told(
        Level.NOTE, "nothing is known here of such a filesystem: try whether changes are told"
    )


def look_at_filesystem(path: str, mountinfo: str = MOUNTINFO) -> Iterator[Finding]:
    """Say of the filesystem of `path`, and of those mounted below it, what is told of each."""
    try:
        # The kernel writes a blank or a newline of a name as an escape, but a "\r" as it is.
        with open(mountinfo, encoding="utf-8", errors="surrogateescape", newline="\n") as lines:
            mounts = list(parse(lines))
        number = _mount_of(path)
    except OSError as error:
        yield _unseen(path, str(error.strerror))
        return
    if all(mount.number != number for mount in mounts):
        # In a chroot, the mount that its root is a part of; and what was unmounted lazily.
        yield _unseen(path, f"its mount is not in {mountinfo}")
    yield from judge(path, number, mounts)


def _unseen(path: str, why: str) -> Finding:
    return Finding(Level.NOTE, "filesystem", f"which one {path} is on can't be seen: {why}")


def judge(path: str, number: int, mounts: Sequence[Mount]) -> Iterator[Finding]:
    """Of the mount `number`, which has `path`, and of what is mounted below that."""
    real = os.path.realpath(path)
    below = real.rstrip("/") + "/"
    for mount in mounts:
        if mount.number == number:
            yield _finding(f"{path} is on", mount)
        elif mount.point.startswith(below):
            found = _finding(f"below it, at {mount.point}, is", mount)
            # What hinders there is no more than a part of a recursive monitor.
            level = min(found.level, Level.WARNING, key=lambda each: each.rank)
            if level is Level.WARNING and not _is_hidden(mount, mounts):
                yield Finding(level, found.subject, found.text, found.remedy, found.data)


def _is_hidden(mount: Mount, mounts: Sequence[Mount]) -> bool:
    """Whether nobody can get to it, for another is mounted over it, or over what it is mounted on.

    `mountinfo` has such ones, too.
    """
    if any(each.parent == mount.number and each.point == mount.point for each in mounts):
        return True
    by_number = {each.number: each for each in mounts}
    on = mount
    while True:
        beside = (it for it in mounts if it.parent == on.parent and it.number != on.number)
        if any(on.point.startswith(each.point.rstrip("/") + "/") for each in beside):
            return True
        if on.parent not in by_number:
            return False
        on = by_number.pop(on.parent)


def _finding(where: str, mount: Mount) -> Finding:
    told = told_of(mount.type)
    said = f"{where} {mount.type} ({mount.source}): {told.text}"
    data = {"type": mount.type, "source": mount.source, "mount_point": mount.point}
    return Finding(told.level, "filesystem", said, told.remedy, data)


def parse(lines: Iterable[str]) -> Iterator[Mount]:
    """Read lines as proc(5) has them.

    ID parent MAJOR:MINOR root point options [fields…] - type source options
    """
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) > 4 and len(kind) > 1:
            number, parent = int(fields[0]), int(fields[1])
            yield Mount(number, parent, _unescape(fields[4]), kind[0], _unescape(kind[1]))


def _mount_of(path: str) -> int:
    """The number of the mount that has `path`, or what is there of it. Raises `OSError`."""
    descriptor = _open(path)
    try:
        with open(f"/proc/self/fdinfo/{descriptor}", encoding="ascii") as lines:
            for line in lines:
                name, _, value = line.partition(":")
                if name == "mnt_id":
                    return int(value)
    finally:
        os.close(descriptor)
    raise FileNotFoundError(0, "the kernel is too old", path)


def _open(path: str) -> int:
    while True:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return os.open(path, os.O_PATH | os.O_CLOEXEC)
        path = os.path.dirname(path)


def _unescape(text: str) -> str:
    r"""A name, in which blanks, newlines and backslashes are written as `\040` and the like."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), text)
