"""Iteration over what a `FileMonitor` delivers, blocking or in an asyncio loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Self

from famcore.dispatch import Dispatch
from famcore.events import Event
from famcore.monitor.loop import Loop
from famcore.monitor.stops import Stops

#: Seconds that an event loop is left to others when it was woken and there is no event: another
#: thread has the turn to deliver, or a look at the disk goes on.
_FOR_NOTHING = 0.001


class Batches:
    """Each batch, once it is delivered. Ends when stopped, shut down or not live."""

    def __init__(self, start: Callable[[], Loop | None], stops: Stops, dispatch: Dispatch) -> None:
        self._new = partial(EachBatch, start, stops, dispatch)

    def __iter__(self) -> EachBatch:
        return self._new()

    def __aiter__(self) -> EachBatch:
        return self._new()


class EachBatch:
    """One pass, which begins with its first step. A step that is cancelled may be taken again."""

    def __init__(self, start: Callable[[], Loop | None], stops: Stops, dispatch: Dispatch) -> None:
        #: Returns the loop, started, or None after `shutdown`.
        self._start = start
        self._stops = stops
        self._dispatch = dispatch
        #: Of `Stops`, from the first step on.
        self._token: int | None = None
        self._has_ended = False

    def go_on(self) -> tuple[Loop, int] | None:
        """What the next step needs; None if there is none."""
        loop = None if self._has_ended else self._start()
        if loop is not None:
            if self._token is None:
                self._token = self._stops.begin()
            if not self._stops.asked(self._token):
                return loop, self._token
        self._has_ended = True
        return None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> list[Event]:
        if (step := self.go_on()) is not None:
            loop, token = step
            batch = self._dispatch.take_left() or loop.next_batch(None, token, kept=True)
            if batch:
                return batch
        self._has_ended = True
        raise StopIteration

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Event]:
        from famcore.aio import readable, rest

        if (step := self.go_on()) is not None:
            # As long as there is more, nothing else would run.
            burst = step[0].burst
            pause = burst.pause()
            await rest(pause)
            if pause:
                burst.resume()
        is_woken = False
        while (step := self.go_on()) is not None:
            loop, token = step
            batch = self._dispatch.take_left() or loop.next_batch(
                0, token, kept=True, patient=False, brief=True
            )
            if batch:
                return batch
            if is_woken:
                is_woken = False
                await rest(_FOR_NOTHING)
                continue
            with loop.reader.waiting(token) as is_open:
                if not is_open or not loop.reader.is_live or self._stops.asked(token):
                    break
                await readable(loop.reader.fileno())
            is_woken = True
        self._has_ended = True
        raise StopAsyncIteration


class EachEvent:
    """Each event of each batch; what is left of one when it is broken off is for the next pass."""

    def __init__(self, batches: EachBatch, dispatch: Dispatch) -> None:
        self._batches = batches
        self._dispatch = dispatch

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        while (event := self._next_left()) is None:
            self._dispatch.left.extend(next(self._batches))
        return event

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while (event := self._next_left()) is None:
            self._dispatch.left.extend(await anext(self._batches))
        return event

    def _next_left(self) -> Event | None:
        return None if self._batches.go_on() is None else self._dispatch.next_left()
