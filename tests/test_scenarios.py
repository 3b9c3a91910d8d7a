"""Every scenario of the kit, on two backends that say less than any that is installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import pytest

from famcore.backend import Backend, Capability, Change, Kind
from famcore.catalog import Status, find_backends
from famcore.testing import SCENARIOS, Scenario

INSTALLED = {found.name: found for found in find_backends()}
REQUIRED = [name for name in os.environ.get("FAM_REQUIRE_BACKENDS", "").split(",") if name]


@pytest.mark.parametrize("name", sorted({*INSTALLED, *REQUIRED}))
def test_what_is_required_is_usable(name: str) -> None:
    if name in REQUIRED:
        found = INSTALLED.get(name)
        assert found is not None, f"backend {name!r} is not installed"
        assert found.status is Status.USABLE, str(found)


# --- backends that can say less

EXACT = [
    found.backend
    for found in INSTALLED.values()
    if found.backend is not None
    and Capability.EXACT | Capability.CONTENTS in found.backend.capabilities
]


def without_names(exact: type[Backend]) -> type[Backend]:
    class Vague(exact):  # type: ignore[misc, valid-type]
        """It can't name what changed in a directory, as a kqueue note can't."""

        name = "vague"
        capabilities = Capability.LIVE | Capability.EXACT | Capability.CONTENTS

        def read(self) -> Iterable[Change]:
            changes = (Change(*change) for change in super().read())
            told = (Change(Kind.RESCAN, each.key) if each.name else each for each in changes)
            return list(dict.fromkeys(told))

    return Vague


def without_words(exact: type[Backend]) -> type[Backend]:
    class Blind(exact):  # type: ignore[misc, valid-type]
        """It can't say where a change was, as if its queue overflowed all the time."""

        name = "blind"
        capabilities = Capability.LIVE | Capability.EXACT | Capability.CONTENTS

        def read(self) -> Iterable[Change]:
            told = [Change(*change) for change in super().read()]
            # A repair tells what came, changed or went; a directory's own mode is none of it.
            own = [each for each in told if each.kind is Kind.CHANGED and each.is_directory]
            own = [each for each in own if not each.name]
            return [*own, Change(Kind.RESCAN, None)] if told else []

    return Blind


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
@pytest.mark.parametrize("less", [without_names, without_words])
def test_on_one(
    less: Callable[[type[Backend]], type[Backend]],
    scenario: Scenario,
    carry_out: Callable[[Scenario, type[Backend]], None],
) -> None:
    if not EXACT:
        pytest.skip("no backend is installed of which one could be made that says less")
    carry_out(scenario, less(EXACT[0]))
