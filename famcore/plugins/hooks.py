"""pluggy with the hooks of famcore: what each one gives, and a place to register plugins at."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterable

import pluggy

from famcore import hookspecs

#: Each hook's name → the names of the arguments that it gives, in order.
HOOKS: dict[str, tuple[str, ...]] = {
    name: tuple(inspect.signature(spec).parameters)
    for name, spec in vars(hookspecs).items()
    if hasattr(spec, "famcore_spec")
}


def open_hooks(name: str) -> pluggy.PluginManager:
    """A place for plugins, empty; under `FAM_TRACE=1` its calls are told on stderr as `name`'s."""
    hooks = pluggy.PluginManager("famcore")
    hooks.add_hookspecs(hookspecs)
    if os.environ.get("FAM_TRACE", "0") not in ("", "0"):
        hooks.trace.root.setwriter(lambda text: sys.stderr.write(f"{name}: {text}"))
        hooks.enable_tracing()
    return hooks


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question to append to a message; "" if nothing known resembles `word`."""
    close = nearest(word, known)
    return f"; did you mean {close}?" if close else ""


def nearest(word: str, known: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """The one of `known` that `word` is most like, if it is at all (1.0 is the same)."""
    import difflib  # costs an import of famcore 2 ms, and only a mistake needs it

    return next(iter(difflib.get_close_matches(word, known, 1, likeness)), None)
