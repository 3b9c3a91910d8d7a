"""What the next runs are to be told, and when that has come to rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from famcore.cli.run.batch import Batch
from famcore.cli.settle import Patience
from famcore.events import Event

#: Monotonic seconds that have passed.
_LONG_AGO = 0.0


class Backlog:
    """Changes that no run has been told of yet. Times are monotonic seconds."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        #: What came since the last run began, and when the first and the last of it did.
        self._pending = Batch()
        self.first_at = self._last_at = _LONG_AGO
        #: What a run was told that did not come to its end.
        self._owed = Batch()
        #: What is too long for one run, in parts: these come first.
        self._parts: list[Batch] = []
        #: Whether the next run is to begin though nothing may have come.
        self._at_once = False

    @property
    def has_news(self) -> bool:
        """Whether something came since the last run began."""
        return bool(self._pending)

    @property
    def has_parts(self) -> bool:
        """Whether the last run was told a part only."""
        return bool(self._parts)

    @property
    def is_owing(self) -> bool:
        """Whether the next run is to be told what another was, and has not done."""
        return bool(self._owed)

    def add(self, events: Sequence[Event], now: float) -> None:
        """Take in changes."""
        if not self._pending:
            self.first_at = now
        self._last_at = now
        self._pending.add(events, time.time())

    def wait_no_longer(self) -> None:
        """Have the next run at once, even if there is nothing to tell."""
        self._at_once = True

    def owe(self, told: Batch) -> None:
        """Keep for the next run but for parts what another was told, and has not done."""
        self._owed.add_all(told)

    def owe_with_parts(self, told: Batch) -> None:
        """Keep for the next run a part that another was told, and the parts that are left."""
        for batch in (told, *self._parts):
            self.owe(batch)
        self._parts = []

    def due_at(self) -> float | None:
        """When the next run is to begin if none is under way; None if there is none to come."""
        if self._at_once or self._parts:
            return _LONG_AGO
        return self.rests_at()

    def rests_at(self) -> float | None:
        """When what came since the last run began has come to rest; None if nothing came."""
        if not self._pending:
            return None
        return self._patience.ends(self.first_at, self._last_at)

    def take_news(self) -> Batch:
        """What came since the last run began: it is told otherwise than by a run."""
        news, self._pending = self._pending, Batch()
        return news

    def take(self, split: Callable[[Batch], list[Batch]]) -> Batch:
        """What the next run is to be told: all, or a part where `split` makes several."""
        if not self._parts:
            self._at_once = False
            whole, self._owed = self._owed, Batch()
            whole.add_all(self.take_news())
            self._parts = split(whole)
        return self._parts.pop(0)
