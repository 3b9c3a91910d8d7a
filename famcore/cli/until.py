"""How long a loop may wait that has to do something at a certain time."""

from __future__ import annotations

import math
import time

#: Seconds at most: poll(2) takes milliseconds in an int.
_LONGEST = 86_400.0


def seconds(until: float | None) -> float:
    """Seconds that are left `until` then (monotonic seconds); None: nothing is to be done."""
    return _LONGEST if until is None else min(max(0.0, until - time.monotonic()), _LONGEST)


def milliseconds(until: float | None) -> int:
    """The same for poll(2): rounded up, so that the time has come when it returns."""
    return math.ceil(1000 * seconds(until))
