"""Events held back until their file has come to rest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from famcore.events import Event, EventCode

#: How many times as long as for quiet is waited at the longest, if nothing else is asked for.
LONGEST = 10.0


class Patience(NamedTuple):
    """How long to wait for quiet, in seconds."""

    #: So long without a change is quiet.
    quiet: float
    #: Since the first change: then it has been waited long enough, quiet or not.
    longest: float

    def ends(self, first: float, last: float) -> float:
        """When the wait is over that began with the change at `first`; the last was at `last`."""
        return min(last + self.quiet, first + self.longest)


class Settle:
    """Holds back `created` and `changed` of files until the file has been quiet.

    What comes while one is held adds nothing but time; a `deleted` is told at once, instead of it,
    or not at all where the `created` was held. Directories are not held, so that they come before
    what is in them. The names that stand by what is told are those that stand by what came, less
    those of files that are not at rest.
    """

    def __init__(self, codes: frozenset[EventCode], patience: Patience | None) -> None:
        """`codes`: the others are not told. `patience`: None to tell everything at once."""
        self._codes = codes
        self._holds = patience is not None
        self._quiet, self._longest = patience or (0.0, 0.0)
        #: What is held, with the time of its first change, the earliest first.
        self._held: OrderedDict[tuple[int, str], tuple[Event, float]] = OrderedDict()
        #: The same names with the time of their last change, the earliest first.
        self._last: OrderedDict[tuple[int, str], float] = OrderedDict()

    def take(self, events: Sequence[Event], now: float) -> list[Event]:
        """Take in a batch that came at `now` (monotonic seconds); return what to tell at once."""
        codes = self._codes
        if not self._holds:
            return [event for event in events if event.action in codes]
        at_once = []
        for event in events:
            code = event.action
            if code is EventCode.DELETED:
                held = self._release((event.request_id, event.filename))
                told_of = held is None or held.action is not EventCode.CREATED
                if told_of and code in codes:
                    at_once.append(event)
            elif code in codes:
                if event.is_directory or code not in (EventCode.CREATED, EventCode.CHANGED):
                    at_once.append(event)
                else:
                    self._hold(event, now)
        return at_once

    def _hold(self, event: Event, now: float) -> None:
        key = (event.request_id, event.filename)
        self._held.setdefault(key, (event, now))
        self._last[key] = now
        self._last.move_to_end(key)

    def _release(self, key: tuple[int, str]) -> Event | None:
        self._last.pop(key, None)
        held = self._held.pop(key, None)
        return None if held is None else held[0]

    def due(self, now: float) -> list[Event]:
        """What has come to rest by `now`, or was waited for long enough."""
        due = []
        while self._held:
            when, key = self._next()
            if when > now:
                break
            del self._last[key]
            due.append(self._held.pop(key)[0])
        return due

    @property
    def when(self) -> float | None:
        """When (monotonic seconds) something is due next; None if nothing is held."""
        return self._next()[0] if self._held else None

    def _next(self) -> tuple[float, tuple[int, str]]:
        """When the next one is due, and which it is; there is one."""
        quiet, last = next(iter(self._last.items()))
        oldest, (_, first) = next(iter(self._held.items()))
        return min((last + self._quiet, quiet), (first + self._longest, oldest))
