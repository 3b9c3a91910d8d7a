"""A descriptor that becomes readable at a time: Linux' timerfd_create(2)."""

from __future__ import annotations

import ctypes
import os

_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1  # TFD_TIMER_ABSTIME
#: An all-zero time would disarm the timer: the past is this far back.
_NOT_ZERO = 1


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class Timer:
    """Readable from the time it is set to until it is set anew.

    By ctypes: Python has `os.timerfd_create` from 3.13 on.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        flags = os.O_CLOEXEC | os.O_NONBLOCK  # as TFD_CLOEXEC | TFD_NONBLOCK
        self._descriptor = self._checked(self._libc.timerfd_create(_CLOCK_MONOTONIC, flags))

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def set(self, when: float | None) -> None:
        """Become readable at `when`, in seconds of `time.monotonic`; None: never."""
        spec = _Itimerspec()
        if when is not None:
            spec.value.seconds = int(when)
            spec.value.nanoseconds = int(when % 1 * 1e9) or _NOT_ZERO
        self._checked(
            self._libc.timerfd_settime(self._descriptor, _ABSOLUTE, ctypes.byref(spec), None)
        )

    def _checked(self, result: int) -> int:
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), "timerfd")
        return result

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)
