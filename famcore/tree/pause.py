"""The pause before another attempt, which grows as long as attempts fail."""

from __future__ import annotations


class Pause:
    """Seconds until the next attempt: each time twice as long, up to a longest."""

    __slots__ = ("_first", "_longest", "_seconds")

    def __init__(self, first: float, longest: float) -> None:
        self._first = min(first, longest)
        self._longest = longest
        self._seconds = 0.0

    def reset(self) -> None:
        """The next one is the first."""
        self._seconds = 0.0

    def next(self) -> float:
        """The seconds of the next one."""
        self._seconds = min(max(self._first, 2 * self._seconds), self._longest)
        return self._seconds
