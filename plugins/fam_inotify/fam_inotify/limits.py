"""The kernel's limits: which was met, what it is set to, and the command that raises it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable

from fam_inotify.usage import count
from famcore.backend import Limit, Spent, WatchLimitReached

_WATCHES = ("fs.inotify.max_user_watches", "user.max_inotify_watches")
_INSTANCES = ("fs.inotify.max_user_instances", "user.max_inotify_instances")
_QUEUE = ("fs.inotify.max_queued_events",)
_NO_FILE_LEFT = "the open file limit of this process"


def watch_refused(path: str, code: int) -> OSError:
    """The error for an `inotify_add_watch` of `path` that failed with errno `code`."""
    if code == errno.ENOSPC:
        return _limit(path, code, *_WATCHES)
    return OSError(code, os.strerror(code), path)


def open_refused(code: int) -> OSError:
    """The error for an `inotify_init` that failed with errno `code`.

    inotify(7): EMFILE stands for two limits, of inotify instances and of open files.
    """
    if code == errno.ENFILE:
        return _limit("inotify", code, "fs.file-max")
    if code != errno.EMFILE:
        return OSError(code, os.strerror(code), "inotify")
    try:
        os.close(os.open("/", os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        return WatchLimitReached(
            "inotify", _NO_FILE_LEFT, _file_limit(), "ulimit -n, or LimitNOFILE=", code=code
        )
    return _limit("inotify", code, *_INSTANCES)


def limits() -> list[Limit]:
    """All of them that can be read, with how much of each this user has in use."""
    used = count()
    rows = (
        (_WATCHES, Spent.WATCH, used and used.watches),
        (_INSTANCES, Spent.BACKEND, used and used.instances),
        (_QUEUE, Spent.CHANGE, None),
    )
    unseen = f"{used.unseen} of this user's processes" if used and used.unseen else ""
    found = []
    for names, spent, number in rows:
        if (lowest := _lowest(names)) is not None:
            value, name = lowest
            remedy = f"sudo sysctl -w {name}={{value}}"
            hidden = "" if number is None else unseen
            found.append(Limit(name, spent, value, number, remedy, hidden))
    return found


def _limit(path: str, code: int, *names: str) -> WatchLimitReached:
    """The lowest of the sysctls `names` was met."""
    lowest = _lowest(names)
    if lowest is None:
        return WatchLimitReached(path, names[0], None, f"raise it: sysctl {names[0]}=…", code=code)
    value, name = lowest
    remedy = f"raise it: sysctl {name}={max(2 * value, 128)}"
    return WatchLimitReached(path, name, value, remedy, code=code)


def _lowest(names: Iterable[str]) -> tuple[int, str] | None:
    """Of the sysctls `names` the one that holds, and its value: a user namespace has its own."""
    values = [(value, name) for name in names if (value := _sysctl(name)) is not None]
    # Of equals the first named: `user.…` repeats `fs.inotify.…` outside of user namespaces.
    return min(values, key=lambda found: found[0], default=None)


def _sysctl(name: str) -> int | None:
    try:
        with open("/proc/sys/" + name.replace(".", "/"), encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def _file_limit() -> int:
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
