"""The kit, on inotify."""

from __future__ import annotations

from fam_inotify import InotifyBackend
from famcore.testing import BackendTests


class TestInotify(BackendTests):
    backend_class = InotifyBackend
