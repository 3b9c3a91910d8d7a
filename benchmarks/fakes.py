"""Watchers of which it is known what has to be said of them, for the test of the harness."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

from benchmarks.told import PROBE, Told
from benchmarks.workloads import END, RECORD

# Of inotify(7).
_MODIFY = 0x2
_CREATE = 0x100


def _read_names(directory: str) -> Iterator[list[str]]:
    """The names in the kernel's records of what is created and written to, read after read."""
    libc = ctypes.CDLL(None, use_errno=True)
    inotify = libc.inotify_init()
    if inotify < 0 or libc.inotify_add_watch(inotify, directory.encode(), _CREATE | _MODIFY) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), directory)
    while True:
        data = os.read(inotify, 65_536)
        records = [data[at : at + RECORD] for at in range(0, len(data), RECORD)]
        yield [record[16:].rstrip(b"\0").decode() for record in records]


def _spin(seconds: float) -> None:
    """Use so much CPU time."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def _honest(directory: str, told: Told) -> None:
    """Tells all."""
    for names in _read_names(directory):
        told.many(names)


def _busy(directory: str, told: Told) -> None:
    """Tells all, the last one after 0.1 s of work."""
    for names in _read_names(directory):
        for name in names:
            if name == END:
                _spin(0.1)
            told.one(os.path.join(directory, name))


def _restless(directory: str, told: Told) -> None:
    """Tells all, then works on and on."""
    for names in _read_names(directory):
        told.many(names)
        if END in names:
            _spin(60)


def _idle(directory: str, told: Told) -> None:
    """Tells nothing."""
    threading.Event().wait()


def _deaf(directory: str, told: Told) -> None:
    """Tells that it watches, then nothing."""
    told.one(PROBE)
    threading.Event().wait()


def _lossy(directory: str, told: Told) -> None:
    """Tells every other file, and the end."""
    for names in _read_names(directory):
        told.many([name for name in names if name in (PROBE, END) or name[-1] in "02468"])


def _late(directory: str, told: Told) -> None:
    """Reads on only when the end is there; tells what is there, not what it read."""
    for names in _read_names(directory):
        told.many(names)
        while not os.path.exists(os.path.join(directory, END)):
            time.sleep(0.01)
        told.many(os.listdir(directory))


def _repeating(directory: str, told: Told) -> None:
    """Tells one file as often as there are files."""
    for names in _read_names(directory):
        told.many(["f000000" if name.startswith("f") else name for name in names])


def _dying(directory: str, told: Told) -> None:
    """Fails as soon as there is something to tell."""
    for names in _read_names(directory):
        told.many([name for name in names if name == PROBE])
        if END in names:
            os._exit(1)


def _stuck(directory: str, told: Told) -> None:
    """Holds its whole process up as soon as there is something to tell."""
    for names in _read_names(directory):
        told.many([name for name in names if name == PROBE])
        if END in names:
            os.kill(os.getpid(), signal.SIGSTOP)


FAKES: dict[str, Callable[[str, Told], None]] = {
    "honest": _honest,
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
