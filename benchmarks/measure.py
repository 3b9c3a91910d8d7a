"""What all measures have in common: rounds of every watcher in turn, a row of each, a table."""

from __future__ import annotations

import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, ClassVar, NamedTuple, Self

from benchmarks.processes import TMPFS
from benchmarks.watchers import WATCHERS, Watcher

#: What the others are compared with.
FIRST = next(iter(WATCHERS))


class Plan(NamedTuple):
    """How much is done."""

    rounds: int
    #: Seconds until a watcher is given up.
    deadline: float


@dataclass(frozen=True)
class Measure(ABC):
    """Something that is measured of every watcher. A round and a row are a `NamedTuple` each."""

    name: str
    #: How much: operations, directories, seconds.
    size: int

    #: Of the table's columns.
    headings: ClassVar[Sequence[str]]

    def resized(self, size: int) -> Self:
        """The same of another size."""
        return replace(self, size=size)

    @property
    @abstractmethod
    def title(self) -> str:
        """What stands above the table."""

    @abstractmethod
    def carry_out(self, watchers: Sequence[Watcher], plan: Plan) -> dict[str, list[Any]]:
        """All rounds by the watcher's name."""

    def log(self, text: str) -> None:
        print(self.name, text, file=sys.stderr)

    @abstractmethod
    def summarise(self, rounds: Mapping[str, Sequence[Any]]) -> list[Any]:
        """A row of each watcher."""

    @abstractmethod
    def cells(self, row: Any) -> list[str]:
        """A row as the table has it."""

    def format(self, rows: Sequence[Any]) -> str:
        """The rows as a Markdown table under the title."""
        return format_table(self.title, self.headings, map(self.cells, rows))


class InTurn(Measure):
    """Of one watcher after the other, round by round, so that a slow minute is everyone's."""

    def prepare(self, top: str) -> None:
        """Put into `top`, an empty directory on tmpfs, what all rounds share."""

    @abstractmethod
    def once(self, watcher: Watcher, deadline: float, top: str) -> Any:
        """One round of a watcher, which leaves `top` as it was."""

    def carry_out(self, watchers: Sequence[Watcher], plan: Plan) -> dict[str, list[Any]]:
        rounds: dict[str, list[Any]] = {watcher.name: [] for watcher in watchers}
        with tempfile.TemporaryDirectory(dir=TMPFS) as top:
            self.prepare(top)
            for number in range(plan.rounds):
                for watcher in watchers:
                    self.log(f"{number + 1}/{plan.rounds} {watcher.name}")
                    rounds[watcher.name].append(self.once(watcher, plan.deadline, top))
        return rounds


def format_table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; all but the first column are numbers."""
    ruler = ["---", *["--:"] * (len(headings) - 1)]
    lines = [f"| {' | '.join(cells)} |" for cells in (headings, *rows)]
    return "\n".join([title, "", lines[0], f"|{'|'.join(ruler)}|", *lines[1:]])


def number(value: float | None, places: int = 2) -> str:
    """A cell; `None` is what was not told."""
    return "–" if value is None else f"{value:,.{places}f}"


def loss(count: int) -> str:
    """A cell that catches the eye unless it is 0."""
    return f"**{count:,}**" if count else "0"


def middle(values: Iterable[float | None]) -> float | None:
    """The median of what there is."""
    there = [value for value in values if value is not None]
    return median(there) if there else None


def ratios(values: Mapping[str, float | None], to: str = FIRST) -> dict[str, float | None]:
    """Each as a multiple of one of them."""
    base = values.get(to)
    return {
        name: value / base if value is not None and base else None for name, value in values.items()
    }
