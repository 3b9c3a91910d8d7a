"""Whether this user may go to a path, and read what is on the way."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator

from famcore.cli.doctor.finding import Finding, Level

#: How long what is above a path and can't be heard goes unlooked at: `FileMonitor(audit=…)`.
_LOOKED_AT = "it is looked at every 60 s, not heard"


def look_at_way(path: str) -> Iterator[Finding]:
    """Say of each directory on the way to `path`, and of `path`, what this user may not do."""
    hindered = False
    for finding in _hindrances(path):
        hindered = True
        yield finding
    if not hindered:
        if not os.path.exists(path):
            yield _missing(path)
        else:
            yield Finding(Level.OK, "permission", f"{_user()} may read all on the way to {path}")


def _hindrances(path: str) -> Iterator[Finding]:
    for directory in _above(path):
        if not _may(directory, os.X_OK):
            yield _closed(Level.ERROR, "go through", directory, "x")
        elif not _may(directory, os.R_OK):
            yield _closed(Level.NOTE, "read", directory, "r", f": {_LOOKED_AT}")
    if os.path.isdir(path) and not _may(path, os.R_OK | os.X_OK):
        yield _closed(Level.ERROR, "list and watch", path, "rx")
    elif os.path.isfile(path) and not _may(path, os.R_OK):
        yield _closed(Level.ERROR, "read", path, "r")


def _missing(path: str) -> Finding:
    if os.path.islink(path):
        text = f"{path} is a link to {os.readlink(path)}, which is not there: it is waited for"
        return Finding(Level.NOTE, "path", text)
    parent = os.path.dirname(path)
    if os.path.isdir(parent):
        return Finding(Level.NOTE, "path", f"{path} is not there yet: it is waited for")
    above = parent
    while not os.path.lexists(above):
        above = os.path.dirname(above)
    if not os.path.isdir(above):
        text = f"{path} can't come to be: {above} is not a directory"
        return Finding(Level.ERROR, "path", text, "give another path")
    text = f"{path} is not there, nor the directory that it would be in"
    return Finding(Level.ERROR, "path", text, f"mkdir -p {shlex.quote(parent)}")


def _above(path: str) -> list[str]:
    """The directories on the way, the root first: as the path is written, then as links lead."""
    found: dict[str, None] = {}
    for way in (path, os.path.realpath(path)):
        above = []
        while (parent := os.path.dirname(way)) != way:
            above.append(parent)
            way = parent
        found.update(dict.fromkeys(each for each in reversed(above) if os.path.isdir(each)))
    return list(found)


def _may(path: str, how: int) -> bool:
    return os.access(path, how, effective_ids=os.access in os.supports_effective_ids)


def _closed(level: Level, what: str, path: str, mode: str, then: str = "") -> Finding:
    has = stat.filemode(os.stat(path).st_mode)
    user = _user()
    return Finding(
        level,
        "permission",
        f"{user} may not {what} {path} ({has}){then}",
        f"sudo setfacl -m u:{user}:{mode} {shlex.quote(path)}",
        {"path": path, "mode": has},
    )


def _user() -> str:
    try:
        import pwd

        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
