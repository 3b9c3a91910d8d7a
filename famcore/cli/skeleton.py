"""A distribution to begin with: its name looked at, its files written from a template."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from famcore.catalog.installed import list_installed
from famcore.errors import FamError, PluginError

#: A part of a module's name; blanks of a sort where it is written for people.
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: What the name of each file of a template ends with, for it is none of Python's before.
_SUFFIX = ".in"


class Names(NamedTuple):
    """What a plugin called `name` is called elsewhere."""

    name: str
    #: What pip knows it by.
    distribution: str
    module: str
    #: What the name of its class begins with; alone it may be one of Python's, as None.
    prefix: str


def names_of(name: str) -> Names:
    """The names for a plugin called `name`. Raises `ValueError`, which says what is wrong."""
    if name.startswith(("fam_", "fam-")):
        raise ValueError(f"{name!r}: leave out {name[:4]}, it is put before it")
    if not _NAME.fullmatch(name):
        other = name.lower().replace("-", "_")
        hint = f"; as {other}" if _NAME.fullmatch(other) else ""
        raise ValueError(
            f"{name!r}: a name has small letters a to z, digits, and single underscores within;"
            f" a letter comes first{hint}"
        )
    prefix = "".join(part.capitalize() for part in name.split("_"))
    return Names(name, f"fam-{name.replace('_', '-')}", f"fam_{name}", prefix)


def check_free(names: Names, kind: str) -> None:
    """Raise `PluginError` if a plugin or a distribution that is installed has the name already."""
    taken = list_installed(f"famcore.{kind}s").get(names.name)
    if taken is not None:
        raise PluginError(
            f"{kind} {names.name!r} is installed already ({taken.distribution});"
            " choose another name"
        )
    try:
        there = f"{names.distribution} {version(names.distribution)}"
    except PackageNotFoundError:
        return
    raise PluginError(f"{there} is installed already and would be replaced; choose another name")


def write(kind: str, names: Names, directory: Path) -> list[Path]:
    """Write the distribution into `directory`, new or empty; return its files.

    Raises `FamError` if something is there, else the system's `OSError`.
    """
    directory.mkdir(exist_ok=True)
    if any(directory.iterdir()):
        raise FamError(f"{directory} is not empty; nothing is written over: give another by --to")
    words = names._asdict()
    written = []
    for parts, template in _files_of(files("famcore.cli") / "templates" / kind):
        path = directory.joinpath(*(part.replace("name", names.name) for part in parts))
        path.parent.mkdir(exist_ok=True)
        text = string.Template(template.read_text("utf-8")).substitute(words)
        path.write_text(text, "utf-8")
        written.append(path)
    return sorted(written)


def _files_of(
    folder: Traversable, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files_of(entry, (*above, entry.name))
        elif entry.name.endswith(_SUFFIX):
            yield (*above, entry.name.removesuffix(_SUFFIX)), entry
