"""The plugins of one group by name: who brings them, and the import of one of them."""

from __future__ import annotations

import dataclasses
import itertools
import operator
import os
import re
from collections.abc import Sequence
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from typing import Any, NoReturn

from stevedore.named import NamedExtensionManager

from famcore.catalog.failures import describe


@dataclasses.dataclass(frozen=True, slots=True)
class Installed:
    """One name of a group. Nothing of it is imported before `load`."""

    group: str
    name: str
    #: One for each distribution that brings the name.
    entry_points: tuple[EntryPoint, ...]
    #: Who brings it, with the version: "fam-kqueue 1.0"; in a conflict all who do.
    distribution: str
    #: Why it can't be told what to import; "" if it can.
    flaw: str = ""

    @property
    def conflict(self) -> bool:
        """Whether more than one distribution brings the name."""
        return len(self.entry_points) > 1

    def load(self) -> Any:
        """Import it and return what the entry point names; raises whatever its import does."""
        [extension] = _Listing(self.group, (self.name,), self.entry_points)
        return extension.plugin


def list_installed(group: str) -> dict[str, Installed]:
    """Everything in `group`, by name; a distribution seen twice on `sys.path` counts once.

    A distribution whose entry points can't be read is in it by its own name, if they speak of
    the group: it keeps nobody else from being found.
    """
    names: dict[str, Installed] = {}
    try:
        listed = _Listing(group).list_entry_points()
    except Exception:
        # importlib.metadata reads all of them for any, and one that it can't read ends that.
        listed, names = _read_one_by_one(group)
    listed.sort(key=operator.attrgetter("name"))
    for name, same in itertools.groupby(listed, operator.attrgetter("name")):
        # By the name inside: an uninstall that pip broke off leaves `~am_x-1.dist-info` behind.
        owners = {_identity(_distribution(each)): each for each in same}
        titles = sorted(_title(_distribution(each)) for each in owners.values())
        names[name] = Installed(group, name, tuple(owners.values()), ", ".join(titles))
    return dict(sorted(names.items()))


def _read_one_by_one(group: str) -> tuple[list[EntryPoint], dict[str, Installed]]:
    """The entry points of `group` that can be read, and the distributions whose can't be."""
    listed: list[EntryPoint] = []
    unreadable: dict[str, Installed] = {}
    seen = set()
    for distribution in distributions():
        identity = _identity(distribution)
        if identity in seen:
            continue
        seen.add(identity)
        try:
            listed += distribution.entry_points.select(group=group)
        except Exception as error:
            if _speaks_of(group, distribution):
                name = _name(distribution)
                flaw = f"its entry points can't be read: {describe(error, name)}"
                unreadable[name] = Installed(group, name, (), _title(distribution), flaw)
    return listed, unreadable


def _speaks_of(group: str, distribution: Distribution) -> bool:
    text = _entry_points_text(distribution)
    return text is None or f"[{group}]" in text


def _entry_points_text(distribution: Distribution) -> str | None:
    """What is to be read as entry points; None if it isn't UTF-8."""
    try:
        return distribution.read_text("entry_points.txt") or ""
    except ValueError:
        return None


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


def _identity(distribution: Distribution) -> object:
    """What makes two the same: the name, however it is written; without one, place and content."""
    name = _metadata(distribution, "Name")
    if name is not None:
        return re.sub("[-_.]+", "-", name).lower()
    where = os.path.realpath(str(distribution.locate_file("")))
    return where, _entry_points_text(distribution)


def _name(distribution: Distribution) -> str:
    """As its metadata have it; where there are none, the place where it is."""
    where = f"what has no name in {distribution.locate_file('')}"
    return _metadata(distribution, "Name") or where


def _title(distribution: Distribution) -> str:
    version = _metadata(distribution, "Version")
    return f"{_name(distribution)}{f' {version}' if version else ''}"


def _metadata(distribution: Distribution, field: str) -> str | None:
    """One field; None where there is none, or METADATA can't be read."""
    try:
        # To ask for one that isn't there is deprecated.
        return next(iter(distribution.metadata.get_all(field) or ()), None)
    except Exception:  # which ones, of a file that isn't there or isn't UTF-8, is not documented
        return None
