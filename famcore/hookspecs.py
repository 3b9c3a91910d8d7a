"""The hooks that a plugin of famcore may implement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from famcore.backend import Backend
    from famcore.events import Event
    from famcore.monitor import FileMonitor

hookspec = pluggy.HookspecMarker("famcore")
#: Marks a function as the implementation of the hook of its name.
hookimpl = pluggy.HookimplMarker("famcore")


@hookspec(firstresult=True)
def fam_backend() -> type[Backend]:  # type: ignore[empty-body]
    """Return the `Backend` class of this plugin. Asked once, when the plugin is looked at."""


@hookspec
def fam_started(fam: FileMonitor) -> None:
    """`fam` has opened its backend. A consumer may add monitors here."""


@hookspec
def fam_stopped(fam: FileMonitor) -> None:
    """`fam` was shut down: no event follows."""


@hookspec
def fam_monitor_added(fam: FileMonitor, request_id: int, path: str, recursive: bool) -> None:
    """A monitor was set on `path`."""


@hookspec
def fam_monitor_removed(fam: FileMonitor, request_id: int, path: str) -> None:
    """A monitor was removed: no event of it follows."""


@hookspec
def fam_events(fam: FileMonitor, events: Sequence[Event]) -> None:
    """A batch of events, in order. All consumers share it: don't change it, or the events."""


@hookspec(firstresult=True)
def fam_ignore(path: str, is_directory: bool) -> bool | None:
    """Whether to ignore `path`; None leaves it to others. The first answer counts and is kept.

    Asked before a watch is spent on it, in the middle of reading: events wait for the answer, and
    monitors added or removed meanwhile are set after it.
    """


@hookspec
def fam_degraded(fam: FileMonitor, path: str, reason: str) -> None:
    """Changes of `path` are not heard from now on; `fam.coverage()` has the remedy."""


@hookspec
def fam_restored(fam: FileMonitor, path: str) -> None:
    """Changes of `path` are heard again; what was missed has been told.

    Or there are none to be heard: it has gone, or is not monitored any more.
    """


@hookspec
def fam_resynced(fam: FileMonitor, reason: str, count: int) -> None:
    """Something was missed; it was looked for on disk and told by `count` events."""


@hookspec
def fam_error(fam: FileMonitor, plugin_name: str, error: BaseException) -> None:
    """A handler, a consumer or a backend failed with `error`; the others were not affected."""
