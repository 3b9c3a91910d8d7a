"""inotify's three system calls and its constants, as pyinotify binds them.

pyinotify's notifier is not used: it costs 10 µs an event and stops at a name that is not UTF-8.
"""

from __future__ import annotations

import fcntl
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

from fam_inotify.limits import open_refused, watch_refused
from famcore.backend import BackendUnavailable

if TYPE_CHECKING:
    from types import ModuleType


#: How names are encoded: `os.fsencode` looks for it anew each time, which costs as much again.
ENCODING, ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()


def pyinotify() -> ModuleType:
    """pyinotify, or `BackendUnavailable` with what keeps it from being imported."""
    if not sys.platform.startswith("linux"):
        raise BackendUnavailable("inotify is Linux' own", "install the backend of this system")
    try:
        with warnings.catch_warnings():
            # pyinotify imports asyncore, which Python 3.11 deprecates.
            warnings.filterwarnings("ignore", message=".*asyncore", category=DeprecationWarning)
            import pyinotify as module
    except ImportError as error:
        raise BackendUnavailable(
            f"pyinotify can't be imported: {error}", "pip install pyinotify pyasyncore"
        ) from error
    return module  # type: ignore[no-any-return]


class Inotify:
    """One inotify instance; a failing call raises `OSError` or `WatchLimitReached`."""

    def __init__(self) -> None:
        wrapper = pyinotify().INotifyWrapper.create()
        if wrapper is None:
            raise BackendUnavailable("the C library has no inotify calls", "use another backend")
        self._wrapper: Any = wrapper
        #: The raw call takes any bytes; the wrapper's own encodes strictly.
        self._add = wrapper._libc.inotify_add_watch
        #: −1 once closed.
        self.descriptor: int = wrapper.inotify_init()
        if self.descriptor < 0:
            raise open_refused(wrapper.get_errno())
        # inotify_init has no flags: both are set here.
        os.set_inheritable(self.descriptor, False)
        fcntl.fcntl(self.descriptor, fcntl.F_SETFL, os.O_NONBLOCK)

    def add_watch(self, path: str, mask: int) -> int:
        """The watch descriptor for `path`, the one that is out if it is watched already."""
        watch: int = self._add(self.descriptor, path.encode(ENCODING, ERRORS), mask)
        if watch < 0:
            raise watch_refused(path, self._wrapper.get_errno())
        return watch

    def rm_watch(self, watch: int) -> None:
        """End a watch; one that has ended already is left at that."""
        self._wrapper.inotify_rm_watch(self.descriptor, watch)

    def close(self) -> None:
        """Close the descriptor and with it all watches."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
