"""How many events were printed, of which codes, and how fast."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from famcore.events import Event, EventCode


class Stats:
    """Counts what is printed, from when it is made."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._counts: Counter[EventCode] = Counter()

    def add(self, events: Sequence[Event]) -> None:
        """Count a batch."""
        self._counts.update([event.action for event in events])

    def lines(self) -> list[str]:
        """What they come to."""
        seconds = time.monotonic() - self._began
        total = self._counts.total()
        rate = total / seconds if seconds else 0.0
        of_codes = [f"{code} {self._counts[code]:,}" for code in EventCode if self._counts[code]]
        said = f"{total:,} events in {seconds:.1f} s, {rate:,.1f} a second"
        return [f"{said}: {', '.join(of_codes)}" if of_codes else said]
