"""Which backend is used if none is named, and why none of the others is."""

from __future__ import annotations

import os
from collections.abc import Iterator

from famcore.backend import Backend, Capability
from famcore.catalog import Found, Status, choose, find_backends
from famcore.cli.doctor.finding import Finding, Level
from famcore.errors import FamError, NoBackend

#: Something is wrong with what is installed, not just missing on this machine.
_WRONG = (Status.INCOMPATIBLE, Status.CONFLICT, Status.BROKEN)


def look_at_backends() -> tuple[list[type[Backend]], list[Finding]]:
    """The backends to try, in this order, and what there is to say of each that is installed."""
    every = find_backends()
    try:
        chosen = choose(None, among=every)
    except FamError as error:
        first, *_ = str(error).splitlines()
        remedy = getattr(error, "hint", "")
        if isinstance(error, NoBackend):  # any of them would do
            remedy = next((it.hint for it in every if it.hint), "")
        none = Finding(Level.ERROR, "backend", first.rstrip(":"), remedy)
        return [], [none, *_others(every, "")]
    best = chosen[0]
    named = os.environ.get("FAM_BACKEND")
    why = "$FAM_BACKEND names it" if named else "the live one of the highest priority"
    who = next((f" ({it.distribution})" for it in every if it.name == best.name), "")
    data = {"name": best.name, "priority": best.priority, "status": Status.USABLE}
    picked = Finding(Level.OK, "backend", f"{best.name}{who} is picked: {why}", data=data)
    if Capability.LIVE not in best.capabilities:
        text = f"{picked.text}, and it is not live: no change is told"
        picked = Finding(Level.ERROR, "backend", text, "unset FAM_BACKEND", data)
    return chosen, [picked, *_others(every, best.name)]


def _others(every: list[Found], picked: str) -> Iterator[Finding]:
    for found in every:
        if found.name != picked:
            level = Level.WARNING if found.status in _WRONG else Level.NOTE
            text = f"{found.name} ({found.distribution}) is {found.status}{_why_not(found)}"
            data = {"name": found.name, "priority": found.priority, "status": found.status}
            yield Finding(level, "backend", text, found.hint, data)


def _why_not(found: Found) -> str:
    if found.status is not Status.USABLE:
        return f": {found.reason}"
    if not found.live:
        return ", but not live: it is used only when named"
    if os.environ.get("FAM_BACKEND"):
        return f", of priority {found.priority}: it is not used, as $FAM_BACKEND names another"
    return f", of priority {found.priority}: it comes after the one that is picked"
