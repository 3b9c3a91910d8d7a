"""The process of one watcher: `python -m benchmarks.watching WATCHER DIRECTORY DESCRIPTOR`.

By the descriptor, a connection, it is asked how far it is: with None, or with the names that have
to be told from now on.
"""

from __future__ import annotations

import os
import sys
import threading
from multiprocessing.connection import Connection

from benchmarks.told import Told
from benchmarks.watchers import WATCHERS


def _answer(connection: Connection, told: Told) -> None:
    while True:
        try:
            names = connection.recv()
        except (EOFError, OSError):  # nobody asks any more
            os._exit(0)
        if names is not None:
            told.expect(names)
        connection.send(told.state())


def main(name: str, directory: str, descriptor: str) -> None:
    """Watch until the connection is closed."""
    told = Told()
    arguments = (Connection(int(descriptor)), told)
    threading.Thread(target=_answer, args=arguments, daemon=True).start()
    WATCHERS[name].watch(directory, told)


if __name__ == "__main__":
    main(*sys.argv[1:])
