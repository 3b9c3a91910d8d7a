"""The halves of a rename that the backend tells at different times."""

from __future__ import annotations

import os
import select
from collections import deque

import pytest

from famcore import FileMonitor
from famcore.backend import Backend, Capability, Change
from famcore.catalog import Status, find_backends

MOVING = [
    found.backend
    for found in find_backends()
    if found.status is Status.USABLE
    and found.backend
    and Capability.MOVES | Capability.EXACT in found.backend.capabilities
]


def held_back(exact: type[Backend]) -> type[Backend]:
    class HeldBack(exact):  # type: ignore[misc, valid-type]
        """Tells one change more each time that it is told to."""

        name = "held-back"

        def __init__(self):
            super().__init__()
            self.held = deque()
            self.told = self.free = 0
            self.released, self.release_to = os.pipe()
            os.set_blocking(self.released, False)

        def fileno(self):
            return self.released

        def hold(self):
            while select.select([super().fileno()], [], [], 0)[0]:
                self.held.extend(Change(*change) for change in super().read())

        def release(self, count=1):
            self.hold()
            os.write(self.release_to, b"\0" * count)

        def read(self):
            try:
                count = len(os.read(self.released, 4096))
            except BlockingIOError:
                return []
            return [self.held.popleft() for _ in range(min(count, len(self.held)))]

        def close(self):
            super().close()
            for descriptor in (self.released, self.release_to):
                if descriptor >= 0:
                    os.close(descriptor)
            self.released = self.release_to = -1

    return HeldBack


@pytest.fixture
def backend():
    if not MOVING:
        pytest.skip("no backend that tells of moves is installed")
    made = []

    class Kept(held_back(MOVING[0])):
        def __init__(self):
            super().__init__()
            made.append(self)

    with FileMonitor(Kept) as fam:
        made[0].fam = fam
        yield made[0]


@pytest.fixture
def said(backend):
    """What was told since the last time, delivered by one `handle_events`."""
    events = []

    def said(count=1):
        backend.release(count)
        backend.fam.handle_events(0)
        told = [(str(event.action), event.filename, event.moved_from) for event in events]
        events.clear()
        return told

    said.handler = events.append
    return said


@pytest.fixture
def spot(tmp_path, backend, said):
    for name in ("a", "b"):
        (tmp_path / name).touch()
    backend.fam.add_monitor(tmp_path, said.handler)
    assert len(said()) == 4
    return tmp_path


def test_a_rename_is_told_in_two_goes(spot, said):
    (spot / "a").rename(spot / "c")
    assert said() == [("deleted", "a", None)]
    assert said() == [("created", "c", "a")]


def test_a_rename_onto_a_known_name_is_told_in_two_goes(spot, said):
    (spot / "a").rename(spot / "b")
    assert said() == [("deleted", "a", None)]
    assert said() == [("changed", "b", "a")]


def test_nothing_is_held_back_to_pair_the_halves(spot, said, backend):
    (spot / "a").rename(spot / "c")
    (spot / "d").touch()
    assert said() == [("deleted", "a", None)]
    assert not backend.fam.pending()
    assert said(2) == [("created", "c", "a"), ("created", "d", None)]


def test_a_file_that_takes_the_old_name_meanwhile_is_not_mistaken(spot, said):
    (spot / "a").rename(spot / "c")
    (spot / "a").touch()
    assert said() == [("deleted", "a", None)]
    assert said() == [("created", "c", "a")]
    assert said() == [("created", "a", None)]


def test_a_name_that_left_for_outside_is_not_the_origin_of_the_next(spot, said, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x").touch()
    (spot / "a").rename(outside / "a")
    (outside / "x").rename(spot / "c")
    assert said() == [("deleted", "a", None)]
    assert said() == [("created", "c", None)]


def test_the_origin_of_a_chain_is_each_time_the_last_name(spot, said):
    (spot / "a").rename(spot / "c")
    (spot / "c").rename(spot / "d")
    assert said() == [("deleted", "a", None)]
    assert said(2) == [("created", "c", "a"), ("deleted", "c", None)]
    assert said() == [("created", "d", "c")]


def test_an_ignored_origin_is_none(spot, said):
    (spot / "a~").touch()
    assert said() == []
    (spot / "a~").rename(spot / "c")
    assert said() == []
    assert said() == [("created", "c", None)]


def test_a_rename_between_two_monitors_is_none_of_eithers(spot, said, backend, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    told = []
    backend.fam.add_monitor(other, told.append)
    said()
    told.clear()
    (spot / "a").rename(other / "a")
    assert said() == [("deleted", "a", None)]
    assert said() == []
    assert [(event.action, event.filename, event.moved_from) for event in told] == [
        ("created", "a", None)
    ]


def test_many_renames_are_remembered_between_their_halves(spot, said, backend):
    backend.hold()
    for number in range(50):
        (spot / f"old{number}").touch()
    assert len(said(50)) == 50
    for number in range(50):
        (spot / f"old{number}").rename(spot / f"new{number}")
        backend.hold()
    # All the first halves, then all the second ones: no kernel does so, a daemon may.
    backend.held = deque(sorted(backend.held, key=lambda change: -change.kind))
    assert said(50) == [("deleted", f"old{number}", None) for number in range(50)]
    assert said(50) == [("created", f"new{number}", f"old{number}") for number in range(50)]
