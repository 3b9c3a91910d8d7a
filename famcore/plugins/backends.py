"""A backend plugin asked for its class, and the class held against the contract."""

from __future__ import annotations

import math
from typing import TypeGuard

from famcore.backend import API, Backend, Capability
from famcore.errors import PluginError
from famcore.plugins.check import check_plugin
from famcore.plugins.hooks import open_hooks


def backend_of(plugin: object, name: str) -> type[Backend]:
    """The class of the backend plugin that is installed as `name`; no other plugin is asked.

    A class written for another contract (`api`) is returned unchecked: this one's rules don't
    hold for it. What the hook itself raises passes through.
    """
    if "fam_backend" not in check_plugin(plugin, name):
        raise PluginError(
            f"plugin {name!r}: it has no fam_backend; write @famcore.hookimpl"
            " def fam_backend(): return YourBackend"
        )
    hooks = open_hooks(name)
    hooks.register(plugin, name)
    return check_backend(hooks.hook.fam_backend(), name)


def check_backend(backend: object, name: str) -> type[Backend]:
    """Return `backend` if it is a class that keeps the contract as the backend called `name`."""
    if not isinstance(backend, type):
        raise PluginError(f"plugin {name!r}: its backend is {backend!r}; give the class")
    if not issubclass(backend, Backend):
        raise PluginError(
            f"plugin {name!r}: {backend.__name__} is not a famcore.backend.Backend;"
            " make it a subclass"
        )
    breach = _breach(backend, name)
    if breach:
        raise PluginError(f"plugin {name!r}: {breach}")
    return backend


def _breach(backend: type[Backend], name: str) -> str | None:
    """What of the contract the class does not keep; None if it keeps all."""
    called = backend.__name__
    api = getattr(backend, "api", None)
    if not _is_int(api):
        return f"{called}.api is {api!r}; make it the number of the contract, {API} today"
    if api != API:
        return None
    missing = sorted(backend.__abstractmethods__)
    if missing:
        return f"{called} lacks {', '.join(missing)}; write them"
    given = getattr(backend, "name", None)
    if given != name:
        return f"{called}.name is {given!r}; make it {name!r}, as the entry point is called"
    priority = getattr(backend, "priority", None)
    if not (_is_int(priority) and 0 <= priority <= 99):
        return f"{called}.priority is {priority!r}; make it a number from 0 to 99"
    capabilities = getattr(backend, "capabilities", None)
    if not isinstance(capabilities, Capability):
        return f"{called}.capabilities is {capabilities!r}; make it a famcore.backend.Capability"
    for attribute in ("latency", "interval"):
        seconds = getattr(backend, attribute)
        if not (isinstance(seconds, int | float) and 0 <= seconds < math.inf):
            return f"{called}.{attribute} is {seconds!r}; make it a number of seconds"
    if not backend.interval:
        return f"{called}.interval is {backend.interval!r}; read() would be called all the time"
    return None


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
