"""One thing that `fam doctor` found."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Mapping
from typing import Any


class Level(enum.StrEnum):
    """How much it hinders, the least first."""

    OK = enum.auto()
    #: Good to know.
    NOTE = enum.auto()
    #: Something will not be told, or may come not to be.
    WARNING = enum.auto()
    #: A monitor can't do its work.
    ERROR = enum.auto()

    @property
    def rank(self) -> int:
        """0 for the least."""
        return list(Level).index(self)


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one subject, and what to do about it."""

    level: Level
    #: What it is about, in a word: `backend`, `limit`, `filesystem`, …
    subject: str
    text: str
    #: A command, if there is one; "" if nothing is to be done.
    remedy: str = ""
    #: The same for programs.
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def worst(findings: Iterable[Finding]) -> Level:
    """The level of the worst of them."""
    return max((each.level for each in findings), key=lambda level: level.rank, default=Level.OK)
