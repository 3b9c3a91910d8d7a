"""What is no event, logged and told to consumers: gaps, repairs, failing backends."""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Iterator

from famcore.dispatch.dispatch import Dispatch
from famcore.tree.notices import Degraded, Failed, Notice, Restored, Resynced

log = logging.getLogger(__name__)


class Announcer:
    """Tells consumers by way of the dispatch. The log has a line for each cause, not each path."""

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        #: Path that is not heard → why.
        self._reasons: dict[str, str] = {}
        #: Reason → how many paths it keeps from being heard, and how many when last logged.
        self._counts: Counter[str] = Counter()
        self._logged: Counter[str] = Counter()

    def announce(self, notices: deque[Notice]) -> None:
        """Tell `notices`, as far as they are there; another thread may add to them."""
        while notices:
            match notices.popleft():
                case Degraded() as first:
                    self._degraded([first, *_pop_same(notices, first)])
                case Restored(path):
                    self._restored(path)
                case Resynced(reason, brought):
                    log.warning(
                        "%s: the disk was compared, which brought %d events", reason, brought
                    )
                    self._dispatch.notify("fam_resynced", reason=reason, count=brought)
                case Failed(name, error):
                    log.error("backend %s failed: %s", name, error, exc_info=error)
                    self._dispatch.report_error(name, error)

    def _degraded(self, same: list[Degraded]) -> None:
        """Log those of one reason: the first ones, then when they have become twice as many."""
        first = same[0]
        reason = first.reason
        for each in same:
            self._forget(each.path)
            self._reasons[each.path] = reason
        self._counts[reason] += len(same)
        count = self._counts[reason]
        if count >= 2 * self._logged[reason]:
            self._logged[reason] = count
            more = f" and {count - 1} more paths" if count > 1 else ""
            why = f"{reason}; {first.remedy}" if first.remedy else reason
            log.warning("changes of %s%s are not heard: %s", first.path, more, why)
        for each in same:
            self._dispatch.notify("fam_degraded", path=each.path, reason=reason)

    def _restored(self, path: str) -> None:
        """Log the last one of a reason."""
        reason = self._reasons.get(path, "")
        several = " and the others" if self._logged[reason] > 1 else ""
        self._forget(path)
        if not self._counts[reason]:
            log.warning("changes of %s%s are heard again", path, several)
        self._dispatch.notify("fam_restored", path=path)

    def _forget(self, path: str) -> None:
        reason = self._reasons.pop(path, None)
        if reason is not None:
            self._counts[reason] -= 1
            if not self._counts[reason]:
                del self._counts[reason], self._logged[reason]


def _pop_same(notices: deque[Notice], first: Degraded) -> Iterator[Degraded]:
    """Those that follow for the same reason. Nobody else takes any."""
    while notices and isinstance(same := notices[0], Degraded) and same.reason == first.reason:
        notices.popleft()
        yield same
