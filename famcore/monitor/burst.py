"""When to let events gather: in a burst, to read whenever there is one is to read one at a time."""

from __future__ import annotations

import time

from famcore.events import BATCH

#: A burst is told by its rate: so many small batches in a row, each done this soon (seconds) after
#: the last. The pause that is then made before the next goes on for as long as events gather in it.
_CALLS = 3
_SOON = 0.001
_PAUSE = 0.002


class Burst:
    """Counts batches by their size and the time between them."""

    def __init__(self) -> None:
        #: How many batches in a row were small and soon after the last, which was done then.
        self._quick = 0
        self._done_at = 0.0
        #: How many events the next must have for the burst to go on.
        self._fewest = 1

    def pause(self) -> float:
        """Seconds to wait before the next batch; `resume` is to be called after them."""
        return _PAUSE if self._quick >= _CALLS else 0.0

    def resume(self) -> None:
        """The pause is over: a batch that is done soon now has gathered in it."""
        self._fewest = 1 + round(_PAUSE / _SOON)
        self._done_at = time.monotonic()

    def done(self, count: int) -> None:
        """A batch of so many events has been delivered."""
        now = time.monotonic()
        is_soon = now - self._done_at < _SOON
        is_quick = is_soon and self._fewest <= count < BATCH
        self._quick = self._quick + 1 if is_quick else 0
        self._done_at = now
        self._fewest = 1
