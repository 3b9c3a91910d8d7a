"""`Bcfg2.Server.FileMonitor` on famcore: all names that the Bcfg2 server uses of it.

It is put in the place of the package: `Bcfg2/Server/FileMonitor.py`.
"""

from __future__ import annotations

import functools
import logging
from typing import ClassVar

import Bcfg2.Options

import famcore
from famcore import Event

__all__ = ["Event", "FileMonitor", "Pseudo", "available", "get_available", "get_fam"]

log = logging.getLogger(__name__)

#: Bcfg2 1.4 has one set of options for all; in 1.3 they are arguments.
_HAS_SETUP = hasattr(Bcfg2.Options, "Types")


class _WithoutEnd:
    """Stands before a handler that is not told `endExist` of a file, as it never was by Bcfg2."""

    def __init__(self, handler):
        self.handler = handler

    @property
    def name(self):
        """As `list_event_handlers` calls it."""
        name = getattr(self.handler, "name", None)
        return name if isinstance(name, str) else type(self.handler).__name__

    def HandleEvent(self, event):
        """Pass `event` on, unless it is that."""
        if event.action != "endExist" or event.is_directory:
            self.handler.HandleEvent(event)


class FileMonitor(famcore.FileMonitor):
    """famcore's, with the arguments, the options and the debug switches of Bcfg2's."""

    if _HAS_SETUP:
        options = [
            Bcfg2.Options.Option(
                cf=("server", "ignore_files"),
                help="File globs to ignore",
                type=Bcfg2.Options.Types.comma_list,
                default=list(famcore.DEFAULT_IGNORE),
            )
        ]

    #: The methods that may be called over XML-RPC, and those that are called in child cores, too.
    __rmi__: ClassVar = ["toggle_debug", "set_debug", "list_event_handlers"]
    __child_rmi__: ClassVar = ["toggle_debug", "set_debug"]

    def __init__(self, ignore=None, debug=False):
        if ignore is None:
            ignore = Bcfg2.Options.setup.ignore_files if _HAS_SETUP else []
        super().__init__(ignore=ignore)
        self.set_debug(debug)

    def AddMonitor(self, path, obj, handleID=None):  # noqa: N802, N803 - FAM's names
        """As Bcfg2's. Events of an object without `HandleEvent` are for `get_event`."""
        if hasattr(obj, "HandleEvent"):
            obj = _WithoutEnd(obj)
        return super().AddMonitor(path, obj, handleID)

    @property
    def handles(self):
        """Request ID → the object given to `AddMonitor`."""
        return {
            number: obj.handler if isinstance(obj, _WithoutEnd) else obj
            for number, obj in super().handles.items()
        }

    def set_debug(self, debug):
        """Have each event logged, or not; return the flag."""
        self._debug = super().set_debug(debug)
        return self._debug

    def toggle_debug(self):
        """Switch what `set_debug` sets; return the flag."""
        return self.set_debug(not self._debug)

    @property
    def debug_flag(self):
        """What `set_debug` has set."""
        return self._debug

    @debug_flag.setter
    def debug_flag(self, debug):
        self.set_debug(debug)

    #: As bcfg2-info calls it.
    debug = debug_flag

    def debug_log(self, message, flag=None):
        """Log `message` if debugging, or `flag`, is on."""
        if self._debug if flag is None else flag:
            log.error(message)


def _find_available():
    """Each usable backend's name → a class named after it; `default` is the best."""
    of_famcore = famcore.available
    classes = {cls: type(cls.__name__, (FileMonitor, cls), {}) for cls in of_famcore.values()}
    found = {name: classes[cls] for name, cls in of_famcore.items()}
    if "pseudo" not in found:
        raise ImportError("Bcfg2 needs famcore's backend 'pseudo'; pip install fam-pseudo")
    found.setdefault("default", found["pseudo"])
    return found


available = _find_available()
Pseudo = available["pseudo"]


def get_available():
    """`available`, as later versions ask for it."""
    return available


@functools.cache
def get_fam():
    """The one `FileMonitor` of this process, of the class that the option `filemonitor` names."""
    return Bcfg2.Options.setup.filemonitor() if _HAS_SETUP else available["default"]()
