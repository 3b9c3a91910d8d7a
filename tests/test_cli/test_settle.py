"""`--settle`: a file is told of once it has come to rest."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from famcore.cli.settle import Patience, Settle
from famcore.events import Event, EventCode, Monitor, make_event
from famcore.testing.fold import Fold

ALL = frozenset(EventCode)
MONITOR = Monitor(7, "/spot", None, recursive=True)


def told(name: str, action: str, *, is_directory: bool = False) -> Event:
    return make_event(MONITOR, name, EventCode(action), is_directory)


def shown(events: list[Event]) -> list[str]:
    return [f"{event.action} {event.filename}" for event in events]


@pytest.fixture
def settle() -> Settle:
    return Settle(ALL, Patience(quiet=1.0, longest=3.0))


def test_a_change_is_told_when_the_file_has_been_quiet(settle: Settle) -> None:
    assert settle.take([told("a", "changed")], 10.0) == []
    assert settle.take([told("a", "changed")], 10.5) == []
    assert settle.when == 11.5
    assert settle.due(11.4) == []
    assert shown(settle.due(11.5)) == ["changed a"]
    assert settle.due(20.0) == []
    assert settle.when is None


def test_a_file_that_is_never_quiet_is_waited_for_no_longer_than_that(settle: Settle) -> None:
    for tenths in range(29):
        settle.take([told("a", "changed")], 10.0 + tenths / 10)
    assert settle.due(12.9) == []
    assert settle.when == 13.0
    assert shown(settle.due(13.0)) == ["changed a"]


def test_a_file_that_is_made_is_told_as_such_whatever_is_written_to_it(settle: Settle) -> None:
    settle.take([told("a", "created"), told("a", "changed")], 10.0)
    assert shown(settle.due(11.0)) == ["created a"]


def test_those_that_come_to_rest_are_told_in_that_order(settle: Settle) -> None:
    settle.take([told("a", "changed"), told("b", "changed")], 10.0)
    settle.take([told("a", "changed")], 10.5)
    assert shown(settle.due(12.0)) == ["changed b", "changed a"]


def test_a_file_that_goes_is_told_at_once_and_of_nothing_else(settle: Settle) -> None:
    settle.take([told("a", "changed")], 10.0)
    assert shown(settle.take([told("a", "deleted")], 10.1)) == ["deleted a"]
    assert settle.when is None


def test_a_file_that_comes_and_goes_before_it_is_quiet_is_not_told_of(settle: Settle) -> None:
    assert settle.take([told("a", "created"), told("a", "deleted")], 10.0) == []
    assert settle.when is None


def test_what_exists_and_directories_are_told_at_once(settle: Settle) -> None:
    events = [
        told("", "exists", is_directory=True),
        told("a", "exists"),
        told("", "endExist", is_directory=True),
        told("sub", "created", is_directory=True),
    ]
    assert settle.take(events, 10.0) == events


def test_a_code_that_is_not_asked_for_holds_nothing_back() -> None:
    only = Settle(frozenset({EventCode.CHANGED, EventCode.DELETED}), Patience(1.0, 3.0))
    only.take([told("a", "created"), told("a", "changed")], 10.0)
    assert shown(only.due(11.0)) == ["changed a"]
    only.take([told("b", "created")], 20.0)
    assert shown(only.take([told("b", "deleted")], 20.1)) == ["deleted b"]


def test_the_names_that_stand_are_the_same_once_all_is_quiet() -> None:
    chance = random.Random(7)
    settle = Settle(ALL, Patience(1.0, 3.0))
    came, went = Fold("/spot"), Fold("/spot")
    standing: dict[str, bool] = {}
    now = 0.0

    def take(events: list[Event]) -> None:
        for event in events:
            came.add(event)
        for event in settle.due(now) + settle.take(events, now):
            went.add(event)

    take([told("", "exists", is_directory=True), told("", "endExist", is_directory=True)])
    for _ in range(5000):
        now += chance.expovariate(3)
        name = chance.choice("abcdefgh")
        if name not in standing:
            standing[name] = chance.random() < 0.2
            take([told(name, "created", is_directory=standing[name])])
        elif chance.random() < 0.3:
            take([told(name, "deleted", is_directory=standing.pop(name))])
        else:
            take([told(name, "changed", is_directory=standing[name])])
        # What is held back is all that they differ by.
        assert not set(went.standing) - set(came.standing)
    now += 10
    take([])
    assert (came.breaches, went.breaches) == ([], [])
    assert went.standing == came.standing


def test_watch_tells_of_a_file_once_it_is_complete(fam: Any, spot: Path) -> None:
    watching = fam("watch", spot, "--no-exists", "--settle", "1")
    watching.ready()
    began = time.monotonic()
    with (spot / "big").open("w") as file:
        for _ in range(5):
            file.write("part")
            file.flush()
            time.sleep(0.1)
    assert watching.lines(1) == [f"created  {spot}/big".encode()]
    assert time.monotonic() - began >= 1.4
    (spot / "big").unlink()
    assert watching.lines(1) == [f"deleted  {spot}/big".encode()]


def test_a_timeout_waits_for_what_is_held_back(fam: Any, spot: Path) -> None:
    watching = fam("watch", spot, "--no-exists", "--settle", "1", "--timeout", "0.5")
    watching.ready()
    (spot / "a").touch()
    assert watching.end()[:2] == (3, f"created  {spot}/a\n".encode())
