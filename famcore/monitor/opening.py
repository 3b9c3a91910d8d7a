"""What `start` opens: consumers by their names, the backend by name, class or choice."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping

from famcore.backend import Backend
from famcore.errors import NoBackend, PluginError
from famcore.plugins import Consumers

log = logging.getLogger(__name__)

#: The name of an installed consumer and its options.
Named = tuple[str, Mapping[str, str]]


def sort_out(consumers: Iterable[str | Named | object], known: Consumers) -> list[Named]:
    """Register those `consumers` that are objects; return those that are names."""
    named: list[Named] = []
    for consumer in consumers:
        if isinstance(consumer, str):
            named.append((consumer, {}))
        elif isinstance(consumer, tuple):
            name, options = consumer
            named.append((name, options))
        else:
            known.register(consumer)
    return named


def load(named: list[Named], known: Consumers) -> None:
    """Register the installed consumers that are `named`, which leave the list."""
    if named:
        from famcore.catalog import load_consumer

        while named:
            name, options = named[0]
            known.register(load_consumer(name, options), name)
            del named[0]


def open_backend(wanted: str | type[Backend] | None) -> Backend:
    """An instance of the backend that is `wanted` or `$FAM_BACKEND`, else of the best live one.

    Raises what keeps the one asked for from being used, or `NoBackend`.
    """
    from famcore.catalog import choose

    is_asked_for = wanted is not None or bool(os.environ.get("FAM_BACKEND"))
    reasons = []
    for cls in choose(wanted):
        try:
            return cls()
        except (Exception, SystemExit) as error:
            if is_asked_for and isinstance(error, Exception):
                raise
            if is_asked_for:
                raise PluginError(f"backend {cls.name!r} exits: {error}") from error
            log.warning("backend %r can't start: %s", cls.name, error)
            reasons.append(f"backend {cls.name!r}: {error}")
    raise NoBackend("\n  ".join(["no live backend can be started:", *reasons]))
