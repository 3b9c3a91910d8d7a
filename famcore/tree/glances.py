"""Directories above monitored paths that can't be watched: their entries are looked at instead."""

from __future__ import annotations

from famcore.tree.node import Node


class Glances:
    """The nodes whose entries are looked at, every so many seconds."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._nodes: set[Node] = set()
        #: When (monotonic seconds) they are looked at next.
        self._due_at = 0.0

    def __contains__(self, node: Node) -> bool:
        return node in self._nodes

    def add(self, node: Node) -> None:
        """Look at the entries of `node` from now on."""
        self._nodes.add(node)

    def drop(self, node: Node) -> None:
        """Look at them no longer."""
        self._nodes.discard(node)

    def deadline(self) -> float | None:
        """When (monotonic seconds) the next look is due; None: never."""
        return self._due_at if self._nodes else None

    def due(self, now: float) -> list[Node]:
        """The nodes to be looked at now (monotonic seconds), if the time has come."""
        if not self._nodes or now < self._due_at:
            return []
        self._due_at = now + self._interval
        return list(self._nodes)
