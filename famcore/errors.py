"""Every error that famcore raises of its own accord.

::

    FamError
    ├── BackendNotFound       no backend of that name is installed
    ├── BackendUnavailable    installed, but this machine lacks what it needs
    ├── NoBackend             none that is installed can be used
    ├── BackendLost           the source of events went away while in use
    ├── WatchLimitReached     a limit of the system is met (also an OSError)
    └── PluginError           a plugin breaks the contract: its hooks, its class, its name

What the system refuses (a missing directory, a denied permission) stays the `OSError` that it
is, with `filename` set.
"""

from __future__ import annotations

import errno


class FamError(Exception):
    """The root of the tree above."""


class BackendNotFound(FamError):
    """No backend of the name asked for is installed."""


class BackendUnavailable(FamError):
    """A backend that is installed can't work here: `reason` says why, `hint` what would help."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(f"{reason}; {hint}" if hint else reason)
        #: Why, in the backend's words.
        self.reason = reason
        #: What would help; "" if nothing is known.
        self.hint = hint


class NoBackend(FamError):
    """No backend can be used; the message lists each one found and why not."""


class BackendLost(FamError):
    """A backend's source is gone (its server died, its descriptor closed)."""


class WatchLimitReached(FamError, OSError):
    """The system grants no further watch."""

    def __init__(
        self,
        path: str,
        limit: str,
        value: int | None,
        remedy: str,
        *,
        code: int = errno.ENOSPC,
    ) -> None:
        said = f"{limit} is reached" if value is None else f"{limit} = {value} is reached"
        OSError.__init__(self, code, f"{said}; {remedy}", path)
        #: What was to be watched.
        self.path = path
        #: The limit as the system calls it: `fs.inotify.max_user_watches`.
        self.limit = limit
        #: What it is set to; None if that can't be read.
        self.value = value
        #: The command that raises it.
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.path}: {self.strerror}"


class PluginError(FamError):
    """A plugin does not keep to its contract; the message names plugin, place and correction."""
