"""The changes that one run of the command is told of, folded as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from famcore.cli.run.words import size_of
from famcore.events import Event, EventCode
from famcore.jsonlines import json_lines


class _Happened(NamedTuple):
    """An event, its place among all of its batch, and its time in seconds since the epoch."""

    place: int
    time: float
    event: Event


class _Change:
    """What happened to one name: the first event, and how it went and came back last."""

    __slots__ = ("back", "first", "gone")

    def __init__(self, first: _Happened) -> None:
        self.first = first
        self.gone: _Happened | None = None
        self.back: _Happened | None = None

    def add(self, happened: _Happened) -> None:
        if happened.event.action is EventCode.DELETED:
            self.gone, self.back = happened, None
        elif self.gone is not None and self.back is None:
            self.back = happened

    def in_short(self) -> Iterator[_Happened]:
        """Two events at most, by which the same names stand as by all that were added."""
        was_known = self.first.event.action in (EventCode.CHANGED, EventCode.DELETED)
        if self.gone is None:
            yield self.first
            return
        if was_known:
            yield self.gone
        if self.back is not None:
            yield self.back
        elif not was_known:
            yield self.first
            yield self.gone


class Batch:
    """Changes by monitor and name: as much is kept as there are names, however often they change.

    Of a name there are one or two events in the end: `changed`, `created`, `deleted`, or the last
    two in either order. Each name that had an event has one.
    """

    def __init__(self) -> None:
        self._changes: dict[tuple[int, str], _Change] = {}
        self._place = 0

    def __bool__(self) -> bool:
        return bool(self._changes)

    def add(self, events: Iterable[Event], time: float) -> None:
        """Add events that came at `time`."""
        for event in events:
            self._add(time, event)

    def add_all(self, other: Batch) -> None:
        """Add what came after this batch."""
        for happened in other._in_order():
            self._add(happened.time, happened.event)

    def _add(self, time: float, event: Event) -> None:
        happened = _Happened(self._place, time, event)
        self._place += 1
        change = self._changes.setdefault((event.request_id, event.filename), _Change(happened))
        change.add(happened)

    def _in_order(self) -> list[_Happened]:
        return sorted(each for change in self._changes.values() for each in change.in_short())

    @property
    def count(self) -> int:
        """How many events there are."""
        return sum(1 for change in self._changes.values() for _ in change.in_short())

    def paths(self) -> list[str]:
        """The full path of each name, once."""
        return list(dict.fromkeys(change.first.event.path for change in self._changes.values()))

    def lines(self, backend: str) -> Iterator[bytes]:
        """The events as `fam watch --json` has them, in their order."""
        for time, some in groupby(self._in_order(), key=lambda happened: happened.time):
            yield json_lines([happened.event for happened in some], backend=backend, time=time)

    def split(self, size: int) -> list[Batch]:
        """Return parts whose paths as arguments take up `size` bytes at most, or are one."""
        parts = [Batch()]
        left = size
        for key, change in self._changes.items():
            needed = size_of(change.first.event.path)
            if needed > left and parts[-1]:
                parts.append(Batch())
                left = size
            left -= needed
            parts[-1]._changes[key] = change
        return parts
