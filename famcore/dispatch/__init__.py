"""Events given to handlers and consumers, and what is no event logged and told."""

from famcore.dispatch.dispatch import Dispatch

__all__ = ["Dispatch"]
