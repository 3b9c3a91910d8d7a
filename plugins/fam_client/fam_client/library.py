"""FAM's C library as ctypes sees it: structures, codes and functions, of fam.h of FAM 2.7."""

from __future__ import annotations

import ctypes
import enum
import sys

from famcore.backend import BackendUnavailable

#: Bytes of `FAMEvent.filename`, the NUL included: `PATH_MAX`.
NAME_SIZE = 4096


class Code(enum.IntEnum):
    """`FAMCodes`: what an event says of a name."""

    CHANGED = 1
    DELETED = 2
    START_EXECUTING = 3
    STOP_EXECUTING = 4
    CREATED = 5
    MOVED = 6
    ACKNOWLEDGE = 7
    EXISTS = 8
    END_EXIST = 9


class FAMConnection(ctypes.Structure):
    """A connection to a server; the rest of it is the library's."""

    _fields_ = (("fd", ctypes.c_int), ("client", ctypes.c_void_p))


class FAMRequest(ctypes.Structure):
    """What a monitor is called in its events; the library numbers them for each connection."""

    _fields_ = (("reqnum", ctypes.c_int),)


class FAMEvent(ctypes.Structure):
    """One event."""

    _fields_ = (
        ("fc", ctypes.POINTER(FAMConnection)),
        ("fr", FAMRequest),
        ("hostname", ctypes.c_char_p),
        ("filename", ctypes.c_char * NAME_SIZE),
        ("userdata", ctypes.c_void_p),
        ("code", ctypes.c_int),
    )


_CONNECTION = ctypes.POINTER(FAMConnection)
_REQUEST = ctypes.POINTER(FAMRequest)
_MONITOR = (_CONNECTION, ctypes.c_char_p, _REQUEST, ctypes.c_void_p)

_SIGNATURES = {
    "FAMOpen2": (_CONNECTION, ctypes.c_char_p),
    "FAMClose": (_CONNECTION,),
    "FAMMonitorDirectory": _MONITOR,
    "FAMMonitorFile": _MONITOR,
    "FAMCancelMonitor": (_CONNECTION, _REQUEST),
    "FAMPending": (_CONNECTION,),
    "FAMNextEvent": (_CONNECTION, ctypes.POINTER(FAMEvent)),
}


def load(name: str, remedy: str) -> ctypes.CDLL:
    """The library called `name`. Raises `BackendUnavailable` with `remedy` if it can't be had.

    Nor can it be had elsewhere than on Linux: it is waited for by epoll and eventfd.
    """
    if not sys.platform.startswith("linux"):
        raise BackendUnavailable(
            f"{name} is used on Linux alone", "install the backend of this system"
        )
    try:
        library = ctypes.CDLL(name)
        for function, arguments in _SIGNATURES.items():
            getattr(library, function).argtypes = arguments
    except (OSError, AttributeError) as error:
        raise BackendUnavailable(f"{name} can't be loaded: {error}", remedy) from error
    return library


def is_gamins(library: ctypes.CDLL) -> bool:
    """Whether it speaks to a gam_server, not to SGI's famd: FAM itself lacks `FAMNoExists`."""
    return hasattr(library, "FAMNoExists")
