"""Iteration over what a `FileMonitor` delivers, blocking or in an asyncio loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from famcore.events import Event


class _Source(Protocol):
    """What a `FileMonitor` brings."""

    @property
    def is_live(self) -> bool: ...
    def next_batch(self, timeout: float | None, *, kept: bool = False) -> list[Event]: ...
    def take_stop(self) -> bool: ...
    def fileno(self) -> int: ...


class Batches:
    """Each batch, once it is delivered. Ends when stopped, shut down or not live."""

    def __init__(self, fam: _Source) -> None:
        self._fam = fam

    def __iter__(self) -> Iterator[list[Event]]:
        while batch := self._fam.next_batch(None, kept=True):
            yield batch
            if self._fam.take_stop():
                return
        self._fam.take_stop()

    async def __aiter__(self) -> AsyncIterator[list[Event]]:
        from famcore.aio import readable

        while not self._fam.take_stop():
            batch = self._fam.next_batch(0, kept=True)
            if batch:
                yield batch
            elif self._fam.is_live:
                await readable(self._fam.fileno())
            else:
                return


class Events:
    """Each event of each batch."""

    def __init__(self, batches: Batches) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[Event]:
        for batch in self._batches:
            yield from batch

    async def __aiter__(self) -> AsyncIterator[Event]:
        async for batch in self._batches:
            for event in batch:
                yield event
