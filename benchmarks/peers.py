"""The other watchers, each as its users would write it, asked for what famcore tells."""

from __future__ import annotations

import threading
from typing import Any

from benchmarks.told import Told


def watchdog(directory: str, told: Told, recursive: bool) -> None:
    from watchdog.events import FileSystemEventHandler
    from watchdog.observers import Observer

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: Any) -> None:
            told.one(event.src_path)

    observer = Observer()
    observer.schedule(Handler(), directory, recursive=recursive)
    observer.start()
    threading.Event().wait()


def watchfiles(directory: str, told: Told, recursive: bool) -> None:
    """With its defaults it gathers changes in steps of 50 ms, for at most 1.6 s."""
    from watchfiles import watch

    # Its default filter would cost it half as much again.
    for changes in watch(directory, watch_filter=None, recursive=recursive):
        told.many([path for _, path in changes])


def pyinotify(directory: str, told: Told, recursive: bool) -> None:
    import pyinotify as pyi

    class Handler(pyi.ProcessEvent):  # type: ignore[misc]
        def process_default(self, event: Any) -> None:
            told.one(event.pathname)

    manager = pyi.WatchManager()
    notifier = pyi.Notifier(manager, Handler())
    entries = pyi.IN_CREATE | pyi.IN_DELETE | pyi.IN_MOVED_FROM | pyi.IN_MOVED_TO
    mask = entries | pyi.IN_MODIFY | pyi.IN_ATTRIB
    manager.add_watch(directory, mask, rec=recursive, auto_add=recursive)
    notifier.loop()


def asyncinotify(directory: str, told: Told, recursive: bool) -> None:
    import asyncio
    from pathlib import Path

    from asyncinotify import Inotify, Mask, RecursiveInotify

    mask = Mask.CREATE | Mask.MODIFY | Mask.ATTRIB | Mask.DELETE | Mask.MOVE

    async def main() -> None:
        with RecursiveInotify() if recursive else Inotify() as inotify:
            if recursive:
                inotify.add_recursive_watch(Path(directory), mask)
            else:
                inotify.add_watch(directory, mask)
            async for event in inotify:
                told.one(str(event.path))

    asyncio.run(main())


def inotify_simple(directory: str, told: Told, recursive: bool) -> None:
    """It decodes what the kernel says; a tree is its user's affair."""
    import os

    from inotify_simple import INotify, flags

    entries = flags.CREATE | flags.DELETE | flags.MOVED_FROM | flags.MOVED_TO
    mask = entries | flags.MODIFY | flags.ATTRIB
    inotify = INotify()
    if not recursive:
        inotify.add_watch(directory, mask)
        while True:
            told.many([event.name for event in inotify.read()])
    paths = {inotify.add_watch(path, mask): path for path, _, _ in os.walk(directory)}
    while True:
        events = inotify.read()
        told.many([f"{paths.get(event.wd)}/{event.name}" for event in events])
        for event in events:
            if event.mask & flags.ISDIR and event.mask & (flags.CREATE | flags.MOVED_TO):
                path = f"{paths[event.wd]}/{event.name}"
                paths[inotify.add_watch(path, mask)] = path
