"""The table of scenarios, through the whole of the core."""

from __future__ import annotations

import pytest

from famcore.backend import Backend
from famcore.testing.actions import NotHere
from famcore.testing.kit.base import Kit, selected
from famcore.testing.runner import run
from famcore.testing.scenario import Scenario
from famcore.testing.scenarios import AGAIN, SCENARIOS
from famcore.testing.side_by_side import SideBySide

_BEGUN = pytest.StashKey[SideBySide]()
#: Rounds of what comes again and again, on a late backend.
_ROUNDS = 4


class ScenarioTests(Kit):
    """Files, monitors, what is done in steps, and what each monitor is told of it."""

    @pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
    def test_scenario(
        self,
        scenario: Scenario,
        usable: type[Backend],
        request: pytest.FixtureRequest,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> None:
        """Each event rule, by a scenario."""
        __tracebackhide__ = True
        _carry_out(scenario, usable, request, tmp_path_factory)

    @pytest.mark.parametrize("scenario", AGAIN, ids=str)
    def test_again(
        self,
        scenario: Scenario,
        usable: type[Backend],
        request: pytest.FixtureRequest,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> None:
        """A monitor is of a path, whatever comes to be there, and however often."""
        __tracebackhide__ = True
        _carry_out(scenario, usable, request, tmp_path_factory)


def _carry_out(
    scenario: Scenario,
    backend: type[Backend],
    request: pytest.FixtureRequest,
    places: pytest.TempPathFactory,
) -> None:
    """Carry it out; on a late backend beside all others of this class that are to be run."""
    __tracebackhide__ = True
    try:
        if backend.latency:
            _begun(backend, request, places).wait(scenario)
        else:
            run(scenario, backend, places.mktemp("scenario"))
    except NotHere as reason:
        pytest.skip(str(reason))


def _begun(
    backend: type[Backend], request: pytest.FixtureRequest, places: pytest.TempPathFactory
) -> SideBySide:
    node = request.node.getparent(pytest.Class)
    begun: SideBySide | None = node.stash.get(_BEGUN, None)
    if begun is None:
        todo = [each.shortened(_ROUNDS) for each in selected(request) if each.applies_to(backend)]
        begun = node.stash[_BEGUN] = SideBySide(todo, backend, places.mktemp("side-by-side"))
        node.addfinalizer(begun.cancel)
    return begun
