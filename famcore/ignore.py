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
    """A function of a name that is true if any of the `fnmatch` globs matches all of it.

    It is called for every name. Most globs are a star and an ending, and most names end in another
    letter, of which one look at the last tells.
    """
    endings, others = [], []
    for pattern in patterns:
        ending = pattern.removeprefix("*")
        if ending and ending != pattern and not set("*?[").intersection(ending):
            endings.append(ending)
        else:
            others.append(fnmatch.translate(pattern))
    if endings:
        last = "".join(re.escape(ending[-1]) for ending in endings)
        before = "|".join(f"(?<={re.escape(ending)})" for ending in endings)
        others.append(f"(?s:.*+)(?<=[{last}])(?:{before})")
    if not others:
        return lambda name: None
    return re.compile("|".join(others)).match


def should_ignore(match: Callable[[str], object], filename: str) -> bool:
    """Whether `filename` or its last part matches."""
    return bool(match(filename) or match(filename.rpartition("/")[2]))
