"""The kit, on a backend that watches nothing."""

from __future__ import annotations

from fam_pseudo import PseudoBackend
from famcore.testing import BackendTests


class TestPseudo(BackendTests):
    backend_class = PseudoBackend
