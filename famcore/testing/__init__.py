"""What the author of a backend tests it with: scenarios on real files, and how to run them.

    import pytest
    from famcore.testing import SCENARIOS, run

    @pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
    def test_scenario(scenario, tmp_path):
        if scenario.applies_to(KqueueBackend):
            run(scenario, KqueueBackend, tmp_path)

What may differ between backends is told by their capabilities, never by their names.
"""

from __future__ import annotations

from famcore.testing.actions import NotHere
from famcore.testing.recorder import Log, Recorder
from famcore.testing.runner import ScenarioFailed, run
from famcore.testing.scenario import Scenario
from famcore.testing.scenarios import SCENARIOS

__all__ = ["SCENARIOS", "Log", "NotHere", "Recorder", "Scenario", "ScenarioFailed", "run"]
