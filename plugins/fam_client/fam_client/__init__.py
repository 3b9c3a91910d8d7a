"""FAM's C API, for the backends of famcore that are served by gam_server or by SGI's famd."""

from __future__ import annotations

from fam_client.backend import ServedBackend
from fam_client.connection import Connection
from fam_client.gamin import GamServed, find_server
from fam_client.library import is_gamins, load

__all__ = ["Connection", "GamServed", "ServedBackend", "find_server", "is_gamins", "load"]
