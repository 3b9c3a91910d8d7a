"""Bytes to standard output, whole and at once, and what becomes of those that nobody takes."""

from __future__ import annotations

import contextlib
import os
import select
import sys
from collections.abc import Iterator

STDOUT = 1


def write(data: bytes) -> None:
    """Write all of `data` to standard output, however long its reader takes.

    Raises `BrokenPipeError` if there is no reader any more, else the system's `OSError`.
    """
    rest = memoryview(data)
    with _named():
        while rest:
            try:
                rest = rest[os.write(STDOUT, rest) :]
            except BlockingIOError:  # made so by someone who shares the terminal or the pipe
                poll = select.poll()
                poll.register(STDOUT, select.POLLOUT)
                poll.poll()


def flush() -> None:
    """Have out what `sys.stdout` holds back, or drop it; raises as `write` does."""
    try:
        with _named():
            sys.stdout.flush()
    except OSError:
        # The interpreter flushes again at its exit, and complains.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, STDOUT)
        os.close(nowhere)
        raise


def aside() -> contextlib.AbstractContextManager[object]:
    """Within, `print` goes to stderr: what plugins print as they are imported is no event.

    What they write to descriptor 1 themselves is beyond that.
    """
    return contextlib.redirect_stdout(sys.stderr)


@contextlib.contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        error.filename = "standard output"
        raise
