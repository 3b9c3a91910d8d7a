"""Iteration over what a `FileMonitor` delivers, blocking or in an asyncio loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

from famcore.events import Event
from famcore.monitor.loop import Loop
from famcore.monitor.stops import Stops


class Batches:
    """Each batch, once it is delivered. Ends when stopped, shut down or not live."""

    def __init__(self, start: Callable[[], Loop | None], stops: Stops) -> None:
        #: Returns the loop, started, or None after `shutdown`.
        self._start = start
        self._stops = stops

    def __iter__(self) -> Iterator[list[Event]]:
        loop = self._start()
        if loop is None:
            return
        token = self._stops.begin()
        while not self._stops.asked(token):
            batch = loop.next_batch(None, token, kept=True)
            if not batch:
                return
            yield batch

    async def __aiter__(self) -> AsyncIterator[list[Event]]:
        from famcore.aio import readable, turn

        loop = self._start()
        if loop is None:
            return
        token = self._stops.begin()
        while not self._stops.asked(token):
            batch = loop.next_batch(0, token, kept=True, patient=False, brief=True)
            if batch:
                yield batch
                # As long as there is more, nothing else would run.
                await turn()
                continue
            with loop.reader.waiting(token) as is_open:
                if not is_open or not loop.reader.is_live or self._stops.asked(token):
                    return
                await readable(loop.reader.fileno())


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
