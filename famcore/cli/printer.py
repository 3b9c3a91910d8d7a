"""What is shown of events: on stdout, and counted."""

from __future__ import annotations

import time
from collections.abc import Sequence

from famcore.cli.lines import Lines, Told
from famcore.cli.monitors import Monitors
from famcore.cli.output import write
from famcore.cli.stats import Stats
from famcore.events import Event
from famcore.monitor import FileMonitor


class Printer:
    """Prints batches of events."""

    def __init__(self, lines: Lines, monitors: Monitors, stats: Stats | None) -> None:
        self._lines = lines
        self._monitors = monitors
        self._stats = stats

    def print(self, fam: FileMonitor, events: Sequence[Event]) -> None:
        """Print a batch by one write. Raises the system's `OSError` as `write` does."""
        told = Told(str(fam.backend), time.time(), self._monitors.paths)
        write(self._lines(events, told))
        if self._stats is not None:
            self._stats.add(events)
