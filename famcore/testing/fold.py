"""The fold: the names that a monitor's events leave standing are the names on disk."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Iterator, Mapping

from famcore.events import Event, EventCode

#: Name relative to the monitor, "" for the monitored path → is it a directory; None: unknown.
Names = Mapping[str, bool | None]


class Fold:
    """The names left standing by the events of one monitor, and what was wrong with these."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.standing: dict[str, bool | None] = {}
        #: One sentence for each event that can't be.
        self.breaches: list[str] = []
        self._set = False

    def add(self, event: Event) -> None:
        """Take in the next event."""
        name = self._name(event)
        known = name in self.standing
        match event.action:
            case EventCode.EXISTS if self._set:
                self._breach(event, "endExist has been told")
            case EventCode.EXISTS | EventCode.CREATED if known:
                self._breach(event, "it stands already")
            case EventCode.DELETED | EventCode.CHANGED if not known:
                self._breach(event, "nothing of that name stands")
            case EventCode.END_EXIST if self._set or name:
                self._breach(event, "it comes once, for the monitored path")
        if event.action is not EventCode.EXISTS and not self._set:
            if event.action is not EventCode.END_EXIST:
                self._breach(event, "endExist has not been told")
            self._set = True
        if event.action in (EventCode.EXISTS, EventCode.CREATED):
            self.standing[name] = event.is_directory
        elif event.action is EventCode.DELETED:
            self.standing.pop(name, None)

    def _name(self, event: Event) -> str:
        if event.filename == self._path:
            name, path = "", self._path
        else:
            name, path = event.filename, f"{self._path.rstrip('/')}/{event.filename}"
        if name.startswith("/"):
            self._breach(event, f"neither {self._path!r} nor relative to it")
        elif event.path != path:
            self._breach(event, f"its path is {event.path!r}")
        return name

    def _breach(self, event: Event, reason: str) -> None:
        self.breaches.append(f"{event.action} {event.filename!r} can't be: {reason}")

    def differences(self, on_disk: Names) -> Iterator[str]:
        """One sentence for each name by which what stands is not what is on disk."""
        for name in sorted({*self.standing, *on_disk}):
            said = repr(name) if name else "the monitored path"
            if name not in on_disk:
                yield f"{said} stands by the events and is not on disk"
            elif name not in self.standing:
                yield f"{said} is on disk and does not stand by the events"
            elif self.standing[name] not in (None, on_disk[name]):
                yield f"{said} was told with is_directory = {self.standing[name]}"


def names_on_disk(path: str, ignore: Iterable[str], *, recursive: bool = False) -> Names:
    """The names that the events of a monitor on `path` are to leave standing."""
    if not os.path.exists(path):
        return {}
    names: dict[str, bool | None] = {"": os.path.isdir(path)}
    todo = [(path, "")] if names[""] else []
    patterns = list(ignore)
    while todo:
        directory, prefix = todo.pop()
        for entry in os.scandir(directory):
            name = prefix + entry.name
            if any(fnmatch.fnmatchcase(each, p) for each in (name, entry.name) for p in patterns):
                continue
            names[name] = entry.is_dir(follow_symlinks=False)
            if recursive and names[name]:
                todo.append((entry.path, name + "/"))
    return names
