"""`FileMonitor`: the loop that ties source, tree and dispatch together."""

from famcore.monitor.filemonitor import FileMonitor

__all__ = ["FileMonitor"]
