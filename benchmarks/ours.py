"""famcore, as its two kinds of users write it."""

from __future__ import annotations

from benchmarks.told import Told


def handler(directory: str, told: Told, recursive: bool) -> None:
    """A monitor's own handler."""
    import famcore

    exists = famcore.EventCode.EXISTS

    def handle(event: famcore.Event) -> None:
        told.one(event.filename)

    def handle_apart(event: famcore.Event) -> None:
        if event.action is exists:
            told.standing(1)
        else:
            told.one(event.filename)

    with famcore.FileMonitor("inotify") as fam:
        # In a flat directory nothing stands that is asked for.
        fam.add_monitor(directory, handle_apart if recursive else handle, recursive=recursive)
        fam.run()


def consumer(directory: str, told: Told, recursive: bool) -> None:
    """A consumer, given batches."""
    import famcore

    exists = famcore.EventCode.EXISTS

    class Flat:
        @famcore.hookimpl
        def fam_events(self, events: list[famcore.Event]) -> None:
            told.many([event.filename for event in events])

    class Apart:
        @famcore.hookimpl
        def fam_events(self, events: list[famcore.Event]) -> None:
            names = [event.filename for event in events if event.action is not exists]
            told.standing(len(events) - len(names))
            told.many(names)

    with famcore.FileMonitor("inotify", consumers=[Apart() if recursive else Flat()]) as fam:
        fam.add_monitor(directory, recursive=recursive)
        fam.run()
