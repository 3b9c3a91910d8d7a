"""A backend that tells of a file's content by the file's own watch alone: the core sets those."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from famcore.backend import Capability, Change, Kind
from famcore.catalog import Status, find_backends
from famcore.testing import SCENARIOS

EXACT = [
    found.backend
    for found in find_backends()
    if found.status is Status.USABLE
    and found.backend
    and Capability.EACH in found.backend.capabilities
]

pytestmark = [
    pytest.mark.usefixtures("deadline"),
    pytest.mark.skipif(not EXACT, reason="no backend is installed of which to make such a one"),
]


@pytest.fixture(params=["unnamed", "named"])
def without_contents(request):
    class OwnWatches(EXACT[0]):
        """It says nothing of what changes in a directory but that, or which, names come and go."""

        name = "own-watches"
        capabilities = Capability.LIVE | Capability.EXACT

        def read(self) -> Iterable[Change]:
            told = {}
            for each in super().read():
                change = Change(*each)._replace(cookie=0)
                if change.name and change.kind is not Kind.CHANGED:
                    if request.param == "unnamed":
                        change = Change(Kind.RESCAN, change.key)
                    told[change] = None
                elif not change.name:
                    told[change] = None
            return list(told)

    return OwnWatches


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_scenario(scenario, without_contents, carry_out):
    carry_out(scenario, without_contents)
