"""The process of one watcher: `python -m benchmarks.watching`, with `main`'s arguments.

By the descriptor, a socket, it is asked how far it is: with the name of a method of `Told` and its
arguments.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading

from benchmarks.asking import End
from benchmarks.told import Told
from benchmarks.watchers import WATCHERS


def _answer(end: End, told: Told) -> None:
    while True:
        try:
            method, *arguments = end.receive()
        except (EOFError, OSError):  # nobody asks any more
            os._exit(0)
        answer = getattr(told, method)(*arguments)
        end.send(tuple(answer) if isinstance(answer, tuple) else answer)


def main(descriptor: str, name: str, directory: str, probe: str, *how: str) -> None:
    """Watch until the connection is closed. `how`: of "recursive" and "timed"."""
    watcher = WATCHERS[name]
    told = watcher.make_told(probe, timed="timed" in how)
    arguments = (End(int(descriptor)), told)
    threading.Thread(target=_answer, args=arguments, daemon=True).start()
    if watcher.module:
        importlib.import_module(watcher.module)
    told.begin()
    watcher.watch(directory, told, "recursive" in how)


if __name__ == "__main__":
    main(*sys.argv[1:])
