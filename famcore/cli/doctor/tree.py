"""What is below a path, counted: how many watches a recursive monitor takes."""

from __future__ import annotations

import dataclasses
import os
import time

from famcore.backend import Backend, Capability
from famcore.cli.doctor.finding import Finding, Level
from famcore.ignore import DEFAULT_IGNORE, compile_patterns

#: Seconds for which it is counted.
LONG_ENOUGH = 3.0
#: Directories named, of those that can't be listed.
_NAMED = 3


@dataclasses.dataclass(slots=True)
class Tree:
    """A directory and what is below it, less what is ignored by default."""

    path: str
    #: Whether each file takes a watch, too.
    files_watched: bool
    directories: int = 1
    files: int = 0
    #: Those that may not be listed.
    closed: list[str] = dataclasses.field(default_factory=list)
    #: Whether it was counted to its end.
    complete: bool = False

    @property
    def watches(self) -> int:
        """How many a recursive monitor takes."""
        return self.directories + (self.files if self.files_watched else 0)


def count(path: str, backend: type[Backend]) -> Tree:
    """Count what is below `path` for a while. Links are not followed."""
    tree = Tree(path, Capability.CONTENTS not in backend.capabilities)
    ignored = compile_patterns(DEFAULT_IGNORE)
    until = time.monotonic() + LONG_ENOUGH
    waiting = [path]
    while waiting:
        directory = waiting.pop()
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    if time.monotonic() > until:
                        return tree
                    if ignored(entry.name):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        tree.directories += 1
                        waiting.append(entry.path)
                    else:
                        tree.files += entry.is_file(follow_symlinks=False)
        except PermissionError:
            tree.closed.append(directory)
        except OSError:  # it has gone, or its filesystem
            continue
    tree.complete = True
    return tree


def describe(tree: Tree) -> Finding:
    """What a recursive monitor of it takes, and what of it would not be heard."""
    at_least = "" if tree.complete else "at least "
    text = (
        f"{at_least}{_many(tree.directories, 'directory', 'directories')} from {tree.path} on, so"
        f" a recursive monitor takes {at_least}{_many(tree.watches, 'watch', 'watches')}"
    )
    if not tree.complete:
        text += f" (counted for {LONG_ENOUGH:g} s)"
    data = {
        "directories": tree.directories,
        "files": tree.files,
        "watches": tree.watches,
        "complete": tree.complete,
        "closed": len(tree.closed),
    }
    if not tree.closed:
        return Finding(Level.OK, "tree", text, data=data)
    some = ", ".join(sorted(tree.closed)[:_NAMED])
    more = len(tree.closed) - _NAMED
    text += f"; but {some}{f' and {more} more' if more > 0 else ''} may not be listed"
    return Finding(Level.WARNING, "tree", text, "run it as a user who may read them", data)


def _many(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"
