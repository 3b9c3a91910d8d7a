"""Runs in a row that may be a loop: a command that changes what it is run for."""

from __future__ import annotations

from famcore.cli.say import say

#: So many runs, each for what came during the one before, look like a loop.
LOOP = 10


class Row:
    """Counts them, and says it once in each row."""

    def __init__(self) -> None:
        self._length = 0

    def add(self, *, came_meanwhile: bool) -> None:
        """A run begins; did what it is for come while the one before ran?"""
        self._length = self._length + 1 if came_meanwhile else 0
        if self._length == LOOP:
            say(
                f"{LOOP} runs in a row for changes made during the one before; if the command "
                "makes them, see --ignore and --busy ignore"
            )
