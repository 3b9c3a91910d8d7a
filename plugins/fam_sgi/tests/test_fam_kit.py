"""The kit, on FAM: the one that is served by SGI's famd."""

from __future__ import annotations

import pytest

import fam_sgi
from famcore.testing import BackendTests


@pytest.mark.famd
class TestFam(BackendTests):
    backend_class = fam_sgi.fam_backend()
