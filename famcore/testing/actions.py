"""What scenarios do to files: each action one or two system calls, and a text for messages."""

from __future__ import annotations

import ctypes
import dataclasses
import errno
import functools
import os
import shutil
from collections.abc import Callable
from typing import Concatenate, ParamSpec

_P = ParamSpec("_P")

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


class NotHere(Exception):
    """What a scenario asks for can't be done on the system or filesystem at hand."""


@dataclasses.dataclass(frozen=True, slots=True)
class Action:
    """Something to do below the test directory, whose path it is given."""

    text: str
    run: Callable[[str], None]

    def __str__(self) -> str:
        return self.text


def action(function: Callable[Concatenate[str, _P], None]) -> Callable[_P, Action]:
    """Make of a function of the test directory and more one that returns the `Action`."""

    @functools.wraps(function)
    def describe(*args: _P.args, **kwargs: _P.kwargs) -> Action:
        named = [repr(each) for each in (*args, *kwargs.values())]
        text = " ".join([function.__name__.replace("_", " "), *named])
        return Action(text, lambda root: function(root, *args, **kwargs))

    return describe


def at(root: str, name: str) -> str:
    """The path of `name` in the test directory; "" is the directory itself."""
    return f"{root}/{name}" if name else root


# --- what comes


@action
def make(root: str, name: str) -> None:
    """Make an empty file."""
    try:
        os.close(os.open(at(root, name), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    except OSError as error:
        if error.errno == errno.EILSEQ:
            raise NotHere(f"the filesystem refuses the name {name!r}") from error
        raise


@action
def make_all(root: str, pattern: str, count: int) -> None:
    """Make empty files called by `pattern`, whose {} is a number below `count`."""
    for number in range(count):
        os.close(os.open(at(root, pattern.format(number)), os.O_CREAT | os.O_EXCL | os.O_WRONLY))


@action
def make_directory(root: str, name: str) -> None:
    """Make a directory."""
    os.mkdir(at(root, name))


@action
def make_fifo(root: str, name: str) -> None:
    """Make a FIFO."""
    os.mkfifo(at(root, name))


@action
def make_link(root: str, name: str, target: str) -> None:
    """Make a symbolic link that leads to `target`, as spelled."""
    os.symlink(target, at(root, name))


@action
def hard_link(root: str, old: str, new: str) -> None:
    """Give a file a second name."""
    os.link(at(root, old), at(root, new))


# --- what changes


@action
def write(root: str, name: str) -> None:
    """Append to a file by one write; where there is none it is made first."""
    descriptor = os.open(at(root, name), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, b"more\n")
    finally:
        os.close(descriptor)


@action
def write_thrice(root: str, name: str) -> None:
    """Change one file three times, and in more than one way."""
    for mode in (0o600, 0o640, 0o644):
        write(name).run(root)
        os.chmod(at(root, name), mode)


@action
def truncate(root: str, name: str) -> None:
    """Cut a file that has content down to nothing."""
    os.truncate(at(root, name), 0)


@action
def change_mode(root: str, name: str, mode: int) -> None:
    """Set the permissions."""
    os.chmod(at(root, name), mode)


@action
def stamp(root: str, name: str) -> None:
    """Set the times of a file to some moment of the past."""
    os.utime(at(root, name), (1_000_000_000, 1_000_000_000))


# --- what goes


@action
def remove(root: str, name: str) -> None:
    """Remove anything but a directory."""
    os.unlink(at(root, name))


@action
def remove_directory(root: str, name: str) -> None:
    """Remove an empty directory."""
    os.rmdir(at(root, name))


@action
def remove_tree(root: str, name: str) -> None:
    """Remove a directory and all that is in it."""
    shutil.rmtree(at(root, name))


# --- what moves


@action
def rename(root: str, old: str, new: str) -> None:
    """Rename, replacing what is called `new`."""
    os.rename(at(root, old), at(root, new))


@action
def rename_all(root: str, old: str, new: str, count: int) -> None:
    """Rename files called by patterns, whose {} is a number below `count`, one after the other."""
    for number in range(count):
        os.rename(at(root, old.format(number)), at(root, new.format(number)))


@action
def exchange(root: str, one: str, other: str) -> None:
    """Exchange two names atomically, as only Linux can: renameat2(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        raise NotHere("the C library has no renameat2")
    paths = [os.fsencode(at(root, name)) for name in (one, other)]
    if libc.renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) < 0:
        code = ctypes.get_errno()
        if code in (errno.ENOSYS, errno.EINVAL):
            raise NotHere("the filesystem can't exchange two names")
        raise OSError(code, os.strerror(code), at(root, one), None, at(root, other))


# --- what is no activity


@action
def read(root: str, name: str) -> None:
    """Open a file and read it."""
    with open(at(root, name), "rb") as file:
        file.read()


@action
def open_to_write(root: str, name: str) -> None:
    """Open a file for writing, and close it without."""
    os.close(os.open(at(root, name), os.O_WRONLY))


@action
def list_directory(root: str, name: str) -> None:
    """List a directory and look at each entry."""
    with os.scandir(at(root, name)) as entries:
        for entry in entries:
            entry.stat()
