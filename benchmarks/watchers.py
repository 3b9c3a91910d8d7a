"""The watchers that are measured.

A watcher is given a directory, which is flat unless it is to be watched recursively, and gives each
event's name to `Told` as it is spelled in the event, until its process is ended. It imports what
it needs by itself, so that no watcher carries another's modules.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from benchmarks import c_reader, fakes, ours, peers
from benchmarks.told import Timed, Told


class Watcher(NamedTuple):
    """Something that tells what happens in a directory."""

    name: str
    watch: Callable[[str, Told, bool], None]
    #: Of which it is a part, if it is of one.
    distribution: str | None = None
    #: What its users import.
    module: str | None = None
    #: Whether it is one for the test of the harness, which is measured only by name.
    is_fake: bool = False

    def make_told(self, probe: str, *, timed: bool) -> Told:
        """What it is to tell."""
        if self.watch is c_reader.watch:
            return c_reader.Counted(probe)
        return Timed(probe) if timed else Told(probe)


_REAL = (
    Watcher("famcore", ours.handler, "famcore", "famcore"),
    Watcher("famcore-consumer", ours.consumer, "famcore", "famcore"),
    Watcher("watchdog", peers.watchdog, "watchdog", "watchdog.observers"),
    Watcher("watchfiles", peers.watchfiles, "watchfiles", "watchfiles"),
    Watcher("pyinotify", peers.pyinotify, "pyinotify", "pyinotify"),
    Watcher("asyncinotify", peers.asyncinotify, "asyncinotify", "asyncinotify"),
    Watcher("inotify_simple", peers.inotify_simple, "inotify_simple", "inotify_simple"),
    Watcher("c-reader", c_reader.watch),
)
_FAKES = [Watcher(name, watch, is_fake=True) for name, watch in fakes.FAKES.items()]

#: The first is what the others are compared with.
WATCHERS = {watcher.name: watcher for watcher in (*_REAL, *_FAKES)}
