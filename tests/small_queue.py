"""Another limit of unread events in the kernel, for what is started meanwhile."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

#: Read whenever an inotify instance is made.
LIMIT = Path("/proc/sys/fs/inotify/max_queued_events")


def why_not():
    """What keeps the limit from being set; None: nothing."""
    return None if os.access(LIMIT, os.W_OK) else f"only root may write {LIMIT}"


@contextlib.contextmanager
def queue_of(limit):
    """What is started within has room for that many unread events."""
    with LIMIT.open() as file:
        # Somebody else's limit must not be taken for the one to restore.
        fcntl.flock(file, fcntl.LOCK_EX)
        before = file.read()
        try:
            LIMIT.write_text(str(limit))
            yield
        finally:
            LIMIT.write_text(before)
