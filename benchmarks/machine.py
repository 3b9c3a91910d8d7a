"""What the figures depend on: the machine, the versions."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.watchers import Watcher

_INOTIFY = Path("/proc/sys/fs/inotify")


def describe() -> dict[str, Any]:
    """The machine, for JSON."""
    return {
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "max_queued_events": int((_INOTIFY / "max_queued_events").read_text()),
        "max_user_watches": int((_INOTIFY / "max_user_watches").read_text()),
        "load": round(os.getloadavg()[0], 2),
    }


def title(machine: dict[str, Any]) -> str:
    """The machine, for people."""
    return (
        f"{machine['kernel']}, {machine['cpus']} CPUs, load {machine['load']}, "
        f"{machine['python']}, inotify queue {machine['max_queued_events']:,}, "
        f"watches {machine['max_user_watches']:,}"
    )


def versions(watchers: Iterable[Watcher]) -> dict[str, str]:
    """Of the watchers' distributions; raises `PackageNotFoundError`."""
    distributions = {watcher.distribution for watcher in watchers}
    return {name: version(name) for name in sorted(filter(None, distributions))}
