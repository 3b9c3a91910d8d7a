"""`reader.c` as a watcher: what reading the kernel's queue costs alone."""

from __future__ import annotations

import os
import time
from collections.abc import Collection

from benchmarks.told import Stamp, State, Told

_HERE = os.path.dirname(os.path.abspath(__file__))
_SOURCE = os.path.join(_HERE, "reader.c")
_LIBRARY = os.path.join(os.path.dirname(_HERE), ".cache", "benchmarks", "reader.so")


def build() -> str | None:
    """Compile it, if need be; return why that can't be done."""
    import shutil
    import subprocess

    compiler = shutil.which("cc")
    if compiler is None:
        return "there is no C compiler, cc"
    if os.path.exists(_LIBRARY) and os.path.getmtime(_LIBRARY) > os.path.getmtime(_SOURCE):
        return None
    os.makedirs(os.path.dirname(_LIBRARY), exist_ok=True)
    # Two runs at once don't see each other's halves.
    made = f"{_LIBRARY}.{os.getpid()}"
    command = [compiler, "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", made, _SOURCE]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return f"{compiler} failed: {done.stderr.strip()}"
    os.replace(made, _LIBRARY)
    return None


class Counted(Told):
    """Asks the reader, which tells nobody."""

    def __init__(self, probe: str) -> None:
        super().__init__(probe)
        from ctypes import CDLL, c_char_p, c_int64, c_size_t

        self.library = CDLL(_LIBRARY)
        self.library.reader_expect.argtypes = c_char_p, c_size_t
        self.library.reader_when.restype = c_int64
        self._fields = c_int64 * 5

    @property
    def probe(self) -> str:
        """The probe relative to the watched directory."""
        return self._probe

    def expect(self, names: Collection[str]) -> State:
        self._names = names
        joined = b"".join(name.encode() + b"\0" for name in names)
        self.library.reader_expect(joined, len(names))
        self._began = time.process_time()
        return self.state()

    def state(self) -> State:
        fields = self._fields()
        self.library.reader_state(fields)
        told, missing, ended, watching, watching_cpu = fields
        if watching:
            self._watching = Stamp(watching / 1e9, watching_cpu / 1e9)
        until = ended / 1e9 if ended else time.process_time()
        return State(watching > 0, told, missing, until - self._began)

    def times(self) -> dict[str, float]:
        """When each name was first told."""
        times = {name: self.library.reader_when(name.encode()) for name in self._names}
        return {name: when / 1e9 for name, when in times.items() if when}


def watch(directory: str, told: Told, recursive: bool) -> None:
    """Read for ever; ctypes gives the interpreter free meanwhile."""
    assert isinstance(told, Counted)
    error = told.library.reader_open(directory.encode(), told.probe.encode(), int(recursive))
    if error:
        raise OSError(error, os.strerror(error), directory)
    told.library.reader_run()
