"""The words of the command: `{}` filled in, a shell's before them, and how long they may be."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

#: The word that stands for the paths, each of which becomes a word.
PATHS = "{}"
#: What a word takes up besides its bytes where a program is executed: a NUL and a pointer.
_AROUND = 1 + 8
#: What Linux takes with its usual limit of the stack; with none it says that it takes far more.
_MOST = 2 * 1024 * 1024
#: Left free where a program is executed, twice what POSIX advises.
_SPARE = 4096


class Words:
    """The command as it was given."""

    def __init__(self, words: Sequence[str], *, shell: bool) -> None:
        """`shell`: the first word is a script of sh, the others are its `$1`, `$2` and so on."""
        self.name = words[0]
        self.takes_paths = PATHS in words
        self._words = ["/bin/sh", "-c", words[0], "sh", *words[1:]] if shell else [*words]

    def with_paths(self, paths: Sequence[str]) -> list[str]:
        """What to execute. A path is a word of its own, in which nothing is looked for."""
        filled: list[str] = []
        for word in self._words:
            filled += paths if word == PATHS else [word]
        return filled

    def room(self, environment: Mapping[str, str]) -> int:
        """How many bytes of paths there is room for beside the environment (`size_of`)."""
        taken = sum(size_of(name) + size_of(value) for name, value in environment.items())
        taken += sum(map(size_of, self.with_paths([])))
        room = min(os.sysconf("SC_ARG_MAX"), _MOST) - _SPARE - taken
        return room // self._words.count(PATHS)


def size_of(word: str) -> int:
    """How many bytes a word takes up where a program is executed."""
    return len(os.fsencode(word)) + _AROUND
