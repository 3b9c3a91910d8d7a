"""The installed backends: listed, one of them found by its name, and which ones to try."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence

from famcore.backend import API, Backend
from famcore.catalog.found import Found, Status
from famcore.catalog.installed import list_installed
from famcore.catalog.looking import incompatibility, look
from famcore.errors import BackendNotFound, BackendUnavailable, NoBackend, PluginError
from famcore.plugins.backends import check_backend
from famcore.plugins.hooks import did_you_mean

GROUP = "famcore.backends"


def find_backends() -> list[Found]:
    """Every installed backend: the usable ones first, the best of them leading."""
    found = [look(installed) for installed in list_installed(GROUP).values()]
    order = list(Status)
    return sorted(found, key=lambda it: (order.index(it.status), -(it.priority or 0), it.name))


def find_backend(name: str) -> Found:
    """The backend called `name`; no other one is imported. Raises `BackendNotFound`."""
    names = list_installed(GROUP)
    if name in names:
        return look(names[name])
    raise BackendNotFound(
        f"no backend {name!r} is installed{did_you_mean(name, names)}"
        f" (installed: {', '.join(names) or 'none'}; more come by pip install fam-<name>)"
    )


def choose(
    wanted: str | type[Backend] | None, *, among: Sequence[Found] | None = None
) -> list[type[Backend]]:
    """The backends to try, in this order. All of them said that they can work here.

    `wanted` is a class, a name, or None: then `$FAM_BACKEND` names it, or else all live ones are
    given by their priority; of those `among`, where `find_backends` has been asked already. Raises
    `BackendNotFound`, `BackendUnavailable`, `PluginError` about the one that is wanted, `NoBackend`
    where the choice is free and there is none.
    """
    if wanted is None:
        named = os.environ.get("FAM_BACKEND")
        return (
            [_named(named, told="$FAM_BACKEND: ")]
            if named
            else _live(find_backends() if among is None else among)
        )
    if isinstance(wanted, str):
        return [_named(wanted)]
    backend = check_backend(wanted, str(getattr(wanted, "name", wanted)))
    if backend.api != API:
        raise PluginError(f"backend {backend.__name__}: {'; '.join(incompatibility(backend))}")
    backend.check()
    return [backend]


def _named(name: str, *, told: str = "") -> type[Backend]:
    try:
        found = find_backend(name)
    except BackendNotFound as error:
        raise BackendNotFound(f"{told}{error}") from None
    if found.status is Status.USABLE and found.backend is not None:
        return found.backend
    if found.status is Status.UNAVAILABLE:
        without_hint = dataclasses.replace(found, hint="")
        raise BackendUnavailable(f"{told}{without_hint}", found.hint)
    raise PluginError(f"{told}{found}")


def _live(every: Sequence[Found]) -> list[type[Backend]]:
    live = [
        found.backend
        for found in every
        if found.status is Status.USABLE and found.live and found.backend is not None
    ]
    if live:
        return live
    if not every:
        raise NoBackend("no backend is installed; pip install one, as fam-inotify on Linux")
    rows = [
        f"{found.name} ({found.distribution}) is {found.status}"
        + (f": {found.remark}" if found.remark else ", but not live: name it to use it")
        for found in every
    ]
    raise NoBackend("\n  ".join(["no live backend can be used:", *rows]))
