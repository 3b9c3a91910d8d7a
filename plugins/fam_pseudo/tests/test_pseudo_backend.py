"""The kit, on a backend that watches nothing; and what it is besides."""

from __future__ import annotations

from importlib.metadata import entry_points

import fam_pseudo
from fam_pseudo import PseudoBackend
from famcore.testing import BackendTests


class TestPseudo(BackendTests):
    backend_class = PseudoBackend


def test_it_is_found_by_its_entry_point() -> None:
    (found,) = entry_points(group="famcore.backends", name=PseudoBackend.name)
    assert found.load() is fam_pseudo
    assert found.dist is not None
    assert found.dist.name == "fam-pseudo"


def test_it_is_not_live_and_works_everywhere() -> None:
    assert not PseudoBackend.capabilities
    PseudoBackend.check()
