"""The installed consumers: listed, and one of them imported and given its options."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from famcore.catalog.failures import describe, explain
from famcore.catalog.installed import list_installed
from famcore.errors import PluginError
from famcore.plugins.check import check_consumer
from famcore.plugins.hooks import did_you_mean

GROUP = "famcore.consumers"


def find_consumers() -> list[tuple[str, str]]:
    """The name of each installed consumer and who brings it; none is imported."""
    return [(each.name, each.distribution) for each in list_installed(GROUP).values()]


def load_consumer(name: str, options: Mapping[str, str]) -> object:
    """Import the consumer called `name`: a module, an instance, or a class called with `options`.

    Raises `PluginError` about the name, the import or the options; an `OSError` of a class that
    opens something is passed on.
    """
    names = list_installed(GROUP)
    if name not in names:
        raise PluginError(
            f"no consumer {name!r} is installed{did_you_mean(name, names)}"
            f" (installed: {', '.join(names) or 'none'})"
        )
    said = f"consumer {name!r} ({names[name].distribution})"
    if names[name].flaw:
        raise PluginError(f"{said}: {names[name].flaw}; install it anew")
    if names[name].conflict:
        raise PluginError(f"{said}: more than one distribution brings it; uninstall all but one")
    try:
        plugin = names[name].load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        failure = explain(error, "import", name, names[name].entry_points[0])
        raise PluginError(f"{said}: {failure.remark}") from error
    if isinstance(plugin, type):
        _check_options(plugin, options, said)
        plugin = _make(plugin, options, said, name)
    elif options:
        raise PluginError(f"{said}: it takes no options, remove {', '.join(options)}")
    _check(plugin, said, name)
    return plugin


def _check(consumer: object, said: str, name: str) -> None:
    """As the registration does, but with the distribution to blame."""
    try:
        check_consumer(consumer, name)
    except PluginError as error:
        raise PluginError(f"{said}: {describe(error, name)}") from None


def _make(consumer: type, options: Mapping[str, str], said: str, name: str) -> object:
    try:
        return consumer(**options)
    except (KeyboardInterrupt, OSError):
        raise
    except BaseException as error:
        given = ", ".join(f"{key}={value}" for key, value in options.items()) or "no options"
        raise PluginError(f"{said}: {describe(error, name)}; it was given {given}") from error


def _check_options(consumer: type, options: Mapping[str, str], said: str) -> None:
    """Hold `options` against the arguments of the class, as a call would, but by name."""
    try:
        arguments = inspect.signature(consumer).parameters.values()
    except ValueError:  # a class of C code may not tell its arguments
        return
    by_name = {
        each.name: each
        for each in arguments
        if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)
    }
    accepts = f"it accepts {', '.join(by_name) or 'none'}"
    if not any(each.kind is each.VAR_KEYWORD for each in arguments):
        for option in options:
            if option not in by_name:
                hint = did_you_mean(option, by_name)
                raise PluginError(f"{said}: no option {option!r}{hint}; {accepts}")
    for option, argument in by_name.items():
        if argument.default is argument.empty and option not in options:
            raise PluginError(f"{said}: it needs the option {option!r}; {accepts}")
