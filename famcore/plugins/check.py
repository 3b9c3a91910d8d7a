"""What pluggy accepts in silence and never calls as its author meant, found at registration.

Attributes are looked at without being read, so that no property of a plugin runs.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Iterator
from typing import Any

import pluggy

from famcore.errors import PluginError
from famcore.plugins.hooks import HOOKS, did_you_mean, nearest

#: Asked for nothing but what it would make of an attribute.
_PLUGGY = pluggy.PluginManager("famcore")


def check_plugin(plugin: object, name: str) -> frozenset[str]:
    """The names of the hooks that `plugin` implements; `PluginError` says the first thing wrong."""
    for flaw in flaws(plugin):
        raise PluginError(f"plugin {name!r}: {flaw}")
    return frozenset(hook for _, hook, _ in _marked(plugin))


def check_consumer(plugin: object, name: str) -> None:
    """As `check_plugin`, and that it implements what a consumer is told by."""
    if check_plugin(plugin, name) <= {"fam_backend"}:
        raise PluginError(
            f"plugin {name!r}: it implements fam_backend alone, so it is no consumer;"
            " name its backend in FileMonitor(backend=...)"
        )


def flaws(plugin: object) -> Iterator[str]:
    """Say of each thing that is wrong with `plugin` what it is and what to do about it."""
    if isinstance(plugin, type):
        yield f"{plugin.__name__} is a class; give an instance of it"
        return
    try:
        hash(plugin)
    except Exception as error:
        yield (
            f"it can't be kept in a set ({error}); give {type(plugin).__name__} a __hash__,"
            " or eq=False if it is a dataclass"
        )
    marked = list(_marked(plugin))
    seen = {attribute for attribute, _, _ in marked}
    overlooked = [
        flaw
        for attribute in dir(plugin)
        if attribute not in seen and (flaw := _overlooked(plugin, attribute))
    ]
    yield from overlooked
    for attribute, hook, options in marked:
        yield from _misfits(getattr(plugin, attribute), attribute, hook, options)
    if not marked and not overlooked:
        yield (
            f"it implements no hook; put @famcore.hookimpl above a function named as one of"
            f" {', '.join(HOOKS)}"
        )


def _marked(plugin: object) -> Iterator[tuple[str, str, pluggy.HookimplOpts]]:
    """Each attribute that pluggy would call, the hook it stands for, the options of its mark."""
    for attribute in dir(plugin):
        options = _PLUGGY.parse_hookimpl_opts(plugin, attribute)
        if options is not None:
            yield attribute, options.get("specname") or attribute, options


def _overlooked(plugin: object, attribute: str) -> str | None:
    """Why pluggy would pass by an attribute that was meant for a hook; None if it wasn't."""
    held = inspect.getattr_static(plugin, attribute, None)
    function = held.__func__ if isinstance(held, staticmethod | classmethod) else held
    marked = isinstance(inspect.getattr_static(function, "famcore_impl", None), dict)
    if not (callable(function) or isinstance(function, functools.partialmethod)):
        return None
    if attribute not in HOOKS and not marked:
        # A helper may be called fam_something; what is this like a hook's name is a slip.
        close = nearest(attribute, HOOKS, likeness=0.85) if attribute.startswith("fam_") else None
        return close and f"{attribute} is not a hook; did you mean {close}, with @famcore.hookimpl?"
    if not isinstance(function, types.FunctionType | types.MethodType):
        return (
            f"{attribute} is a {type(function).__name__}, which pluggy does not call;"
            " make it a function or a method"
        )
    others = [mark for mark in vars(function) if mark.endswith("_impl")]
    if others:
        project = others[0].removesuffix("_impl")
        return f"{attribute} is marked as a hook of {project}; put @famcore.hookimpl above it"
    return f"{attribute} is not decorated; put @famcore.hookimpl above it"


def _misfits(
    function: Any, attribute: str, hook: str, options: pluggy.HookimplOpts
) -> Iterator[str]:
    """What keeps `function` from being called as an implementation of `hook`."""
    label = attribute if attribute == hook else f"{attribute} ({hook})"
    if hook not in HOOKS:
        if not options.get("optionalhook"):
            known = did_you_mean(hook, HOOKS) or f"; the hooks are {', '.join(HOOKS)}"
            yield f"{label} is not a hook{known}"
        return
    if options.get("wrapper") or options.get("hookwrapper"):
        yield f"{label} is a wrapper, but each plugin is called alone; make it a plain function"
    elif inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        yield f"{label} is async and would never be awaited; make it a plain def"
    elif inspect.isgeneratorfunction(function):
        yield f"{label} yields, so its body would never run; make it a plain function"
    if _lacks_self(function, hook):
        yield f"{label} is a method without self; make that its first argument"
    else:
        yield from _misfit_arguments(function, label, hook)


def _lacks_self(function: Any, hook: str) -> bool:
    if not inspect.ismethod(function):
        return False
    first = next(iter(inspect.signature(function.__func__).parameters), None)
    return first is None or first in HOOKS[hook]


def _misfit_arguments(function: Any, label: str, hook: str) -> Iterator[str]:
    """Pluggy passes arguments by place, those with a default by keyword, and no others."""
    gives = f"the hook gives {', '.join(HOOKS[hook]) or 'no arguments'}"
    for argument in inspect.signature(function).parameters.values():
        match argument.kind:
            case argument.VAR_POSITIONAL | argument.VAR_KEYWORD:
                stars = "*" if argument.kind is argument.VAR_POSITIONAL else "**"
                yield (
                    f"{label} would find nothing in {stars}{argument.name};"
                    f" name the arguments it needs: {gives}"
                )
            case _ if argument.name not in HOOKS[hook]:
                yield (
                    f"{label} takes {argument.name!r}, but {gives}"
                    f"{did_you_mean(argument.name, HOOKS[hook])}"
                )
            case argument.KEYWORD_ONLY:
                yield f"{label} takes {argument.name!r} by keyword only; remove the * before it"
            case argument.POSITIONAL_ONLY if argument.default is not argument.empty:
                yield f"{label} takes {argument.name!r} by place only; remove the / or the default"
