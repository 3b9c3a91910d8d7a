"""Watchers of which it is known what has to be said of them, for the test of the harness."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator

from benchmarks.told import PROBE, Told
from benchmarks.workloads import END, RECORD

# Of inotify(7).
_MODIFY = 0x2
_CREATE = 0x100
_DELETE = 0x200


def _read_names(directory: str, recursive: bool = False) -> Iterator[list[str]]:
    """The names in the kernel's records of what is created, written to, removed, read by read."""
    # Its import is not free, and every watcher's process has this module.
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    inotify = libc.inotify_init()
    prefixes = {}
    for path, _, _ in os.walk(directory) if recursive else [(directory, [], [])]:
        key = libc.inotify_add_watch(inotify, path.encode(), _CREATE | _MODIFY | _DELETE)
        if key < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
        prefixes[key] = os.path.relpath(path, directory) + "/" if path != directory else ""
    while True:
        data = os.read(inotify, 65_536)
        records = [data[at : at + RECORD] for at in range(0, len(data), RECORD)]
        yield [
            prefixes.get(int.from_bytes(record[:4], sys.byteorder), "")
            + record[16:].rstrip(b"\0").decode()
            for record in records
        ]


def _spin(seconds: float) -> None:
    """Use so much CPU time."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def _honest(directory: str, told: Told, recursive: bool) -> None:
    """Tells all."""
    for names in _read_names(directory, recursive):
        told.many(names)


def _tardy(directory: str, told: Told, recursive: bool) -> None:
    """Tells all, 50 ms after it read it."""
    for names in _read_names(directory):
        time.sleep(0.05)
        told.many(names)


def _fidgety(directory: str, told: Told, recursive: bool) -> None:
    """Tells all, and wakes up some 200 times a second."""
    threading.Thread(target=_fidget, daemon=True).start()
    _honest(directory, told, recursive)


def _fidget() -> None:
    while True:
        time.sleep(0.005)


def _greedy(directory: str, told: Told, recursive: bool) -> None:
    """Tells what is there and all that happens, with 64 MiB in memory, after 0.3 s of work."""
    hoard = b"x" * 2**26
    _spin(0.3)
    for _, directories, files in os.walk(directory):
        told.standing(len(directories) + len(files))
    _honest(directory, told, recursive)
    del hoard


def _busy(directory: str, told: Told, recursive: bool) -> None:
    """Tells all, the last one after 0.1 s of work."""
    for names in _read_names(directory):
        for name in names:
            if name == END:
                _spin(0.1)
            told.one(os.path.join(directory, name))


def _restless(directory: str, told: Told, recursive: bool) -> None:
    """Tells all, then works on and on."""
    for names in _read_names(directory):
        told.many(names)
        if END in names:
            _spin(60)


def _idle(directory: str, told: Told, recursive: bool) -> None:
    """Tells nothing."""
    threading.Event().wait()


def _deaf(directory: str, told: Told, recursive: bool) -> None:
    """Tells that it watches, then nothing."""
    told.one(PROBE)
    threading.Event().wait()


def _lossy(directory: str, told: Told, recursive: bool) -> None:
    """Tells every other file, and the end."""
    for names in _read_names(directory):
        told.many([name for name in names if name in (PROBE, END) or name[-1] in "02468"])


def _late(directory: str, told: Told, recursive: bool) -> None:
    """Reads on only when the end is there; tells what is there, not what it read."""
    for names in _read_names(directory):
        told.many(names)
        while not os.path.exists(os.path.join(directory, END)):
            time.sleep(0.01)
        told.many(os.listdir(directory))


def _repeating(directory: str, told: Told, recursive: bool) -> None:
    """Tells one file as often as there are files."""
    for names in _read_names(directory):
        told.many(["f000000" if name.startswith("f") else name for name in names])


def _dying(directory: str, told: Told, recursive: bool) -> None:
    """Fails as soon as there is something to tell."""
    for names in _read_names(directory):
        told.many([name for name in names if name == PROBE])
        if END in names:
            os._exit(1)


def _stuck(directory: str, told: Told, recursive: bool) -> None:
    """Holds its whole process up as soon as there is something to tell."""
    for names in _read_names(directory):
        told.many([name for name in names if name == PROBE])
        if END in names:
            os.kill(os.getpid(), signal.SIGSTOP)


FAKES: dict[str, Callable[[str, Told, bool], None]] = {
    "honest": _honest,
    "tardy": _tardy,
    "fidgety": _fidgety,
    "greedy": _greedy,
    "busy": _busy,
    "restless": _restless,
    "idle": _idle,
    "deaf": _deaf,
    "lossy": _lossy,
    "late": _late,
    "repeating": _repeating,
    "dying": _dying,
    "stuck": _stuck,
}
