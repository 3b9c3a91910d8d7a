"""A file for lines that makes way for another when it is full."""

from __future__ import annotations

import contextlib
import io
import os
import re


class RotatingFile:
    """Lines are added to `path`; before it is larger than `size` it becomes `path.1`.

    What was `path.1` becomes `path.2`, and so on up to `keep`; the last is lost. For one process:
    two that find it full at the same time would both put it aside.
    """

    def __init__(self, path: str, *, size: int, keep: int) -> None:
        self._path = path
        self._size = size
        self._keep = keep
        self._directory, name = os.path.split(path)
        self._names = re.compile(re.escape(name) + r"(\.[0-9]+)?")
        self._file = self._open()

    def _open(self) -> io.FileIO:
        return open(self._path, "ab", buffering=0)

    def _used(self) -> int:
        return os.fstat(self._file.fileno()).st_size

    def __contains__(self, path: str) -> bool:
        """Whether `path` is one of its files, however the directory is spelled."""
        directory, name = os.path.split(path)
        if not self._names.fullmatch(name):
            return False
        try:
            return os.path.samefile(directory, self._directory)
        except OSError:
            return False

    def write(self, lines: bytes) -> None:
        """Add `lines`, each of which ends with a newline. None is parted between two files."""
        while lines:
            used = self._used()
            end = len(lines)
            if used + end > self._size:
                end = lines.rfind(b"\n", 0, max(0, self._size - used)) + 1
            if not end and used:
                self._rotate()
                continue
            # Nothing is shorter than a line: one that is longer than a file has one to itself.
            end = end or lines.index(b"\n") + 1
            self._append(lines[:end])
            lines = lines[end:]

    def _append(self, data: bytes) -> None:
        before = self._used()
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            # No space left, say: half a line would spoil the one that comes after it.
            with contextlib.suppress(OSError):
                self._file.truncate(before)
            error.filename = self._path
            raise

    def _rotate(self) -> None:
        if os.path.lexists(self._path):
            for number in range(self._keep, 1, -1):
                with contextlib.suppress(FileNotFoundError):
                    os.replace(f"{self._path}.{number - 1}", f"{self._path}.{number}")
            if self._keep:
                os.replace(self._path, f"{self._path}.1")
            else:
                os.remove(self._path)
        full, self._file = self._file, self._open()
        full.close()

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._file.close()
