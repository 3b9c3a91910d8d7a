"""Waiting in an asyncio loop: for a descriptor, and for the others."""

from __future__ import annotations

import asyncio


async def readable(fileno: int) -> None:
    """Return once `fileno` is readable. One waiter for a descriptor at a time."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(fileno, wake)
    try:
        await ready
    finally:
        loop.remove_reader(fileno)


async def turn() -> None:
    """Let everything else in the loop have its turn."""
    await asyncio.sleep(0)
