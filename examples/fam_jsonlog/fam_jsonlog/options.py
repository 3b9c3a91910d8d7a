"""What the options may be, and what they come to."""

from __future__ import annotations

import os
import re

import famcore

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def absolute(path: str) -> str:
    """The file, wherever this process goes; `~` is a home: no shell looks into an option."""
    return os.path.abspath(os.path.expanduser(path))


def bytes_of(option: str, value: str | int) -> int:
    """`10M`: a size. Raises `PluginError`, which famcore tells with the name of the consumer."""
    found = re.fullmatch(r"([0-9]+)([KMG]?)", str(value).upper())
    size = int(found[1]) * _UNITS[found[2]] if found else 0
    if not size:
        raise famcore.PluginError(
            f"{option} is {value!r}; give bytes, above 0, or K, M or G of them, as 10M"
        )
    return size


def number_of(option: str, value: str | int) -> int:
    """`5`: a number. Raises `PluginError`."""
    if not re.fullmatch(r"[0-9]+", str(value)):
        raise famcore.PluginError(f"{option} is {value!r}; give a number, 0 or more")
    return int(value)
