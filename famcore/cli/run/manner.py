"""How `fam run` goes about it: the choices that its options offer."""

from __future__ import annotations

import enum
from typing import NamedTuple

from famcore.cli.run.process import Stop
from famcore.cli.settle import Patience


class Busy(enum.StrEnum):
    """What to do about changes while the command runs."""

    #: Run it again when it has ended, once, with all that came.
    QUEUE = "queue"
    #: End it and run it again, with what it had been told and all that came.
    RESTART = "restart"
    #: Send it a signal; the file of events has what came.
    SIGNAL = "signal"
    #: Nothing, ever.
    IGNORE = "ignore"


class Manner(NamedTuple):
    """When to run the command, and how to end it."""

    busy: Busy
    #: What it is sent under `Busy.SIGNAL`.
    signal: int
    stop: Stop
    patience: Patience
    #: Whether there is no run before the first change.
    postpone: bool
    #: Whether the first run is the last one.
    once: bool
    #: Whether it reads the events from its stdin, which is empty otherwise.
    stdin: bool
