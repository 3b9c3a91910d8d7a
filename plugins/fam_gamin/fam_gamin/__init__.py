"""The `gamin` backend of famcore: file activity as gam_server tells it, a server of its own."""

from __future__ import annotations

import ctypes

import famcore
from fam_client import GamServed, find_server, load

__all__ = ["GaminBackend"]

_LIBRARY = "libgamin-1.so.0"


class GaminBackend(GamServed):
    """gamin, the successor of FAM: directories by inotify, told a second later, by a server.

    Needs libgamin and gam_server (Debian: the package gamin). A server of its own is started for
    each instance, and ended with it; it holds one of the user's inotify instances, and one inotify
    watch for each directory.

    Tells no change that was undone at once, no renames as such. What it loses in a burst, or beyond
    the kernel's limit of watches, the core finds by looking at the disk: where there were changes
    once they have come to rest, and each directory once in `audit` seconds. Refuses paths of more
    than 4,080 bytes. Source: the documentation of gamin.
    """

    name = "gamin"
    api = 1
    priority = 50

    @classmethod
    def library(cls) -> ctypes.CDLL:
        return load(_LIBRARY, "apt install gamin")

    @classmethod
    def about(cls) -> str:
        return f"{_LIBRARY}, {find_server()}"


@famcore.hookimpl
def fam_backend() -> type[GaminBackend]:
    """The hook by which famcore finds the class."""
    return GaminBackend
