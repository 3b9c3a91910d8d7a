"""The consumers of one `FileMonitor`: registered, ordered by pluggy, called one by one."""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable, Iterator
from typing import Any

import pluggy

from famcore.errors import PluginError
from famcore.plugins.check import check_consumer
from famcore.plugins.hooks import open_hooks

#: A consumer's name, and what calls its implementation of one hook with keyword arguments.
Caller = tuple[str, Callable[..., Any]]


class Consumers:
    """Plugins that are told of events. Who calls them sees to it that one's failure stays its own.

    Each is registered twice: with all others, which gives the order, and alone, which is how it
    is called. (pluggy's `subset_hook_caller` lists those left out, so it also calls whoever comes
    later, in the middle of a batch too.)
    """

    def __init__(self) -> None:
        self._all = open_hooks("all consumers")
        self._alone: dict[str, pluggy.PluginManager] = {}
        #: By hook. Replaced, not cleared: another thread may be filling the one it found.
        self._callers: dict[str, tuple[Caller, ...]] = {}
        #: `callers` of `fam_events`, asked for with each batch.
        self.of_events: tuple[Caller, ...] = ()

    def __len__(self) -> int:
        return len(self._alone)

    def __iter__(self) -> Iterator[tuple[str, object]]:
        """Each consumer's name and the consumer, in the order of registration."""
        return iter(self._all.list_name_plugin())

    def register(self, consumer: object, name: str | None = None) -> str:
        """Add a module or an instance with hookimpls; return the name that logs call it by."""
        name = name or self._name_of(consumer)
        check_consumer(consumer, name)
        for known, other in self:
            if known == name:
                raise PluginError(f"plugin {name!r}: the name is taken; register it by another")
            if other is consumer or other == consumer:
                raise PluginError(
                    f"plugin {name!r}: it is (or equals) {known!r}, which is registered;"
                    " unregister that first"
                )
        alone = open_hooks(name)
        alone.register(consumer, name)
        self._alone[name] = alone
        self._all.register(consumer, name)
        self._look_up()
        return name

    def unregister(self, consumer: object) -> None:
        """Remove a consumer. A call of it that was looked up before does nothing any more."""
        for name, other in self:
            if other is consumer:
                self._all.unregister(consumer, name)
                self._alone.pop(name).unregister(consumer, name)
                self._look_up()
                return
        raise PluginError(f"{consumer!r} is not registered as a consumer")

    def _look_up(self) -> None:
        self._callers = {}
        self.of_events = self.callers("fam_events")

    def callers(self, hook: str) -> tuple[Caller, ...]:
        """Those that implement `hook`, in pluggy's order (the last registered is called first).

        What a caller returns is pluggy's: the answer or None of a `firstresult` hook, else a list.
        """
        callers = self._callers
        if hook not in callers:
            found = reversed(getattr(self._all.hook, hook).get_hookimpls())
            alone = self._alone
            callers[hook] = tuple(
                (name, getattr(alone[name].hook, hook))
                for name in dict.fromkeys(implementation.plugin_name for implementation in found)
                if name in alone
            )
        return callers[hook]

    def _name_of(self, consumer: object) -> str:
        named = consumer if isinstance(consumer, types.ModuleType | type) else type(consumer)
        name = named.__name__
        free = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
        return next(each for each in free if each not in self._alone)
