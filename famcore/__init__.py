"""famcore tells what happens to files, through whatever backend is installed.

    import famcore

    with famcore.FileMonitor() as fam:
        fam.add_monitor("/etc", print)
        fam.run()

`FileMonitor` has it all; `famcore.backend` is the page of who writes a backend.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from famcore.errors import (
    BackendLost,
    BackendNotFound,
    BackendUnavailable,
    FamError,
    NoBackend,
    PluginError,
    WatchLimitReached,
)
from famcore.events import Coverage, Event, EventCode
from famcore.hookspecs import hookimpl

if TYPE_CHECKING:
    from famcore.ignore import DEFAULT_IGNORE
    from famcore.monitor import FileMonitor
    from famcore.shared import get_fam, set_fam

__all__ = [
    "DEFAULT_IGNORE",
    "BackendLost",
    "BackendNotFound",
    "BackendUnavailable",
    "Coverage",
    "Event",
    "EventCode",
    "FamError",
    "FileMonitor",
    "NoBackend",
    "PluginError",
    "WatchLimitReached",
    "__version__",
    "available",
    "get_fam",
    "hookimpl",
    "set_fam",
]

#: Of famcore, as `pip` has it.
__version__ = "0.1.0"

#: Each usable backend's name → a `FileMonitor` subclass bound to it; `default` is the best live
#: one, absent if there is none. Made when asked for.
available: dict[str, type[FileMonitor]]


#: What most plugins do without, which is imported when it is asked for: name → where it is.
_LATER = {
    "DEFAULT_IGNORE": "famcore.ignore",
    "FileMonitor": "famcore.monitor",
    "get_fam": "famcore.shared",
    "set_fam": "famcore.shared",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        value = globals()[name] = getattr(import_module(_LATER[name]), name)
        return value
    if name == "available":
        from famcore.shared import find_available

        return find_available()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
