"""The signals that end `fam`, and a descriptor that tells of them."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

from famcore.cli.ends import BY_SIGNAL, DONE, INTERRUPTED

#: The signals that end `fam`, and with which exit code.
ENDS: dict[int, int] = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: DONE, signal.SIGHUP: DONE}

#: The one that waits for nothing, not even for the command of `fam run`: ^\\.
QUIT = signal.SIGQUIT
QUITTED = BY_SIGNAL + QUIT
#: Those by which somebody who sends a second one says that it takes too long. A hang-up comes
#: twice by itself: from the system, and from the shell.
URGENT = frozenset({signal.SIGINT, signal.SIGTERM, QUIT})

Handler = Callable[[int, FrameType | None], Any]


def on_end(handler: Handler) -> None:
    """Have `handler` called on each signal that ends `fam`; hang-ups only if nohup is not used."""
    for number in ENDS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def ignore_ends() -> None:
    """Let no signal disturb what is left to do: it is little, and must not leave a traceback."""
    for number in ENDS:
        signal.signal(number, signal.SIG_IGN)


class WakeUp:
    """A descriptor that is readable once a signal has come that has a handler.

    The interpreter writes to it as soon as one comes: none falls between the last look at signals
    and poll(2), which would go on waiting.
    """

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe()
        for descriptor in (self._reader, self._writer):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        return self

    def __exit__(self, *exc_info: object) -> None:
        signal.set_wakeup_fd(-1)
        os.close(self._reader)
        os.close(self._writer)

    def fileno(self) -> int:
        """To be polled."""
        return self._reader

    def drain(self) -> None:
        """Have it readable no more, until the next signal."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass


class Signals:
    """Notes signals that end `fam` and those of children, for a loop that polls `fileno()`.

    One that is urgent and comes while another like it is not taken yet raises `KeyboardInterrupt`:
    the loop is stuck.
    """

    def __init__(self) -> None:
        self._woken = WakeUp()
        self._noted: set[int] = set()

    def __enter__(self) -> Self:
        self._woken.__enter__()
        signal.signal(signal.SIGCHLD, self._note)
        signal.signal(QUIT, self._note)
        on_end(self._note)
        return self

    def ignore(self) -> None:
        """Let none of them disturb what is left to do, as `ignore_ends`."""
        ignore_ends()
        signal.signal(QUIT, signal.SIG_IGN)

    def __exit__(self, *exc_info: object) -> None:
        self.ignore()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._woken.__exit__(*exc_info)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if number in self._noted and number in URGENT:
            raise KeyboardInterrupt
        self._noted.add(number)

    def fileno(self) -> int:
        """Readable once there is something to take."""
        return self._woken.fileno()

    def take(self) -> set[int]:
        """The numbers of the signals that have come since the last time."""
        self._woken.drain()
        taken, self._noted = self._noted, set()
        return taken
