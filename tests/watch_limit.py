"""The kernel's limits of inotify watches and instances, set in a user namespace of one's own."""

from __future__ import annotations

import functools
import os
import subprocess
from pathlib import Path

#: What makes a program root of a user namespace of its own.
NAMESPACE = ("unshare", "--map-root-user")
WATCHES = Path("/proc/sys/user/max_inotify_watches")
INSTANCES = Path("/proc/sys/user/max_inotify_instances")
#: What a user namespace begins with: no limit of its own.
NONE = 2**31 - 1


@functools.cache
def why_not():
    """What keeps the limits from being set in a namespace; None: nothing."""
    try:
        done = subprocess.run(
            [*NAMESPACE, "sh", "-c", f"echo 10 >{WATCHES}"],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return "unshare is not installed"
    return f"no user namespaces here: {done.stderr.strip()}" if done.returncode else None


def is_own():
    """Whether the namespace is one's own: the limits of the first one are everybody's."""
    # The first one, and no other, maps all there are.
    return Path("/proc/self/uid_map").read_text().split() != ["0", "0", str(2**32 - 1)]


def set_limit(value, which=WATCHES):
    """From now on no more than that many are granted; those that are there stay."""
    assert is_own()
    which.write_text(str(value))


def held():
    """How many watches this process has."""
    count = 0
    for name in os.listdir("/proc/self/fdinfo"):
        try:
            lines = Path("/proc/self/fdinfo", name).read_text().splitlines()
        except FileNotFoundError:  # that of the listing
            continue
        count += sum(line.startswith("inotify wd:") for line in lines)
    return count
