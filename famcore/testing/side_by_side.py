"""Scenarios on late backends, where most of the time nothing happens: many at a time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path

from famcore.backend import Backend
from famcore.errors import BackendUnavailable
from famcore.testing.runner import ScenarioFailed, run
from famcore.testing.scenario import Scenario

#: Scenarios at a time, on a backend that tells all so late, or sooner: those may have one server
#: for all, which does not let many in at a time.
_LATE, _AT_ONCE, _OR_SOONER = 1.0, 48, 12

_ATTEMPTS = 3
#: Seconds that a server has to be there again.
_RESTART = 1.0
#: Seconds that a scenario may take, besides what the backend takes. It waits its turn, too.
_PATIENCE = 300.0


class SideBySide:
    """Scenarios on one backend, each in an empty directory of its own: all have begun."""

    def __init__(self, scenarios: Iterable[Scenario], backend: type[Backend], place: Path) -> None:
        self._backend = backend
        self._place = place
        self._todo: queue.SimpleQueue[tuple[Scenario, Future[None]]] = queue.SimpleQueue()
        # The longest one ends last, whenever it begins.
        order = sorted(scenarios, key=lambda scenario: len(scenario.steps), reverse=True)
        self._ends: dict[str, Future[None]] = {scenario.name: Future() for scenario in order}
        for scenario in order:
            self._todo.put((scenario, self._ends[scenario.name]))
        many = _AT_ONCE if backend.latency >= _LATE else _OR_SOONER
        for _ in range(min(many, len(order))):
            # One that never comes back keeps nobody from ending.
            threading.Thread(target=self._work, daemon=True).start()

    def __contains__(self, scenario: Scenario) -> bool:
        return scenario.name in self._ends

    def wait(self, scenario: Scenario) -> None:
        """Wait for its end; raises what `run` does."""
        __tracebackhide__ = True
        self._ends[scenario.name].result(_PATIENCE + 100 * self._backend.latency)

    def cancel(self) -> None:
        """Begin no more of them."""
        for end in self._ends.values():
            end.cancel()

    def _work(self) -> None:
        while True:
            try:
                scenario, end = self._todo.get_nowait()
            except queue.Empty:
                return
            if end.set_running_or_notify_cancel():
                try:
                    self._carry_out(scenario)
                except BaseException as error:
                    end.set_exception(error)
                else:
                    end.set_result(None)

    def _carry_out(self, scenario: Scenario) -> None:
        """Once more if the source was lost meanwhile: a server may end, and be started again."""
        for attempt in range(1, _ATTEMPTS + 1):
            place = self._place / f"{id(scenario)}-{attempt}"
            place.mkdir()
            try:
                run(scenario, self._backend, place)
                return
            except (ScenarioFailed, BackendUnavailable) as failed:
                is_lost = not isinstance(failed, ScenarioFailed) or failed.is_source_lost
                if not is_lost or attempt == _ATTEMPTS:
                    raise
                time.sleep(_RESTART)
