"""The kit, on gamin."""

from __future__ import annotations

import pytest

from fam_gamin import GaminBackend
from famcore.testing import BackendTests


@pytest.mark.gamin
class TestGamin(BackendTests):
    backend_class = GaminBackend
