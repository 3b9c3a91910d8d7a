"""Questions to a watcher's process and answers from it: what `marshal` knows, by a socket.

For `multiprocessing` and `pickle` would weigh as much as a watcher.
"""

from __future__ import annotations

import marshal
from typing import Any, BinaryIO


class End:
    """One end of a connection, by a descriptor, which it does not close."""

    def __init__(self, descriptor: int) -> None:
        self._in: BinaryIO = open(descriptor, "rb", closefd=False)  # noqa: SIM115
        self._out: BinaryIO = open(descriptor, "wb", closefd=False)  # noqa: SIM115

    def send(self, value: Any) -> None:
        """Send it; raises `OSError` if the other end is closed."""
        marshal.dump(value, self._out)
        self._out.flush()

    def receive(self) -> Any:
        """Wait for what the other end sends; raises `EOFError` or `OSError` if it is closed."""
        return marshal.load(self._in)
