"""The system's limits: those the backend speaks of, and that of open files."""

from __future__ import annotations

import resource
from collections.abc import Iterator

from famcore.backend import Backend, Limit, Spent
from famcore.catalog.failures import describe
from famcore.cli.doctor.finding import Finding, Level
from famcore.cli.doctor.tree import Tree

#: Of a limit that is used to this part, somebody will soon find nothing left.
_NEARLY = 0.8
#: Open files that a program needs to work at ease.
_FEW_FILES = 256

_SPENT = {
    Spent.WATCH: "one for each thing watched",
    Spent.BACKEND: "one for each started FileMonitor",
    Spent.CHANGE: "one for each change that waits to be read",
}


def judge_limits(backend: type[Backend], tree: Tree | None) -> Iterator[Finding]:
    """Say of each limit of `backend` how much is left, and if that is enough for all of `tree`."""
    try:
        for limit in backend.limits():
            needed = tree.watches if tree and limit.spent is Spent.WATCH else 0
            yield _judge(limit, needed, tree)
    except Exception as error:  # a plugin's own
        text = f"what limits {backend.name} can't be told: {describe(error, backend.name)}"
        yield Finding(Level.WARNING, "limit", text, "report it to the backend's author")


def _judge(limit: Limit, needed: int, tree: Tree | None) -> Finding:
    level = Level.OK
    text = f"{limit.name} ({_SPENT[limit.spent]})"
    if limit.used is None:
        text += f" is {limit.value}"
    else:
        at_least = "at least " if limit.unseen else ""
        text += f": {at_least}{limit.used} of {limit.value} are in use"
        if limit.used >= _NEARLY * limit.value:
            level = Level.WARNING
    if tree and needed > limit.value - (limit.used or 0):
        level = Level.WARNING
        text += f", and a recursive monitor of {tree.path} takes {needed}"
    if limit.unseen:
        text += f"; {limit.unseen} may not be looked into"
    wanted = _round(max(2 * limit.value, (limit.used or 0) + needed))
    remedy = "" if level is Level.OK else limit.remedy.replace("{value}", str(wanted))
    data = {"name": limit.name, "value": limit.value, "used": limit.used, "unseen": limit.unseen}
    return Finding(level, "limit", text, remedy, data)


def _round(number: int) -> int:
    """The power of two that is not below it."""
    return 1 << (number - 1).bit_length()


def judge_open_files() -> Finding:
    """The limit of open files, which every backend takes a few of."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    is_low = 0 <= soft < _FEW_FILES
    text = f"open files (some for each started FileMonitor): {_number(soft)} for each process"
    if soft != hard:
        text += f", which may make that {_number(hard)} itself"
    return Finding(
        Level.WARNING if is_low else Level.OK,
        "limit",
        text,
        "ulimit -n 1024; for a service LimitNOFILE=1024" if is_low else "",
        {"name": "RLIMIT_NOFILE", "value": soft, "hard": hard},
    )


def _number(limit: int) -> str:
    return "no limit" if limit == resource.RLIM_INFINITY else str(limit)
