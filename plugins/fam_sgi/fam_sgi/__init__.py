"""The `fam` backend of famcore: FAM's own library, in front of SGI's famd or of gam_server."""

from __future__ import annotations

import famcore
from fam_sgi.backend import FamBackend, FamOfGaminBackend, FamOfSgiBackend, installed

__all__ = ["FamBackend", "FamOfGaminBackend", "FamOfSgiBackend"]


@famcore.hookimpl
def fam_backend() -> type[FamBackend]:
    """The hook by which famcore finds the class: the one for the library that is installed."""
    return installed()
