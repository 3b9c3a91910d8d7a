"""What is no event, logged and told to consumers: gaps, repairs, failing backends."""

from __future__ import annotations

import logging
import time
from collections import deque

from famcore.backend import BackendLost
from famcore.dispatch.dispatch import Dispatch
from famcore.tree.notices import Degraded, Failed, Notice, Restored, Resynced

log = logging.getLogger(__name__)


#: Seconds after which what is to be logged is, even if things do not come to rest.
_SOON = 1.0


class Announcer:
    """Tells consumers by way of the dispatch; the log once things have come to rest.

    It has a line for each cause, not for each path: thousands may have one.
    """

    def __init__(self, dispatch: Dispatch) -> None:
        self._dispatch = dispatch
        #: Reason and remedy → the paths that are not heard by it and are not in the log yet.
        self._unheard: dict[tuple[str, str], list[str]] = {}
        #: The paths that are heard again and are not in the log yet.
        self._heard: list[str] = []
        #: Since when (monotonic seconds) something is to be logged.
        self._since = 0.0

    def announce(self, notices: deque[Notice]) -> None:
        """Tell `notices`, as far as they are there; another thread may add to them."""
        while notices:
            if not (self._unheard or self._heard):
                self._since = time.monotonic()
            match notices.popleft():
                case Degraded(path, reason, remedy):
                    self._unheard.setdefault((reason, remedy), []).append(path)
                    self._dispatch.notify("fam_degraded", path=path, reason=reason)
                case Restored(path, is_heard):
                    if is_heard:
                        self._heard.append(path)
                    self._dispatch.notify("fam_restored", path=path)
                case Resynced(reason, brought):
                    log.warning(
                        "%s: the disk was compared, and %d events make up for it", reason, brought
                    )
                    self._dispatch.notify("fam_resynced", reason=reason, count=brought)
                case Failed(name, error):
                    # A server that is gone is nothing to be found out in the backend's code.
                    cause = None if isinstance(error, BackendLost) else error
                    log.error("backend %s failed: %s", name, error, exc_info=cause)
                    self._dispatch.report_error(name, error)
        if (self._unheard or self._heard) and time.monotonic() - self._since > _SOON:
            self.log()

    def log(self) -> None:
        """Log what is to be logged."""
        unheard, self._unheard = self._unheard, {}
        heard, self._heard = self._heard, []
        for (reason, remedy), paths in unheard.items():
            why = f"{reason}; {remedy}" if remedy else reason
            log.warning("changes of %s are not heard: %s", _some(paths), why)
        if heard:
            log.warning("changes of %s are heard again", _some(heard))


def _some(paths: list[str]) -> str:
    """The first of `paths`, and how many more there are."""
    more = len(paths) - 1
    return paths[0] + (f" and {more} more path{'s' * (more > 1)}" if more else "")
