"""Scenarios on late backends, where most of the time nothing happens: many at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from famcore.catalog import find_backend
from famcore.errors import BackendUnavailable
from famcore.testing import Scenario, ScenarioFailed, run

#: Scenarios at a time, on a backend that tells all so late, or sooner: those may have one server
#: for all, which does not let many in at a time.
LATE, AT_ONCE, OR_SOONER = 1.0, 48, 12

ATTEMPTS = 3


class SideBySide:
    """Those of the tests that are selected. A context manager."""

    def __init__(self, tests, place):
        """`tests` have a scenario and a backend, or its name, as parameters."""
        todo = [pair for pair in map(what, tests) if is_late(*pair)]
        is_soon = any(backend.latency < LATE for _, backend in todo)
        self._pool = ThreadPoolExecutor(OR_SOONER if is_soon else AT_ONCE)
        # The longest one ends last, whenever it begins.
        todo.sort(key=lambda pair: len(pair[0].steps), reverse=True)
        self._begun = {}
        for number, (scenario, backend) in enumerate(todo):
            directory = place / str(number)
            directory.mkdir()
            future = self._pool.submit(carry_out, scenario, backend, directory)
            self._begun[id(scenario), backend] = future

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self._pool.shutdown(cancel_futures=True)

    def has(self, scenario, backend):
        return (id(scenario), backend) in self._begun

    def wait(self, scenario, backend):
        """Raises what `run` does."""
        __tracebackhide__ = True
        self._begun[id(scenario), backend].result()


def carry_out(scenario, backend, directory):
    """Once more if famd has failed meanwhile: that is no fault of ours, and it is started again."""
    for attempt in range(ATTEMPTS):
        place = directory / str(attempt)
        place.mkdir()
        try:
            return run(scenario, backend, place)
        except (ScenarioFailed, BackendUnavailable) as failed:
            if "famd" not in str(failed) or attempt + 1 == ATTEMPTS:
                raise
    return None


def what(test):
    """The scenario that a test carries out, and the backend; None: it can't be used."""
    scenario = name = None
    for value in test.callspec.params.values():
        if isinstance(value, Scenario):
            scenario = value
        else:
            name = getattr(value, "name", value)
    return scenario, find_backend(name).backend


def is_late(scenario, backend):
    return backend is not None and backend.latency > 0 and scenario.applies_to(backend)
