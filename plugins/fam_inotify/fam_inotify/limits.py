"""Which of the kernel's limits was met, what it is set to, and the command that raises it."""

from __future__ import annotations

import errno
import os

from famcore.backend import WatchLimitReached

_NO_FILE_LEFT = "the open file limit of this process"


def watch_refused(path: str, code: int) -> OSError:
    """The error for an `inotify_add_watch` of `path` that failed with errno `code`."""
    if code == errno.ENOSPC:
        return _limit(path, code, "fs.inotify.max_user_watches", "user.max_inotify_watches")
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
    return _limit("inotify", code, "fs.inotify.max_user_instances", "user.max_inotify_instances")


def _limit(path: str, code: int, *names: str) -> WatchLimitReached:
    """The lowest of the sysctls `names` was met: a user namespace has limits of its own."""
    values = [(value, name) for name in names if (value := _sysctl(name)) is not None]
    if not values:
        return WatchLimitReached(path, names[0], None, f"raise it: sysctl {names[0]}=…", code=code)
    # Of equals the first named: `user.…` repeats `fs.inotify.…` outside of user namespaces.
    value, name = min(values, key=lambda found: found[0])
    remedy = f"raise it: sysctl {name}={max(2 * value, 128)}"
    return WatchLimitReached(path, name, value, remedy, code=code)


def _sysctl(name: str) -> int | None:
    try:
        with open("/proc/sys/" + name.replace(".", "/"), encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def _file_limit() -> int:
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
