"""One installed backend looked at: imported, asked for its class, and whether that works here."""

from __future__ import annotations

import logging
import time

from famcore.backend import API, Backend
from famcore.catalog.failures import explain, one_line
from famcore.catalog.found import Found, Status
from famcore.catalog.installed import Installed
from famcore.errors import BackendUnavailable, PluginError
from famcore.plugins.backends import backend_of

log = logging.getLogger(__name__)

#: Seconds. Who takes longer is named, for it keeps everybody waiting who lists the backends.
SLOW = 3.0


def look(installed: Installed) -> Found:
    """Import the backend, ask for its class and whether that can work here.

    Whatever the plugin does meanwhile comes to be its status, but for `KeyboardInterrupt`; an end
    of the whole process (`os._exit`, a crash in C) can't be kept from here.
    """
    backend: type[Backend] | None = None
    status, reason, hint, about = Status.USABLE, "", "", ""
    who = f"backend {installed.name!r} ({installed.distribution})"
    log.debug("%s is looked at", who)
    began, doing = time.monotonic(), "import"
    try:
        if installed.flaw:
            status, reason, hint = Status.BROKEN, installed.flaw, "install it anew"
        elif installed.conflict:
            status = Status.CONFLICT
            reason, hint = "more than one distribution brings it", "uninstall all but one"
        else:
            plugin = installed.load()
            doing = "fam_backend"
            asked = backend_of(plugin, installed.name)
            if asked.api != API:
                status, reason, hint = Status.INCOMPATIBLE, *incompatibility(asked)
            else:
                backend = asked
                doing = "check"
                _check(backend)
                doing = "about"
                about = _about(backend)
    except BackendUnavailable as error:
        status = Status.UNAVAILABLE
        # Its own class may have made it without them.
        reason = one_line(getattr(error, "reason", error)) or "it doesn't say why"
        hint = one_line(getattr(error, "hint", ""))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # SystemExit too: what a plugin does must not end who only asks what there is.
        log.debug("backend %r failed when looked at", installed.name, exc_info=True)
        failure = explain(error, doing, installed.name, installed.entry_points[0])
        status = Status.INCOMPATIBLE if failure.incompatible else Status.BROKEN
        reason, hint = failure.reason, failure.hint
    took = time.monotonic() - began
    if took > SLOW:
        log.warning("%s took %.1f s to be looked at; name another one to do without it", who, took)
    return Found(installed.name, status, reason, hint, installed.distribution, backend, about)


def incompatibility(backend: type[Backend]) -> tuple[str, str]:
    """Reason and hint for a class of another contract."""
    newer = "famcore" if backend.api > API else "the plugin"
    return (
        f"it was written for contract {backend.api}, this famcore has {API}",
        f"install a newer version of {newer}",
    )


def _check(backend: type[Backend]) -> None:
    answer: object = backend.check()
    if answer is not None:
        raise PluginError(
            f"{backend.__name__}.check() gives {one_line(answer)}, which says nothing;"
            " make it raise BackendUnavailable(reason, hint), or return"
        )


def _about(backend: type[Backend]) -> str:
    about: object = backend.about()
    if not isinstance(about, str):
        raise PluginError(
            f"{backend.__name__}.about() gives {one_line(about)}; make it give a string"
        )
    return one_line(about)
