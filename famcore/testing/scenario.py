"""A scenario: files, monitors, what is done in steps, and what each monitor is told of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from famcore.backend import Backend, Capability
from famcore.ignore import DEFAULT_IGNORE
from famcore.testing.actions import Action
from famcore.testing.expected import Element, Told

#: What the one monitor of a scenario is called.
IT = "it"

_NO_MORE = Capability(0)


@dataclasses.dataclass(frozen=True, slots=True)
class On:
    """Where a monitor is set: a path below the test directory, kept as spelled."""

    path: str
    recursive: bool = False

    def __str__(self) -> str:
        return f"/{self.path}" + (" (recursive)" if self.recursive else "")


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """Actions done in a row, without a look at events, and what each monitor is told then."""

    actions: tuple[Action, ...]
    #: Monitor → its events. Those left out are told nothing.
    told: Mapping[str, Sequence[Element]] = dataclasses.field(default_factory=dict)
    #: Events of several monitors that come one before the other, others between them or not.
    order: tuple[tuple[str, Told], ...] = ()
    #: Monitors to set when the actions are done.
    monitors: Mapping[str, On] = dataclasses.field(default_factory=dict)
    #: Monitors to remove before anything is done.
    removed: tuple[str, ...] = ()

    def sets(self, **monitors: On) -> Step:
        """The same with monitors to set."""
        return dataclasses.replace(self, monitors=monitors)

    def without(self, *monitors: str) -> Step:
        """The same with monitors to remove first."""
        return dataclasses.replace(self, removed=monitors)

    def tells(self, *told: Element, **by_monitor: Sequence[Element]) -> Step:
        """The same with what is told: to the one monitor, or to each by its name."""
        return dataclasses.replace(self, told={IT: told, **by_monitor})

    def in_order(self, *order: tuple[str, Told]) -> Step:
        """The same with an order between the events of its monitors."""
        return dataclasses.replace(self, order=order)


def after(*actions: Action) -> Step:
    """The step that does this and tells nothing."""
    return Step(actions)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One rule at work."""

    #: A sentence.
    name: str
    #: The rule that it tests, in the words of the rules.
    rule: str
    #: What is there before a monitor is set.
    given: tuple[Action, ...] = ()
    #: Name → where, in the order in which they are set.
    monitors: Mapping[str, On] = dataclasses.field(default_factory=lambda: {IT: On("d")})
    #: What each monitor is told when it is set; None: as found on disk, in any order.
    begins: Mapping[str, Sequence[Element]] | None = None
    steps: tuple[Step, ...] = ()
    #: What a backend must be able to do for it.
    needs: Capability = _NO_MORE
    ignore: tuple[str, ...] = DEFAULT_IGNORE
    #: There is more at once than a backend's queue may hold where the system is set so.
    is_burst: bool = False
    #: The steps are so many rounds, each of equally many.
    rounds: int = 1

    def __str__(self) -> str:
        return self.name

    def applies_to(self, backend: type[Backend]) -> bool:
        """Whether the backend has what is needed."""
        return self.needs in backend.capabilities

    def shortened(self, rounds: int) -> Scenario:
        """The same with so many rounds of its steps, if it has more."""
        if rounds >= self.rounds:
            return self
        steps = self.steps[: len(self.steps) * rounds // self.rounds]
        return dataclasses.replace(self, steps=steps, rounds=rounds)
