"""The monitors that a command sets for its PATHs, from being asked for to being ready."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from famcore.cli.progress import Progress
from famcore.cli.say import say
from famcore.events import Event, EventCode
from famcore.hookspecs import hookimpl
from famcore.monitor import FileMonitor
from famcore.monitor.requests import absolute_path

#: Paths named in the ready line; of more only the number is told.
NAMED = 3


class Asked(NamedTuple):
    """What is to be monitored, and how."""

    paths: tuple[str, ...]
    recursive: bool
    #: The backend's name; None for the best one.
    backend: str | None
    ignore: tuple[str, ...]
    #: Names of consumer plugins with their options.
    consumers: tuple[tuple[str, dict[str, str]], ...]
    #: Whether it is the end when something of it is not covered.
    strict: bool


class Monitors:
    """Sets the monitors asked for, and is a consumer that keeps account of them.

    Serves one `FileMonitor`, once.
    """

    def __init__(self, asked: Asked, progress: Progress) -> None:
        self._asked = asked
        self._progress = progress
        #: The full path of each monitor set here by its request ID.
        self.paths: dict[int, str] = {}
        #: Whether something is not covered that is asked for under `--strict`.
        self.is_lost = False
        self._adding = False
        #: Those whose `endExist` is still to come.
        self._awaited: set[int] = set()
        #: Those of the paths that were not there.
        self._missing: list[str] = []

    def set(self, fam: FileMonitor) -> None:
        """Set them all on `fam`, which is started. Raises `OSError`, which names the path given."""
        self._adding = True
        for path in self._asked.paths:
            try:
                fam.add_monitor(path, recursive=self._asked.recursive)
            except OSError as error:
                # The system names the directory that it would be in.
                if error.filename != absolute_path(path):
                    error.filename = f"{path} can't be monitored: {error.filename}"
                raise
        self._adding = False

    @property
    def is_ready(self) -> bool:
        """Whether all that exists has been told."""
        return not self._awaited

    @hookimpl
    def fam_monitor_added(self, request_id: int, path: str) -> None:
        """Note a monitor, unless it is another consumer's."""
        if self._adding:
            self.paths[request_id] = path
            self._awaited.add(request_id)

    @hookimpl
    def fam_degraded(self, path: str, reason: str) -> None:
        """Note that something is not covered; the log says what."""
        if self._asked.strict and not self.is_lost:
            self.is_lost = True
            say(f"{path} is not covered (--strict): {reason}")

    def look_for_ready(self, fam: FileMonitor, events: Sequence[Event]) -> bool:
        """Look for each `endExist`, until all have been there; say so and return True then."""
        if self.is_ready:
            return False
        self._progress.add(len(events))
        for event in events:
            if event.action is EventCode.END_EXIST and event.request_id in self._awaited:
                self._awaited.remove(event.request_id)
                if event.is_directory is None:
                    self._missing.append(event.path)
        if self.is_ready:
            self._progress.end()
            paths = list(self.paths.values())
            what = ", ".join(paths) if len(paths) <= NAMED else f"{len(paths)} paths"
            say(f"watching {what} ({fam.backend})")
            if not fam.is_live:
                say(f"{fam.backend} tells what is there, and no change")
            else:
                missing = self._missing[:NAMED]
                say(*(f"{path} is not there yet; it is waited for" for path in missing))
        return self.is_ready
