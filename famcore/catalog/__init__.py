"""What is installed: backends with their status, the choice among them, consumers by name.

Whoever needs it imports it when it does: stevedore and importlib.metadata take 40 ms to import.
"""

from __future__ import annotations

from famcore.catalog.backends import choose, find_backend, find_backends
from famcore.catalog.consumers import find_consumers, load_consumer
from famcore.catalog.found import Found, Status

__all__ = [
    "Found",
    "Status",
    "choose",
    "find_backend",
    "find_backends",
    "find_consumers",
    "load_consumer",
]
