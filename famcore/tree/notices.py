"""What consumers are to hear that is no event of a monitor."""

from __future__ import annotations

from typing import NamedTuple


class Degraded(NamedTuple):
    """Changes of `path` are not heard."""

    path: str
    reason: str
    remedy: str


class Restored(NamedTuple):
    """Changes of `path` are heard again; or there are none, for it is gone or not monitored."""

    path: str
    is_heard: bool


class Resynced(NamedTuple):
    """The disk was compared, which `brought` so many events."""

    reason: str
    brought: int


class Failed(NamedTuple):
    """A backend raised what it may not, or is gone."""

    plugin_name: str
    error: BaseException


Notice = Degraded | Restored | Resynced | Failed
