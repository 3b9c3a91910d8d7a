"""Events given to handlers and consumers, and what is no event logged and told."""

from famcore.dispatch.announcer import Announcer
from famcore.dispatch.dispatch import Dispatch

__all__ = ["Announcer", "Dispatch"]
