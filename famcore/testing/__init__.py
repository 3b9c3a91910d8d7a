"""What the author of a backend tests it with: the whole kit, for pytest, and its parts.

    from famcore.testing import BackendTests  # needs pytest: pip install 'famcore[testing]'

    class TestKqueue(BackendTests):
        backend_class = KqueueBackend

The parts need no pytest: `SCENARIOS`, real files and what is told of them; `run`, which carries one
out; `Recorder`, monitors whose events are kept and held against the disk.

What may differ between backends is told by their capabilities, never by their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from famcore.testing.actions import NotHere
from famcore.testing.recorder import Log, Recorder
from famcore.testing.runner import ScenarioFailed, run
from famcore.testing.scenario import Scenario
from famcore.testing.scenarios import SCENARIOS

if TYPE_CHECKING:
    from famcore.testing.kit import BackendTests as BackendTests

__all__ = [
    "SCENARIOS",
    "BackendTests",
    "Log",
    "NotHere",
    "Recorder",
    "Scenario",
    "ScenarioFailed",
    "run",
]


def __getattr__(name: str) -> object:
    if name != "BackendTests":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import pytest
    except ModuleNotFoundError as error:
        raise ImportError(
            "famcore.testing.BackendTests needs pytest: pip install 'famcore[testing]'"
        ) from error
    # Before it is imported, or its assertions would say nothing of what they compared.
    pytest.register_assert_rewrite("famcore.testing.kit")
    from famcore.testing.kit import BackendTests

    globals()[name] = BackendTests
    return BackendTests
