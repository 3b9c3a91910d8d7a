"""The installed backends: whether each can be used, why not, and which ones to try."""

from __future__ import annotations

import dataclasses
import enum
import logging
import os

from famcore.backend import API, Backend, Capability
from famcore.catalog.installed import Installed, describe, list_installed
from famcore.errors import BackendNotFound, BackendUnavailable, NoBackend, PluginError
from famcore.plugins.backends import backend_of, check_backend
from famcore.plugins.hooks import did_you_mean

log = logging.getLogger(__name__)

GROUP = "famcore.backends"


class Status(enum.StrEnum):
    """Whether a backend that is installed can be used."""

    USABLE = "usable"
    #: This machine lacks what it needs: `reason` and `hint` are its own words.
    UNAVAILABLE = "unavailable"
    #: It was written for another contract than `famcore.backend.API`.
    INCOMPATIBLE = "incompatible"
    #: Two distributions bring the name. Neither is imported.
    CONFLICT = "conflict"
    #: It failed: at import, in its hook, in `check`, or it breaks the contract.
    BROKEN = "broken"


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """One installed backend and how it stands. As a string: a sentence that says both."""

    name: str
    status: Status
    #: Why it is not usable; "" if it is.
    reason: str
    #: What would help; "" if nothing is known.
    hint: str
    #: "fam-kqueue 1.0"; in a conflict all that bring the name.
    distribution: str
    #: None where there is none that keeps this contract.
    backend: type[Backend] | None
    #: What it works by, in its own words; "" if it says nothing, or can't be used.
    about: str = ""

    @property
    def priority(self) -> int | None:
        """The class' own; None without a class."""
        return None if self.backend is None else self.backend.priority

    @property
    def capabilities(self) -> list[str]:
        """What it can do, in lower case."""
        has = Capability(0) if self.backend is None else self.backend.capabilities
        return [str(each.name).lower() for each in Capability if each in has]

    @property
    def live(self) -> bool:
        """Whether it goes on telling."""
        return self.backend is not None and Capability.LIVE in self.backend.capabilities

    @property
    def remark(self) -> str:
        """Reason and hint in one."""
        return f"{self.reason}; {self.hint}" if self.hint else self.reason

    def __str__(self) -> str:
        return f"backend {self.name!r} ({self.distribution}): {self.remark or self.status}"


def find_backends() -> list[Found]:
    """Every installed backend: the usable ones first, the best of them leading."""
    found = [_look(installed) for installed in list_installed(GROUP).values()]
    order = list(Status)
    return sorted(found, key=lambda it: (order.index(it.status), -(it.priority or 0), it.name))


def find_backend(name: str) -> Found:
    """The backend called `name`; no other one is imported. Raises `BackendNotFound`."""
    names = list_installed(GROUP)
    if name in names:
        return _look(names[name])
    raise BackendNotFound(
        f"no backend {name!r} is installed{did_you_mean(name, names)}"
        f" (installed: {', '.join(names) or 'none'}; more come by pip install fam-<name>)"
    )


def choose(wanted: str | type[Backend] | None) -> list[type[Backend]]:
    """The backends to try, in this order. All of them said that they can work here.

    `wanted` is a class, a name, or None: then `$FAM_BACKEND` names it, or else all live ones are
    given by their priority. Raises `BackendNotFound`, `BackendUnavailable`, `PluginError` about
    the one that is wanted, `NoBackend` where the choice is free and there is none.
    """
    if wanted is None:
        named = os.environ.get("FAM_BACKEND")
        return [_named(named, told="$FAM_BACKEND: ")] if named else _live()
    if isinstance(wanted, str):
        return [_named(wanted)]
    backend = check_backend(wanted, str(getattr(wanted, "name", wanted)))
    if backend.api != API:
        raise PluginError(f"backend {backend.__name__}: {'; '.join(_incompatibility(backend))}")
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


def _live() -> list[type[Backend]]:
    every = find_backends()
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


def _look(installed: Installed) -> Found:
    """Import the backend, ask for its class and whether that can work here."""
    backend: type[Backend] | None = None
    status, reason, hint, about = Status.USABLE, "", "", ""
    try:
        if installed.conflict:
            status = Status.CONFLICT
            reason, hint = "more than one distribution brings it", "uninstall all but one"
        else:
            asked = backend_of(installed.load(), installed.name)
            if asked.api != API:
                status, reason, hint = Status.INCOMPATIBLE, *_incompatibility(asked)
            else:
                backend = asked
                backend.check()
                about = backend.about()
    except BackendUnavailable as error:
        status, reason, hint = Status.UNAVAILABLE, error.reason, error.hint
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # SystemExit too: what a plugin does must not end who only asks what there is.
        log.debug("backend %r failed when looked at", installed.name, exc_info=True)
        status, reason = Status.BROKEN, describe(error, installed.name)
    return Found(installed.name, status, reason, hint, installed.distribution, backend, about)


def _incompatibility(backend: type[Backend]) -> tuple[str, str]:
    """Reason and hint for a class of another contract."""
    newer = "famcore" if backend.api > API else "the plugin"
    return (
        f"it was written for contract {backend.api}, this famcore has {API}",
        f"install a newer version of {newer}",
    )
