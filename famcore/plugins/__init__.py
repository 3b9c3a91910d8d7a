"""Plugins as pluggy sees them: checked when registered, each called on its own."""

from __future__ import annotations

from famcore.plugins.backends import backend_of, check_backend
from famcore.plugins.check import check_plugin
from famcore.plugins.consumers import Consumers

__all__ = ["Consumers", "backend_of", "check_backend", "check_plugin"]
