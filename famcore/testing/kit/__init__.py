"""The kit: every rule and promise that a backend can break, as tests for pytest.

It takes pytest, which nothing else of famcore does: import it from `famcore.testing`.
"""

from __future__ import annotations

from famcore.testing.kit.changes import ChangesTests
from famcore.testing.kit.declaration import DeclarationTests
from famcore.testing.kit.lifecycle import LifecycleTests
from famcore.testing.kit.reading import ReadingTests
from famcore.testing.kit.scenarios import ScenarioTests
from famcore.testing.kit.storms import StormsTests
from famcore.testing.kit.watching import WatchingTests

__all__ = ["BackendTests"]


class BackendTests(
    StormsTests,
    ScenarioTests,
    ChangesTests,
    ReadingTests,
    WatchingTests,
    LifecycleTests,
    DeclarationTests,
):
    """All tests of the kit. Subclass it, and set `backend_class`.

    What a backend can't do and does not claim to isn't asked; what it fails at for a known reason
    is named in `waivers`.
    """
