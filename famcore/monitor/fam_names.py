"""The names of FAM's Python API, with the meaning that the Bcfg2 server relies on."""

from __future__ import annotations

import contextlib
import os
import time
from typing import Any, Protocol

from famcore.dispatch import Dispatch
from famcore.events import Event, Monitor
from famcore.ignore import compile_patterns, should_ignore


class _Base(Protocol):
    """What `FileMonitor` brings and these names are made of."""

    ignore: list[str]
    _dispatch: Dispatch

    @property
    def is_live(self) -> bool: ...
    def handle_events(self, timeout: float | None = 0.0) -> int: ...
    def pending(self) -> bool: ...
    def _add(
        self,
        path: str | bytes | os.PathLike[Any],
        handler: Any,
        *,
        recursive: bool,
        request_id: int | None,
    ) -> int: ...
    def _monitors_now(self) -> list[Monitor]: ...


class FamNames:
    """Mixed into `FileMonitor`."""

    def AddMonitor(  # noqa: N802 - FAM's name
        self: _Base,
        path: str | bytes | os.PathLike[Any],
        obj: Any,
        handleID: int | None = None,  # noqa: N803 - FAM's name
    ) -> int:
        """`add_monitor` of any object; events of one that can't be called are for `get_event`."""
        return self._add(path, obj, recursive=False, request_id=handleID)

    def handle_event_set(self: _Base, lock: Any = None) -> None:
        """Deliver until nothing is pending, holding `lock` (a context manager) meanwhile."""
        with lock if lock is not None else contextlib.nullcontext():
            while self.handle_events(0) or self.pending():
                pass

    def handle_events_in_interval(self: _Base, seconds: float) -> None:
        """Deliver until for that many seconds there was nothing to deliver."""
        quiet_at = time.monotonic() + seconds
        while (left := quiet_at - time.monotonic()) > 0:
            if self.handle_events(left):
                quiet_at = time.monotonic() + seconds
            elif not self.is_live:
                return

    def should_ignore(self: _Base, event: Event) -> bool:
        """Whether an ignore pattern matches the event's filename or the last part of it."""
        return should_ignore(compile_patterns(self.ignore), event.filename)

    def list_event_handlers(self: _Base) -> dict[str, str]:
        """`"ID PATH"` of each monitor → the name of its handler."""
        return {
            f"{monitor.request_id} {monitor.path}": _name_of(monitor.handler)
            for monitor in self._monitors_now()
        }

    def set_debug(self: _Base, flag: bool) -> bool:
        """Log each delivered event at level INFO, or don't; return the flag."""
        self._dispatch.debug = bool(flag)
        return self._dispatch.debug

    def toggle_debug(self: _Base) -> bool:
        """Switch what `set_debug` sets; return the flag."""
        self._dispatch.debug = not self._dispatch.debug
        return self._dispatch.debug


def _name_of(handler: object) -> str:
    name = getattr(handler, "name", None)
    return name if isinstance(name, str) else type(handler).__name__
