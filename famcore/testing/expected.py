"""What a monitor is to be told, and how that compares with what came."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence

from famcore.backend import Capability
from famcore.events import EventCode


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """One event. Where `filename` is a full path, a slash stands for the test directory."""

    action: EventCode
    filename: str
    moved_from: str | None = None

    def __str__(self) -> str:
        moved = "" if self.moved_from is None else f", moved from {self.moved_from!r}"
        return f"{self.action} {self.filename!r}{moved}"


@dataclasses.dataclass(frozen=True, slots=True)
class InAnyOrder:
    """Events whose order among each other is free."""

    events: tuple[Told, ...]

    def __str__(self) -> str:
        return f"in any order: {'; '.join(map(str, self.events))}"


@dataclasses.dataclass(frozen=True, slots=True)
class Perhaps:
    """An event that may come or not."""

    event: Told

    def __str__(self) -> str:
        return f"perhaps {self.event}"


@dataclasses.dataclass(frozen=True, slots=True)
class Nothing:
    """No event at all, not even a `changed` of what a backend may be in doubt about."""

    def __str__(self) -> str:
        return "nothing"


@dataclasses.dataclass(frozen=True, slots=True)
class Anything:
    """Nothing is asked of the events themselves, only that they leave the right names standing."""

    def __str__(self) -> str:
        return "anything that leaves the right names standing"


Element = Told | InAnyOrder | Perhaps | Nothing | Anything


def exists(filename: str) -> Told:
    """An `exists` event."""
    return Told(EventCode.EXISTS, filename)


def end_exist(filename: str) -> Told:
    """An `endExist` event."""
    return Told(EventCode.END_EXIST, filename)


def created(filename: str, moved_from: str | None = None) -> Told:
    """A `created` event."""
    return Told(EventCode.CREATED, filename, moved_from)


def changed(filename: str, moved_from: str | None = None) -> Told:
    """A `changed` event."""
    return Told(EventCode.CHANGED, filename, moved_from)


def deleted(filename: str) -> Told:
    """A `deleted` event."""
    return Told(EventCode.DELETED, filename)


def in_any_order(*events: Told) -> InAnyOrder:
    """Events whose order among each other is free."""
    return InAnyOrder(events)


def perhaps(event: Told) -> Perhaps:
    """An event that may come or not."""
    return Perhaps(event)


def nothing() -> Nothing:
    """No event at all, not even a `changed` of what a backend may be in doubt about."""
    return Nothing()


def anything() -> Anything:
    """Whatever leaves the right names standing."""
    return Anything()


def fits(came: Sequence[Told], wanted: Sequence[Element], capabilities: Capability) -> bool:
    """Whether `came` is what was `wanted` of a backend that has these `capabilities`."""
    if Anything() in wanted:
        return True
    if Nothing() in wanted:
        return not came
    groups = [_group(element) for element in wanted]
    if Capability.MOVES not in capabilities:
        groups = [(kind, [_unmoved(told) for told in events]) for kind, events in groups]
    if Capability.EACH not in capabilities:
        groups = _blur(groups)
        came = [told for _, events in _blur((Told, [told]) for told in came) for told in events]
        came = _less_doubts(came, groups)
    return _follows(came, groups)


_Group = tuple[type[Element], list[Told]]


def _group(element: Element) -> _Group:
    if isinstance(element, InAnyOrder):
        return InAnyOrder, list(element.events)
    if isinstance(element, Perhaps):
        return Perhaps, [element.event]
    return Told, [element] if isinstance(element, Told) else []


def _follows(came: Sequence[Told], groups: Iterable[_Group]) -> bool:
    """Whether `came` is the `groups`, one after the other."""
    left = list(came)
    for kind, events in groups:
        if kind is Perhaps:
            if left[:1] == events:
                del left[0]
            continue
        count = len(events)
        if sorted(map(str, left[:count])) != sorted(map(str, events)):
            return False
        del left[:count]
    return not left


def _unmoved(told: Told) -> Told:
    return dataclasses.replace(told, moved_from=None)


def _blur(groups: Iterable[_Group]) -> list[_Group]:
    """What is left where not EACH change is told: those undone at once and those repeated are not.

    A `changed` after a `created` or `changed` of the same name goes, and a `created` with the
    `deleted` that undoes it.
    """
    blurred: list[_Group] = []
    last: dict[str, tuple[Told, list[Told]]] = {}
    for kind, events in groups:
        kept: list[Told] = []
        for told in events:
            before, where = last.get(told.filename, (None, kept))
            action = None if before is None else before.action
            if told.action is EventCode.CHANGED and action in (
                EventCode.CREATED,
                EventCode.CHANGED,
            ):
                continue
            if told.action is EventCode.DELETED and before and action is EventCode.CREATED:
                where.remove(before)
                del last[told.filename]
                continue
            kept.append(told)
            last[told.filename] = told, kept
        blurred.append((kind, kept))
    return [(kind, events) for kind, events in blurred if events]


def _less_doubts(came: Sequence[Told], groups: Iterable[_Group]) -> list[Told]:
    """`came` without the `changed` that nobody wanted.

    Where a directory is listed to find a change, `changed` is due for each file that may have
    changed too: those that did so little earlier.
    """
    sure = (events for kind, events in groups if kind is not Perhaps)
    wanted = set(itertools.chain.from_iterable(sure))
    return [told for told in came if told.action is not EventCode.CHANGED or told in wanted]
