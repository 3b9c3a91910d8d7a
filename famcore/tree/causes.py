"""Errors in words: why something can't be covered, and what would help."""

from __future__ import annotations

import errno
import os
from typing import NamedTuple

from famcore.errors import BackendLost, BackendUnavailable, WatchLimitReached

#: What helps against what the system refuses.
_REMEDIES = {
    errno.EMFILE: "raise the limit of open files: ulimit -n, or LimitNOFILE=",
    errno.EIO: "see what the kernel says of that filesystem",
    errno.ENAMETOOLONG: "shorten its name, or those above it",
    errno.ENOTCONN: "mount that filesystem again",
    errno.ESTALE: "mount that filesystem again",
}

#: All that was watched by a backend which is lost shares this.
LOST = "a lost backend"


class Cause(NamedTuple):
    """Why a path is not covered."""

    reason: str
    remedy: str
    #: What keeps others from being covered just as well: a limit of the system, a lost backend, a
    #: fault of a backend. "" if it is of this path alone.
    shared: str = ""


def explain(error: BaseException) -> Cause:
    """The cause that `error` tells of."""
    if isinstance(error, WatchLimitReached):
        value = "" if error.value is None else f" = {error.value}"
        return Cause(f"{error.limit}{value} is reached", error.remedy, error.limit)
    if isinstance(error, BackendUnavailable):
        return Cause(error.reason, error.hint, LOST)
    if isinstance(error, BackendLost):
        return Cause(str(error), "it is opened again as soon as that works", LOST)
    if isinstance(error, PermissionError):
        return Cause("permission denied", _grant(error.filename))
    if isinstance(error, OSError) and error.strerror:
        return Cause(error.strerror, _REMEDIES.get(error.errno or 0, ""))
    reason = f"{type(error).__name__}: {error}"
    return Cause(reason, "report it to the backend's author", reason)


def _grant(path: object) -> str:
    """Which permission is missing: to pass what is above `path`, or to read what is at it."""
    above = []
    if isinstance(path, str):
        while path != (path := os.path.dirname(path)):
            above.append(path)
    effective = os.access in os.supports_effective_ids
    for directory in reversed(above):
        if not os.access(directory, os.X_OK, effective_ids=effective):
            return f"grant search (x) permission on {directory}"
    return "grant read permission on it"
