"""Waiting in an asyncio loop: for a descriptor, and for the others."""

from __future__ import annotations

import asyncio

#: A loop and a descriptor → those who wait there. A loop calls but one reader for a descriptor.
_waiters: dict[tuple[asyncio.AbstractEventLoop, int], list[asyncio.Future[None]]] = {}


async def readable(fileno: int) -> None:
    """Return once `fileno` is readable. The loop knows of it only while somebody waits."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    waiters = _waiters.setdefault((loop, fileno), [])
    waiters.append(ready)
    try:
        if len(waiters) == 1:
            loop.add_reader(fileno, _wake, waiters)
        await ready
    finally:
        waiters.remove(ready)
        if not waiters:
            loop.remove_reader(fileno)
            del _waiters[loop, fileno]


def _wake(waiters: list[asyncio.Future[None]]) -> None:
    for ready in waiters:
        if not ready.done():
            ready.set_result(None)


async def rest(seconds: float) -> None:
    """Let everything else in the loop have its turn, and `seconds` pass."""
    await asyncio.sleep(seconds)
