"""Waiting in an asyncio loop: for a descriptor, and for the others."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary


class _Waiters(list[asyncio.Future[None]]):
    """Those who wait in one loop for one descriptor, for which the loop calls but one reader."""


#: By loop and descriptor. Who waits keeps them, and the loop's reader: a loop that is closed
#: meanwhile, and what waited in it, is not kept here.
_waiters: WeakValueDictionary[tuple[asyncio.AbstractEventLoop, int], _Waiters] = (
    WeakValueDictionary()
)


async def readable(fileno: int) -> None:
    """Return once `fileno` is readable. The loop knows of it only while somebody waits."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    waiters = _waiters.setdefault((loop, fileno), _Waiters())
    waiters.append(ready)
    try:
        if len(waiters) == 1:
            loop.add_reader(fileno, _wake, waiters)
        await ready
    finally:
        waiters.remove(ready)
        if not waiters:
            loop.remove_reader(fileno)


def _wake(waiters: _Waiters) -> None:
    for ready in waiters:
        if not ready.done():
            ready.set_result(None)


async def rest(seconds: float) -> None:
    """Let everything else in the loop have its turn, and `seconds` pass."""
    await asyncio.sleep(seconds)
