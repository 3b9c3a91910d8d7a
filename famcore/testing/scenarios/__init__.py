"""The table of scenarios: every event rule at work, a module for each kind of subject."""

from __future__ import annotations

import itertools

from famcore.testing.scenario import Scenario
from famcore.testing.scenarios import (
    again,
    at_once,
    coming_back,
    entries,
    files,
    ignored,
    itself,
    links,
    names,
    order,
    recursive,
    removed,
    renames,
    replaced,
    setting,
    several,
    silent,
)

__all__ = ["AGAIN", "SCENARIOS"]

SCENARIOS: tuple[Scenario, ...] = tuple(
    itertools.chain(
        setting.SCENARIOS,
        entries.SCENARIOS,
        at_once.SCENARIOS,
        silent.SCENARIOS,
        replaced.SCENARIOS,
        renames.SCENARIOS,
        itself.SCENARIOS,
        coming_back.SCENARIOS,
        files.SCENARIOS,
        several.SCENARIOS,
        order.SCENARIOS,
        removed.SCENARIOS,
        names.SCENARIOS,
        ignored.SCENARIOS,
        links.SCENARIOS,
        recursive.SCENARIOS,
    )
)

#: Those that go on and on.
AGAIN = again.SCENARIOS
