"""How many watches and instances a user has: the kernel gives no sum, so processes are asked."""

from __future__ import annotations

import os
from typing import NamedTuple


class Usage(NamedTuple):
    """What the processes hold that we see."""

    watches: int
    #: One that is shared by a process and its children counts for each.
    instances: int
    #: How many of this user's processes may not be looked into.
    unseen: int


def count() -> Usage | None:
    """What this user has in use, by `/proc`; None if that isn't mounted.

    Processes of other PID namespaces (other containers) are out of sight, though they may count.
    """
    watches = instances = unseen = 0
    user = os.geteuid()
    try:
        processes = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return None
    if not processes:
        return None
    for process in processes:
        try:
            if _user(process) != user:
                continue
            for descriptor in os.listdir(f"/proc/{process}/fd"):
                held = _watches(process, descriptor)
                if held is not None:
                    instances += 1
                    watches += held
        except PermissionError:
            unseen += 1
        except OSError:  # it has ended
            continue
    return Usage(watches, instances, unseen)


def _user(process: str) -> int:
    """Its effective user. The owner of its folder is root, if it may not be looked into."""
    with open(f"/proc/{process}/status", "rb") as lines:
        for line in lines:
            if line.startswith(b"Uid:"):
                return int(line.split()[2])
    return -1


def _watches(process: str, descriptor: str) -> int | None:
    """How many watches it holds by a descriptor; None if that is none of inotify's."""
    try:
        if os.readlink(f"/proc/{process}/fd/{descriptor}") != "anon_inode:inotify":
            return None
        # proc(5): a line "inotify wd:…" for each.
        with open(f"/proc/{process}/fdinfo/{descriptor}", "rb") as lines:
            return sum(line.startswith(b"inotify ") for line in lines)
    except FileNotFoundError:  # closed meanwhile
        return None
