"""A backend that loses changes in silence: what is looked at, when, and what is told by that."""

from __future__ import annotations

import os
import time
from typing import ClassVar

import pytest

import famcore
from famcore.backend import Capability, Kind
from famcore.catalog import Status, find_backends
from famcore.testing import Recorder

EXACT = [
    found.backend
    for found in find_backends()
    if found.status is Status.USABLE
    and found.backend
    and Capability.EXACT | Capability.CONTENTS in found.backend.capabilities
]


@pytest.fixture
def lossy():
    """A backend that loses the changes which `loses` names: all of a kind, or all of a name."""
    if not EXACT:
        pytest.skip("no backend is installed of which one could be made that loses something")

    class Lossy(EXACT[0]):
        name = "lossy"
        capabilities = Capability.LIVE | Capability.CONTENTS
        loses: ClassVar[set] = set()

        def read(self):
            lost = self.loses
            said = [each for each in super().read() if not lost & {each[0], each[2], "everything"}]
            # As a server, it says little of what is left.
            return [(kind, key, name, None, 0) for kind, key, name, *_ in said]

    return Lossy


@pytest.fixture
def recorder(lossy, deadline):
    """One that has looked at all it watches once."""
    with Recorder(lossy, famcore.DEFAULT_IGNORE) as recorder:
        yield recorder


def came(log):
    return [(str(event.action), event.filename) for event in log.events]


def make(lossy, spot, **options):
    fam = famcore.FileMonitor(lossy, **options)
    events = []
    fam.add_monitor(spot, events.append, recursive=True)
    return fam, events


def settle(fam, seconds):
    """Deliver for so long."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        fam.handle_events(left)


def told(events):
    return [(str(event.action), event.filename) for event in events]


# --- at rest


def test_what_was_lost_beside_what_was_heard_is_found_at_rest(lossy, spot, deadline):
    fam, events = make(lossy, spot)
    with fam:
        settle(fam, 0.3)
        lossy.loses = {"lost"}
        (spot / "lost").touch()
        (spot / "heard").touch()
        events.clear()
        settle(fam, 0.4)
        assert told(events) == [("created", "heard"), ("created", "lost")]
        (spot / "lost").unlink()
        (spot / "heard").unlink()
        events.clear()
        settle(fam, 0.4)
        assert told(events) == [("deleted", "heard"), ("deleted", "lost")]


def test_what_was_heard_is_not_told_again(lossy, spot, deadline):
    fam, events = make(lossy, spot)
    with fam:
        settle(fam, 0.3)
        (spot / "a").touch()
        (spot / "a").write_text("more")
        settle(fam, 0.1)
        before = told(events)
        settle(fam, 0.5)
        assert told(events) == before


def test_a_directory_that_never_rests_is_looked_at_all_the_same(lossy, spot, deadline):
    fam, events = make(lossy, spot, audit=0.5)
    with fam:
        settle(fam, 0.3)
        lossy.loses = {"lost"}
        (spot / "lost").touch()
        end = time.monotonic() + 5
        while ("created", "lost") not in told(events):
            (spot / "busy").touch()
            fam.handle_events(0.01)
            assert time.monotonic() < end, "too late"


def test_what_came_while_it_began_to_be_watched_is_found(lossy, spot, deadline):
    fam, events = make(lossy, spot)
    lossy.loses = {"everything"}
    with fam:
        fam.handle_events(0)
        # Such a backend may begin to tell later than it says.
        (spot / "at once").touch()
        settle(fam, 0.4)
        assert ("created", "at once") in told(events)


# --- in turn


@pytest.mark.parametrize(
    ("change", "due"),
    [
        (lambda spot: (spot / "new").touch(), ("created", "new")),
        (lambda spot: (spot / "below/new").touch(), ("created", "below/new")),
        (lambda spot: (spot / "file").unlink(), ("deleted", "file")),
        (lambda spot: (spot / "file").write_text("more"), ("changed", "file")),
        (lambda spot: (spot / "file").chmod(0o600), ("changed", "file")),
        (lambda spot: (spot / "below").chmod(0o700), ("changed", "below")),
        (lambda spot: spot.chmod(0o700), ("changed", None)),
        (lambda spot: (spot / "below").rename(spot / "other"), ("created", "other/file")),
    ],
)
def test_what_nobody_tells_is_found_in_turn(lossy, spot, deadline, pump, change, due):
    (spot / "below").mkdir()
    for each in ("file", "below/file"):
        (spot / each).touch()
    fam, events = make(lossy, spot, audit=0.5)
    with fam:
        settle(fam, 1.0)
        events.clear()
        lossy.loses = {"everything"}
        change(spot)
        wanted = due[0], due[1] or str(spot)
        pump(fam, lambda: wanted in told(events))
        settle(fam, 1.2)
        assert told(events).count(wanted) == 1


def test_nothing_is_told_of_what_rests(lossy, spot, deadline):
    (spot / "below").mkdir()
    (spot / "below/file").touch()
    fam, events = make(lossy, spot, audit=0.3)
    with fam:
        settle(fam, 0.6)
        events.clear()
        settle(fam, 1.5)
        assert told(events) == []


def test_a_monitored_file_is_looked_at_in_turn(lossy, spot, deadline, pump):
    path = spot / "file"
    path.touch()
    fam = famcore.FileMonitor(lossy, audit=0.5)
    events = []
    fam.add_monitor(path, events.append)
    with fam:
        settle(fam, 1.0)
        lossy.loses = {"everything"}
        for change, due in (
            (lambda: path.write_text("more"), "changed"),
            (path.unlink, "deleted"),
            (path.touch, "created"),
        ):
            events.clear()
            change()
            pump(fam, lambda due=due: due in [event.action for event in events])


def test_it_wakes_up_for_that_and_for_nothing_else(lossy, spot, deadline, is_readable):
    fam, _ = make(lossy, spot, audit=2.0)
    with fam:
        settle(fam, 0.5)
        began = time.monotonic()
        wakes = 0
        while (left := began + 4 - time.monotonic()) > 0:
            if is_readable(fam, left):
                wakes += 1
                assert fam.handle_events(0) == 0
        held = len(spot.parents) + 1
        # Each of the directories twice.
        assert 0 < wakes <= 2 * held + 2


# --- after a burst


def test_what_a_burst_lost_is_found_and_what_it_told_is_not_told_again(lossy, spot, deadline):
    for number in range(3_000):
        (spot / f"f{number}").touch()
    fam, events = make(lossy, spot)
    with fam:
        settle(fam, 0.5)
        lossy.loses = {"f7", "new7"}
        for number in range(3_000):
            with open(spot / f"f{number}", "a") as file:
                file.write("more")
        for number in range(3_000):
            (spot / f"new{number}").touch()
        events.clear()
        settle(fam, 1.5)
        said = told(events)
        assert ("created", "new7") in said
        assert ("changed", "f7") in said
        assert {name for _, name in said} == {f"f{n}" for n in range(3_000)} | {
            f"new{n}" for n in range(3_000)
        }


def test_where_nothing_was_heard_of_a_burst_is_looked_at_too(lossy, spot, deadline):
    for name in ("loud", "quiet"):
        (spot / name).mkdir()
    fam, events = make(lossy, spot)
    with fam:
        settle(fam, 0.5)
        lossy.loses = {"lost"}
        (spot / "quiet/lost").touch()
        for number in range(3_000):
            (spot / f"loud/f{number}").touch()
        settle(fam, 1.5)
        assert ("created", "quiet/lost") in told(events)


# --- what such a backend tells wrongly


def test_a_name_that_is_not_there_is_not_told_as_created(recorder, lossy, spot):
    log = recorder.monitor(spot)
    recorder.rest()
    recorder.forget()
    lossy.loses = {Kind.DELETED}
    (spot / "brief").touch()
    (spot / "brief").unlink()
    recorder.rest()
    assert came(log) == []
    assert list(recorder.wrongs()) == []


def test_the_end_of_a_name_that_is_there_is_mended(spot, deadline, pump):
    if not EXACT:
        pytest.skip("no backend is installed of which one could be made that tells what is not so")

    class Wrong(EXACT[0]):
        name = "wrong"
        capabilities = Capability.LIVE | Capability.CONTENTS

        def read(self):
            said = list(super().read())
            wrong = [each for each in said if each[2] == "other"]
            return [*said, *((Kind.DELETED, each[1], "there", False, 0) for each in wrong)]

    (spot / "there").touch()
    fam, events = make(Wrong, spot)
    with fam:
        settle(fam, 0.3)
        (spot / "other").touch()
        pump(fam, lambda: ("deleted", "there") in told(events))
        pump(fam, lambda: told(events)[-1] == ("created", "there"))


def test_a_file_whose_change_was_lost_beside_what_was_heard_is_found_in_turn(lossy, spot, deadline):
    for name in ("lost", "heard"):
        (spot / name).touch()
    fam, events = make(lossy, spot, audit=0.5)
    with fam:
        settle(fam, 0.6)
        lossy.loses = {"lost", "new"}
        for name in ("lost", "heard", "new"):
            (spot / name).write_text("more")
        events.clear()
        settle(fam, 2)
        # Each once, although it was looked at several times.
        assert sorted(told(events)) == [
            ("changed", "heard"),
            ("changed", "lost"),
            ("created", "new"),
        ]


# --- where stamps say nothing


def test_where_the_clock_is_anothers_not_all_is_told_at_each_audit(
    lossy, spot, deadline, monkeypatch
):
    (spot / "file").touch()
    monkeypatch.setattr("famcore.snapshot.LOCAL", frozenset())
    fam, events = make(lossy, spot, audit=0.3)
    with fam:
        settle(fam, 0.6)
        events.clear()
        lossy.loses = {"everything"}
        (spot / "new").touch()
        settle(fam, 1.0)
        assert told(events) == [("created", "new")]


def test_an_audit_that_never_comes_has_bursts_looked_at_all_the_same(lossy, spot, deadline):
    fam, events = make(lossy, spot, audit=float("inf"))
    with fam:
        settle(fam, 0.3)
        lossy.loses = {"lost"}
        (spot / "lost").touch()
        for number in range(1_500):
            (spot / str(number)).touch()
        settle(fam, 0.5)
        assert ("created", "lost") in told(events)


def test_an_exact_backend_is_not_looked_after(spot, deadline, is_readable):
    if not EXACT:
        pytest.skip("no exact backend is installed")
    fam = famcore.FileMonitor(EXACT[0], audit=0.2)
    fam.add_monitor(spot)
    with fam:
        fam.handle_events(0)
        assert not is_readable(fam, 1.0)
        assert os.path.isdir(spot)
