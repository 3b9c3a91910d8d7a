"""The `inotify` backend of famcore: Linux' own file events, by pyinotify's binding."""

from __future__ import annotations

import famcore
from fam_inotify.backend import InotifyBackend

__all__ = ["InotifyBackend"]


@famcore.hookimpl
def fam_backend() -> type[InotifyBackend]:
    """The hook by which famcore finds the class."""
    return InotifyBackend
