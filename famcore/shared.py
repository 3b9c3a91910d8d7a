"""The one `FileMonitor` of a process, and those that could be had, as Bcfg2 asks for them."""

from __future__ import annotations

import threading

from famcore.monitor import FileMonitor

_fam: FileMonitor | None = None
_lock = threading.Lock()


def get_fam() -> FileMonitor:
    """The `FileMonitor` of this process, made at the first call."""
    global _fam
    with _lock:
        if _fam is None:
            _fam = FileMonitor()
        return _fam


def set_fam(fam: FileMonitor) -> None:
    """Have `get_fam` return `fam` from now on."""
    global _fam
    _fam = fam


def find_available() -> dict[str, type[FileMonitor]]:
    """Each usable backend's name → a `FileMonitor` subclass bound to it.

    `default` is the best live one, absent if there is none.
    """
    from famcore.catalog import Status, find_backends

    usable = [found for found in find_backends() if found.status is Status.USABLE]
    table = {found.name: _bound_to(found.name) for found in usable}
    for found in usable:
        if found.live:
            table.setdefault("default", table[found.name])
    return table


def _bound_to(backend: str) -> type[FileMonitor]:
    return type(backend.capitalize(), (FileMonitor,), {"bound_to": backend})
