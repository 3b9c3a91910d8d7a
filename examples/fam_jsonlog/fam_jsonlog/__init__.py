"""The consumer `jsonlog`: every event as a line of JSON, in a file that is rotated when it is full.

    fam watch --consumer jsonlog:file=/var/log/etc.jsonl,size=10M,keep=5 /etc

Here are the hooks; `rotating` has the file, `options` what may be said of it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import famcore
from fam_jsonlog.options import absolute, bytes_of, number_of
from fam_jsonlog.rotating import RotatingFile
from famcore.jsonlines import json_lines

__all__ = ["JsonLog"]


class JsonLog:
    """Has the lines of `fam watch --json` in `file`, of `size` at most, and `keep` earlier ones.

    Options from a command line are strings, those from Python may be numbers.
    """

    def __init__(self, file: str, size: str | int = "10M", keep: str | int = 5) -> None:
        path = absolute(file)
        self._file = RotatingFile(path, size=bytes_of("size", size), keep=number_of("keep", keep))

    @famcore.hookimpl
    def fam_events(self, fam: famcore.FileMonitor, events: Sequence[famcore.Event]) -> None:
        """Write a batch: it is in the file when this returns."""
        # Of a log in a monitored directory each line would bring the next.
        others = [event for event in events if event.path not in self._file]
        if others:
            self._file.write(json_lines(others, backend=str(fam.backend), time=time.time()))

    @famcore.hookimpl
    def fam_stopped(self) -> None:
        """Close the file."""
        self._file.close()
