"""The log of what is not heard: a line for each cause, not for each path."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from famcore.tree.notices import Degraded

log = logging.getLogger(__name__)


class Unheard:
    """Counts the paths that are not heard, by reason."""

    def __init__(self) -> None:
        #: Reason → how many paths it keeps from being heard, and how many when last logged.
        self._counts: dict[str, tuple[int, int]] = {}

    def log(self, notices: Sequence[Degraded]) -> None:
        """Log those of one reason: the first ones, then when they have become twice as many."""
        first = notices[0]
        count, logged = self._counts.get(first.reason, (0, 0))
        count += len(notices)
        if count >= 2 * logged:
            logged = count
            more = f" and {count - 1} more paths" if count > 1 else ""
            why = f"{first.reason}; {first.remedy}" if first.remedy else first.reason
            log.warning("changes of %s%s are not heard: %s", first.path, more, why)
        self._counts[first.reason] = count, logged

    def heard(self, path: str, reason: str) -> None:
        """`path` is heard again, which for `reason` it was not; logged for the last one of it."""
        count, logged = self._counts.get(reason, (1, 1))
        if count > 1:
            self._counts[reason] = count - 1, logged
        else:
            self._counts.pop(reason, None)
            log.warning("changes of %s%s are heard again", path, " and the others" * (logged > 1))
