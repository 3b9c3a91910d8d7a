"""The plugins of one group by name: who brings them, and the import of one of them."""

from __future__ import annotations

import dataclasses
import itertools
import operator
from collections.abc import Sequence
from importlib.metadata import Distribution, EntryPoint, entry_points
from typing import Any, NoReturn

from stevedore.named import NamedExtensionManager

from famcore.errors import PluginError


@dataclasses.dataclass(frozen=True, slots=True)
class Installed:
    """One name of a group. Nothing of it is imported before `load`."""

    group: str
    name: str
    #: One for each distribution that brings the name.
    entry_points: tuple[EntryPoint, ...]

    @property
    def distribution(self) -> str:
        """Who brings it, with the version: "fam-kqueue 1.0"; in a conflict all who do."""
        return ", ".join(sorted(_title(each) for each in self.entry_points))

    @property
    def conflict(self) -> bool:
        """Whether more than one distribution brings the name."""
        return len(self.entry_points) > 1

    def load(self) -> Any:
        """Import it and return what the entry point names; raises whatever its import does."""
        [extension] = _Listing(self.group, (self.name,), self.entry_points)
        return extension.plugin


def list_installed(group: str) -> dict[str, Installed]:
    """Everything in `group`, by name; a distribution seen twice on `sys.path` counts once."""
    listed = sorted(_Listing(group).list_entry_points(), key=operator.attrgetter("name"))
    names: dict[str, Installed] = {}
    for name, same in itertools.groupby(listed, operator.attrgetter("name")):
        # By the name inside: an uninstall that pip broke off leaves `~am_x-1.dist-info` behind.
        owners = {_distribution(each).name: each for each in same}
        names[name] = Installed(group, name, tuple(owners.values()))
    return names


def describe(error: BaseException, name: str) -> str:
    """What to report of a failure of the plugin `name`: one line, without that name."""
    text = " ".join(str(error).split())
    if isinstance(error, PluginError):
        return text.removeprefix(f"plugin {name!r}: ")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _reraise(manager: object, entry_point: EntryPoint, error: BaseException) -> NoReturn:
    raise error


class _Listing(NamedExtensionManager[Any]):
    """stevedore, told what to load and from where.

    Its own listing is cached on disk by modification times in steps of 128 s: a plugin installed
    or replaced meanwhile would not show, and entry points from the cache know no distribution.
    """

    def __init__(
        self, group: str, names: Sequence[str] = (), listed: Sequence[EntryPoint] | None = None
    ) -> None:
        self._listed = entry_points(group=group) if listed is None else listed
        super().__init__(
            group,
            names,
            on_load_failure_callback=_reraise,
            on_missing_entrypoints_callback=None,
        )

    def list_entry_points(self) -> list[EntryPoint]:
        return list(self._listed)


def _distribution(entry_point: EntryPoint) -> Distribution:
    assert entry_point.dist is not None, "a listing of importlib.metadata knows it"
    return entry_point.dist


def _title(entry_point: EntryPoint) -> str:
    distribution = _distribution(entry_point)
    return f"{distribution.name} {distribution.version}"
