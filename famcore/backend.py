"""All that the author of a backend needs: the class to write and what it says.

A backend watches directories and files for the core and says what happens to them. It knows
nothing of monitors, recursion, ignore patterns or queues: those are the core's.

    import famcore
    from famcore.backend import Backend, Capability, Change, Interest, Kind

    class KqueueBackend(Backend):
        name = "kqueue"
        api = 1
        priority = 70
        capabilities = Capability.LIVE | Capability.EXACT
        ...

    @famcore.hookimpl
    def fam_backend():
        return KqueueBackend

The distribution names that module under the entry point group `famcore.backends`.
"""

from __future__ import annotations

import abc
import enum
from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar, NamedTuple

from famcore.errors import BackendLost, BackendUnavailable, WatchLimitReached

__all__ = [
    "API",
    "Backend",
    "BackendLost",
    "BackendUnavailable",
    "Capability",
    "Change",
    "Interest",
    "Kind",
    "Limit",
    "Spent",
    "WatchLimitReached",
]

#: The number of this contract. A backend states in `api`, as a literal, the one it was written for.
API = 1


class Capability(enum.Flag):
    """What a backend can do; the core makes up for what is missing."""

    #: It goes on telling. A backend that is not live is used only when asked for by name.
    LIVE = enum.auto()
    #: A watch on a directory tells of the content and the attributes of what is in it, by name or
    #: by RESCAN. Without, the core watches each entry of a monitored directory as well.
    CONTENTS = enum.auto()
    #: The two halves of a rename carry the same cookie.
    MOVES = enum.auto()
    #: It never loses a change without saying RESCAN. Who compares two looks says RESCAN of each
    #: directory whose ctime moved, or is too fresh to tell, also where the names are the same: the
    #: core may know one that came and went between them.
    EXACT = enum.auto()
    #: It tells every change by name, those that are undone at once too.
    EACH = enum.auto()


class Interest(enum.IntFlag):
    """How much of a watch the core needs to hear. To tell more than asked is allowed."""

    #: The watched thing goes.
    SELF = 1
    #: Names come and go in it.
    ENTRIES = 3
    #: Contents and attributes change too.
    ALL = 7


class Kind(enum.IntEnum):
    """What a change says."""

    #: `name` has come to be in the watched directory (made, linked, renamed in).
    CREATED = 1
    #: The content or the attributes of `name` changed; of the watched thing itself if it is "".
    CHANGED = 2
    #: `name` is no longer in the watched directory (removed, renamed out).
    DELETED = 3
    #: The watched thing is no longer at its path, or the watch ended. The key is released.
    GONE = 4
    #: Something in this watch changed and can't be named: the core compares names and, for those
    #: that have `Capability.CONTENTS`, contents. If `key` is None: anywhere; or, with an absolute
    #: path for a `name`, at that path or below.
    RESCAN = 5


class Change(NamedTuple):
    """One fact about one watch. `Backend.read` may as well give plain tuples of these five."""

    #: What happened.
    kind: Kind
    #: What `Backend.watch` returned; None only with `Kind.RESCAN`.
    key: Hashable
    #: An entry of the watched directory, as `os.fsdecode` gives it; "" for the watched thing; a
    #: path for RESCAN of what is not watched as such.
    name: str = ""
    #: Of the entry itself (of a link: False); None if unknown.
    is_directory: bool | None = None
    #: Not 0 and the same in both halves of a rename, if the backend has `Capability.MOVES`.
    cookie: int = 0


class Spent(enum.StrEnum):
    """What takes one of a limited number."""

    #: Each thing that is watched.
    WATCH = enum.auto()
    #: Each open backend: there is one to a started `FileMonitor`.
    BACKEND = enum.auto()
    #: Each change that waits to be read.
    CHANGE = enum.auto()


class Limit(NamedTuple):
    """A limit of the system under which a backend works, as `Backend.limits` tells it."""

    #: As the system calls it: `fs.inotify.max_user_watches`.
    name: str
    spent: Spent
    #: How many there may be.
    value: int
    #: How many there are, of everybody's who shares the limit; None if that can't be told.
    used: int | None
    #: The command that raises it, with `{value}` where the number belongs.
    remedy: str
    #: What could not be seen, if `used` may be too low.
    unseen: str = ""


class Backend(abc.ABC):
    """One source of changes. The core calls one method at a time, from whatever thread.

    `check` is asked first; then an instance is made, which opens the source, and `close` ends it.
    """

    #: As the entry point is called: short, lower case.
    name: ClassVar[str]
    #: The number of the contract that the class was written for: a literal, not `API`.
    api: ClassVar[int]
    #: 0 to 9 not live, 10 to 39 polling or deprecated, 40 to 69 daemons, 70 to 99 the kernel.
    priority: ClassVar[int]
    #: What the core need not make up for.
    capabilities: ClassVar[Capability]
    #: Seconds until a change is told. No more than it takes: what was written so little before a
    #: RESCAN is told again.
    latency: ClassVar[float] = 0.0
    #: Seconds between two calls of `read`, for a live backend whose `fileno` is None.
    interval: ClassVar[float] = 1.0

    @classmethod
    @abc.abstractmethod
    def check(cls) -> None:
        """Raise `BackendUnavailable(reason, hint)` unless an instance could work on this machine.

        Cheap and without side effects: it is called to list backends too.
        """

    @classmethod
    def about(cls) -> str:
        """What it works by, which library or server: for the list of backends, once `check` passed.

        "" if there is no more to say than its name.
        """
        return ""

    @classmethod
    def limits(cls) -> Sequence[Limit]:
        """The limits that it works under, for `fam doctor`, once `check` passed.

        It may take a second to count. What can't be told is left out.
        """
        return ()

    @abc.abstractmethod
    def __init__(self) -> None:
        """Open the source: descriptors close-on-exec, reads that don't block.

        What it raises (`OSError`, `BackendUnavailable`) keeps it from starting: nothing may be left
        open then.
        """

    @abc.abstractmethod
    def watch(self, path: str, interest: Interest = Interest.ALL) -> Hashable:
        """Watch the directory or regular file at `path`; return the key its changes will carry.

        `path` is absolute and its last component is never a link. The same thing watched again,
        by this path or another, may return the key that is out already; `interest` then replaces
        the earlier one. A key that ended is never used again.

        Raises the system's `OSError`, for a limit `WatchLimitReached`.
        """

    @abc.abstractmethod
    def unwatch(self, key: Hashable) -> None:
        """End a watch; harmless if it has ended already."""

    @abc.abstractmethod
    def fileno(self) -> int | None:
        """The descriptor that is readable when `read` has something; None to be polled."""

    @abc.abstractmethod
    def read(self) -> Iterable[Change]:
        """What is there now, oldest first, a bounded number; never waits.

        Raises `BackendLost` when the source is gone.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Release everything; a second time does nothing."""
