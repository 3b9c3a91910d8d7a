"""The watchers that are measured, each as its users would write it.

A watcher is given a directory, which is flat, and gives each event's name to `Told` as it is
spelled in the event, until its process is ended. It imports what it needs by itself, so that no
watcher carries another's modules.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks import fakes
from benchmarks.told import Told


class Watcher(NamedTuple):
    """Something that tells what happens in a directory."""

    name: str
    watch: Callable[[str, Told], None]
    #: Of which it is a part; None for a fake, which is measured only by name.
    distribution: str | None


def _famcore_handler(directory: str, told: Told) -> None:
    import famcore

    def handle(event: famcore.Event) -> None:
        told.one(event.filename)

    with famcore.FileMonitor("inotify") as fam:
        fam.add_monitor(directory, handle)
        fam.run()


def _famcore_consumer(directory: str, told: Told) -> None:
    import famcore

    class Consumer:
        @famcore.hookimpl
        def fam_events(self, events: list[famcore.Event]) -> None:
            told.many([event.filename for event in events])

    with famcore.FileMonitor("inotify", consumers=[Consumer()]) as fam:
        fam.add_monitor(directory)
        fam.run()


def _watchdog(directory: str, told: Told) -> None:
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers import Observer

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: Any) -> None:
            told.one(event.src_path)

    observer = Observer()
    observer.schedule(Handler(), directory, recursive=False)
    observer.start()
    threading.Event().wait()


def _watchfiles(directory: str, told: Told) -> None:
    from watchfiles import watch

    # Its default filter would cost it half as much again.
    for changes in watch(directory, watch_filter=None, recursive=False):
        told.many([path for _, path in changes])


def _inotify_simple(directory: str, told: Told) -> None:
    from inotify_simple import INotify, flags

    inotify = INotify()
    inotify.add_watch(
        directory,
        flags.CREATE
        | flags.MODIFY
        | flags.ATTRIB
        | flags.DELETE
        | flags.MOVED_FROM
        | flags.MOVED_TO,
    )
    while True:
        told.many([event.name for event in inotify.read()])


#: The first is what the others are compared with.
WATCHERS = {
    watcher.name: watcher
    for watcher in (
        Watcher("famcore", _famcore_handler, "famcore"),
        Watcher("famcore-consumer", _famcore_consumer, "famcore"),
        Watcher("watchdog", _watchdog, "watchdog"),
        Watcher("watchfiles", _watchfiles, "watchfiles"),
        Watcher("inotify_simple", _inotify_simple, "inotify_simple"),
        *(Watcher(name, watch, None) for name, watch in fakes.FAKES.items()),
    )
}
