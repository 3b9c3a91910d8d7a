"""What is asked (`Monitor`), what is told (`Event`), what holds (`Coverage`)."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, NamedTuple

#: Events delivered together, about.
BATCH = 1_000


class EventCode(enum.StrEnum):
    """What happened, in FAM's words."""

    #: It was there when the monitor was set.
    EXISTS = "exists"
    #: All `exists` of the monitor have been told.
    END_EXIST = "endExist"
    #: It has come: made, linked, or renamed in.
    CREATED = "created"
    #: Its content or its attributes changed, or another was renamed over it.
    CHANGED = "changed"
    #: It has gone: removed, or renamed out.
    DELETED = "deleted"


class Coverage(NamedTuple):
    """Whether changes of `path` are heard, and if not, why and what to do about it."""

    #: A monitored path, as the caller spelled it; or a directory that is not covered.
    path: str
    #: The backend's name.
    backend: str
    #: Whether its changes are heard.
    covered: bool
    #: Why they are not; "" if they are.
    reason: str = ""
    #: What would help; "" if they are heard, or nothing is known.
    remedy: str = ""


class Monitor:
    """A request to be told about one path."""

    __slots__ = ("announced", "handle", "handler", "path", "recursive", "removed", "request_id")

    def __init__(self, request_id: int, path: str, handler: Any, *, recursive: bool) -> None:
        self.request_id = request_id
        #: Absolute and as the caller spelled it: Bcfg2 compares it with what it passed.
        self.path = path
        #: The caller's object, as given.
        self.handler = handler
        #: What is called with each event; None leaves them to consumers and `get_event`.
        self.handle: Callable[[Event], object] | None = None
        self.recursive = recursive
        #: Whether consumers have been told of it.
        self.announced = False
        self.removed = False

    def __repr__(self) -> str:
        return f"<Monitor {self.request_id} {self.path!r}>"

    def path_of(self, name: str) -> str:
        """The full path of what `name` (relative to the monitor, "" for itself) stands for."""
        if not name:
            return self.path
        return self.path + name if self.path == "/" else f"{self.path}/{name}"


class Event:
    """One fact about one monitor.

    A handler may assign to its event's attributes: `path` is not touched by that. In a boolean
    context an event is true.
    """

    __slots__ = (
        "_monitor",
        "_name",
        "action",
        "filename",
        "is_directory",
        "moved_from",
        "request_id",
    )

    #: What `FileMonitor.add_monitor` returned.
    request_id: int
    #: The full path for the monitored path itself; relative to the monitor for what is in it.
    filename: str
    #: What happened. It equals FAM's word for it: `event.action == "created"`.
    action: EventCode
    #: Of the entry itself (of a link: False), of the target for the monitored path; None: unknown.
    is_directory: bool | None
    #: What a renamed entry was called in this monitor before; None if it was not in it.
    moved_from: str | None
    _monitor: Monitor | None
    #: The entry relative to the monitor, "" for the monitored path.
    _name: str

    def __init__(self, request_id: int, filename: str, action: EventCode | str) -> None:
        self.request_id = request_id
        self.filename = filename
        self.action = EventCode(action)
        self.is_directory = None
        self.moved_from = None
        self._monitor = None
        self._name = filename

    @property
    def path(self) -> str:
        """The full path, as the monitor's path was spelled."""
        return self._name if self._monitor is None else self._monitor.path_of(self._name)

    @property
    def requestID(self) -> int:  # noqa: N802 - FAM's name
        """`request_id`, as FAM's Python API calls it."""
        return self.request_id

    def code2str(self) -> str:
        """`action` as a plain string."""
        return str(self.action)

    def __repr__(self) -> str:
        return f"<Event {self.request_id} {self.action} {self.filename!r}>"


def make_event(
    monitor: Monitor,
    name: str,
    action: EventCode,
    is_directory: bool | None,
    moved_from: str | None = None,
) -> Event:
    """The event that tells `monitor` of its entry `name`, or of itself if that is ""."""
    event = Event.__new__(Event)
    event.request_id = monitor.request_id
    event.filename = name or monitor.path
    event.action = action
    event.is_directory = is_directory
    event.moved_from = moved_from
    event._monitor = monitor
    event._name = name
    return event


def copy_event(event: Event) -> Event:
    """Another event that says the same."""
    other = Event.__new__(Event)
    other.request_id = event.request_id
    other.filename = event.filename
    other.action = event.action
    other.is_directory = event.is_directory
    other.moved_from = event.moved_from
    other._monitor = event._monitor
    other._name = event._name
    return other


def monitored_path(event: Event) -> str:
    """The path of the event's monitor, as it was spelled; "" of an event that has none."""
    return "" if event._monitor is None else event._monitor.path
