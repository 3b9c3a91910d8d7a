"""What each test of the kit is called, what it asks, and of which backends."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from famcore.backend import Backend, Capability
from famcore.testing.scenario import Scenario

_Test = TypeVar("_Test", bound=Callable[..., Any])

_NOTHING = Capability(0)


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """A test of the kit."""

    #: As pytest calls it.
    test: str
    #: The same as a sentence, or the name of the scenario.
    name: str
    #: What it asks, in a sentence or more.
    text: str
    needs: Capability
    #: Of backends that lack this alone.
    only_without: Capability = _NOTHING

    def lacks(self, backend: type[Backend]) -> str:
        """Why it isn't asked of `backend`; "" if it is."""
        missing = self.needs & ~backend.capabilities
        if missing:
            return f"needs {said(missing)}"
        if self.only_without & backend.capabilities:
            return f"only without {said(self.only_without)}"
        return ""


def said(capabilities: Capability) -> str:
    """Their names."""
    return " and ".join(str(each.name) for each in Capability if each in capabilities)


def needs(capabilities: Capability) -> Callable[[_Test], _Test]:
    """Ask this test only of backends that have these `capabilities`."""

    def mark(test: _Test) -> _Test:
        test.needs = capabilities  # type: ignore[attr-defined]
        return test

    return mark


def only_without(capabilities: Capability) -> Callable[[_Test], _Test]:
    """Ask this test only of backends that have none of these `capabilities`."""

    def mark(test: _Test) -> _Test:
        test.only_without = capabilities  # type: ignore[attr-defined]
        return test

    return mark


def rule_of(function: Callable[..., Any], scenario: Scenario | None = None) -> Rule:
    """The rule that a test function asks, of this scenario if it has one."""
    name = function.__name__
    if scenario is not None:
        # What goes on in it is told by those alone that go on telling.
        live = Capability.LIVE if scenario.steps else _NOTHING
        return Rule(f"{name}[{scenario}]", scenario.name, scenario.rule, scenario.needs | live)
    return Rule(
        name,
        name.removeprefix("test_").replace("_", " "),
        " ".join((inspect.getdoc(function) or "").split()),
        getattr(function, "needs", _NOTHING),
        getattr(function, "only_without", _NOTHING),
    )


def rules(tests: type) -> Iterator[Rule]:
    """The rules of a class of tests, in the order in which they are asked."""
    seen = set()
    for base in reversed(tests.__mro__):
        for name, function in vars(base).items():
            if not name.startswith("test_") or name in seen:
                continue
            seen.add(name)
            marks = [each for each in getattr(function, "pytestmark", ()) if _has_scenarios(each)]
            if marks:
                for scenario in marks[0].args[1]:
                    yield rule_of(function, scenario)
            else:
                yield rule_of(function)


def _has_scenarios(mark: Any) -> bool:
    return bool(mark.name == "parametrize" and mark.args[0] == "scenario")
