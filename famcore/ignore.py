"""Names that nobody wants to hear of: the default patterns, and patterns compiled to one match."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable

#: Bcfg2's defaults: the files that editors and version control leave beside the real ones.
DEFAULT_IGNORE = (
    "*~",
    "*#",
    ".#*",
    "*.swp",
    "*.swpx",
    ".*.swx",
    "SCCS",
    ".svn",
    "4913",
    ".gitignore",
)


def compile_patterns(patterns: Iterable[str]) -> Callable[[str], object]:
    """A function of a name that is true if any of the `fnmatch` globs matches all of it."""
    joined = "|".join(fnmatch.translate(pattern) for pattern in patterns)
    if not joined:
        return lambda name: None
    return re.compile(joined).match


def should_ignore(match: Callable[[str], object], filename: str) -> bool:
    """Whether `filename` or its last part matches."""
    return bool(match(filename) or match(filename.rpartition("/")[2]))
