"""What a caller asks for, checked: paths, handlers, request IDs."""

from __future__ import annotations

import errno
import inspect
import os
import stat
from collections.abc import Callable, Iterable
from typing import Any

from famcore.events import Event


def absolute_path(path: str | bytes | os.PathLike[Any]) -> str:
    """`path` made absolute, without trailing slashes, otherwise as spelled.

    Raises `ValueError` if it is empty or contains a NUL.
    """
    name = os.fsdecode(path)
    if not name:
        raise ValueError("the path to monitor is empty")
    if "\0" in name:
        raise ValueError(f"the path to monitor contains a NUL character: {name!r}")
    if not name.startswith("/"):
        name = os.path.join(os.getcwd(), name)
    return name.rstrip("/") or "/"


def check_parent(path: str) -> None:
    """Raise the system's `OSError` if neither `path` nor the directory it would be in exists."""
    if os.path.lexists(path):
        return
    parent = os.path.dirname(path)
    try:
        if not stat.S_ISDIR(os.stat(parent).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), parent)
    except OSError as error:
        error.add_note(f"{path!r} may be missing, but not the directory it would be in")
        raise


def handle_of(handler: object) -> Callable[[Event], object] | None:
    """What to call with each event: the handler's `HandleEvent`, or itself; None if neither.

    Raises `TypeError` if calling it would only make a coroutine.
    """
    handle = getattr(handler, "HandleEvent", None)
    if not callable(handle):
        handle = handler if callable(handler) else None
    if inspect.iscoroutinefunction(handle):
        raise TypeError(
            f"handler {handler!r} is a coroutine function, and nothing would await it: "
            "give a function that calls asyncio.create_task, or iterate by 'async for'"
        )
    return handle


class RequestIds:
    """Request IDs: automatic ones count up and pass by those that were ever given."""

    def __init__(self) -> None:
        self._next = 1
        self._given: set[int] = set()

    def take(self, wanted: int | None, taken: Iterable[int]) -> int:
        """`wanted`, or the next free one. Raises `ValueError` if `wanted` is in `taken`."""
        if wanted is not None:
            if wanted in taken:
                raise ValueError(f"request ID {wanted!r} is in use; remove that monitor first")
            self._given.add(wanted)
            return wanted
        while self._next in self._given:
            self._next += 1
        self._next += 1
        return self._next - 1
