"""The backend that tells nothing: a monitor yields `exists` and `endExist`, then silence.

For jobs that read a tree once through the same code that a live backend would serve, and for
machines that have nothing better.
"""

from __future__ import annotations

import itertools
import os

import famcore
from famcore.backend import Backend, Capability, Change, Interest

__all__ = ["PseudoBackend"]


class PseudoBackend(Backend):
    """Looks once: a monitor yields `exists` for what is there, `endExist`, and nothing more.

    Needs nothing, and works on every system. It isn't live, so it is used only when asked for by
    name: where a tree is to be read once by code that is written for events. With it
    `FileMonitor.run` and iteration end as soon as everything is told.
    """

    name = "pseudo"
    api = 1
    priority = 1
    capabilities = Capability(0)

    @classmethod
    def check(cls) -> None:
        """It works everywhere."""

    def __init__(self) -> None:
        self._keys = itertools.count(1)

    def watch(self, path: str, interest: Interest = Interest.ALL) -> int:
        """Return a new key, if `path` is there at all; else raise the system's `OSError`."""
        os.lstat(path)
        return next(self._keys)

    def unwatch(self, key: object) -> None:
        """Nothing is held."""

    def fileno(self) -> None:
        """There is nothing to wait for."""

    def read(self) -> tuple[Change, ...]:
        """Nothing, ever."""
        return ()

    def close(self) -> None:
        """Nothing is held."""


@famcore.hookimpl
def fam_backend() -> type[Backend]:
    """Return the backend of this plugin."""
    return PseudoBackend
