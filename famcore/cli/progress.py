"""How far the listing of a big tree has come, for who sits at a terminal and waits."""

from __future__ import annotations

import sys
import time

from famcore.cli.say import erase_passing, say_in_passing

#: Seconds before it is worth a word, and between two.
_PAUSE = 0.25


class Progress:
    """A line on stderr that is written anew as long as it goes on."""

    def __init__(self, *, is_wanted: bool = True) -> None:
        """Nothing is shown if it is not wanted, or stderr is no terminal."""
        self._is_shown = is_wanted and sys.stderr is not None and sys.stderr.isatty()
        self._count = 0
        self._next = time.monotonic() + _PAUSE

    def add(self, count: int) -> None:
        """So many entries have been found."""
        self._count += count
        if self._is_shown and time.monotonic() >= self._next:
            say_in_passing(f"listing what is there: {self._count:,} entries")
            self._next = time.monotonic() + _PAUSE

    def end(self) -> None:
        """All has been found."""
        erase_passing()
