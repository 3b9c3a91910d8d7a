"""A consumer that leaves out what git would: the names in `.gitignore` files, and `.git` itself."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator

from pathspec import GitIgnoreSpec

import famcore

__all__ = ["Gitignore"]

log = logging.getLogger(__name__)

_ALL_IN_IT = re.compile(r"/\*\*(/?) *\Z")
#: `*` and the like, of which pathspec matches no more than a letter; `?*` is the same.
_ANY_NAME = re.compile(r"\A(!?)(?:/?\*\*/)*\*\*?(/?) *\Z")


class Gitignore:
    """Told of nothing, asked of each entry: `fam_ignore` is the only hook it has.

    `names`: more patterns, separated by blanks, that hold in every directory.
    """

    def __init__(self, *, names: str = "") -> None:
        self._names = GitIgnoreSpec.from_lines(names.split())
        #: Directory → when its `.gitignore` was written, and what is in it.
        self._rules: dict[str, tuple[int, GitIgnoreSpec]] = {}

    @famcore.hookimpl
    def fam_ignore(self, path: str, is_directory: bool) -> bool | None:
        """True for what is left out. None for all else: another consumer may ignore it."""
        directory, _, name = path.rpartition("/")
        # A pattern that ends in a slash is for directories alone.
        slash = "/" if is_directory else ""
        if name == ".git" or self._names.match_file(name + slash):
            return True
        for above in _up_to_the_top(directory):
            rules = self._rules_in(above)
            if rules is not None:
                said = _said_of(path[len(above) + 1 :] + slash, rules)
                # The nearest file that says something counts: `!name` takes it in again.
                if said is not None:
                    return said or None
        return None

    def _rules_in(self, directory: str) -> GitIgnoreSpec | None:
        """What is in the `.gitignore` of `directory`, read anew when it has been written."""
        file = f"{directory}/.gitignore"
        try:
            written = os.stat(file).st_mtime_ns
        except OSError:
            self._rules.pop(directory, None)
            return None
        known = self._rules.get(directory)
        if known is None or known[0] != written:
            known = self._rules[directory] = (written, _read(file))
        return known[1]


def _said_of(path: str, rules: GitIgnoreSpec) -> bool | None:
    """What the last pattern that matches `path` says: True to ignore it, False not to.

    Not by `rules.check_file`: to pathspec a pattern that matches a directory matches what is in it,
    so that `!src/` takes in `src/build/`. Git asks of the entry itself, as famcore does.
    """
    for pattern in reversed(rules.patterns):
        found = pattern.match_file(path)
        if found is not None and found.match.end() >= len(path.rstrip("/")):
            return pattern.include
    return None


def _up_to_the_top(directory: str) -> Iterator[str]:
    """`directory` and those above it, up to the top of its repository."""
    while True:
        yield directory
        if not directory or os.path.lexists(f"{directory}/.git"):
            return
        directory = directory.rpartition("/")[0]


def _read(file: str) -> GitIgnoreSpec:
    try:
        # As git reads it: a byte order mark is skipped, and a lone "\r" ends no line.
        with open(file, encoding="utf-8-sig", errors="surrogateescape", newline="\n") as lines:
            return GitIgnoreSpec.from_lines(_valid(lines, file))
    except OSError as error:
        log.warning("%s can't be read, so it ignores nothing: %s", file, error.strerror)
        return GitIgnoreSpec([])


def _valid(lines: Iterable[str], file: str) -> Iterator[str]:
    """Those of `lines` that are patterns, or none at all."""
    for number, ended in enumerate(lines, 1):
        line = ended.removesuffix("\n").removesuffix("\r")
        # To pathspec `build/**` is `build/` too, to git only what is in it: `!build/kept` counts.
        line = _ALL_IN_IT.sub(r"/**/?*\1", line)
        line = _ANY_NAME.sub(r"\1?*\2", line)
        try:
            GitIgnoreSpec.from_lines([line])
        except (ValueError, re.error) as error:  # pathspec lets what `re` raises through
            log.warning("%s, line %d is left out: %s", file, number, error)
        else:
            yield line
