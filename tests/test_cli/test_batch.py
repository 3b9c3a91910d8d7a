"""What a run of `fam run` is told: changes in short, by which the same names stand."""

from __future__ import annotations

import json
import random
from typing import Any

from famcore.cli.run.batch import Batch
from famcore.events import Event, EventCode, Monitor, make_event

MONITOR = Monitor(7, "/spot", None, recursive=True)


def told(name: str, action: str) -> Event:
    return make_event(MONITOR, name, EventCode(action), False)


def batch(*events: str) -> Batch:
    made = Batch()
    made.add([told(*event.split()[::-1]) for event in events], 1.0)
    return made


def in_short(made: Batch) -> list[str]:
    lines = b"".join(made.lines("inotify")).splitlines()
    entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert len(entries) == made.count
    return [f"{entry['event']} {entry['filename']}" for entry in entries]


def test_a_file_that_is_made_and_written_to_is_created() -> None:
    assert in_short(batch("created a", "changed a", "changed a")) == ["created a"]


def test_a_file_that_is_written_to_again_is_changed_once() -> None:
    assert in_short(batch("changed a", "changed b", "changed a")) == ["changed a", "changed b"]


def test_a_file_that_is_replaced_is_deleted_and_created() -> None:
    assert in_short(batch("changed a", "deleted a", "created a", "changed a")) == [
        "deleted a",
        "created a",
    ]


def test_a_file_that_comes_and_goes_is_told_of() -> None:
    assert in_short(batch("created a", "deleted a")) == ["created a", "deleted a"]
    again = batch("created a", "deleted a", "created a", "deleted a")
    assert in_short(again) == ["created a", "deleted a"]


def test_a_directory_comes_before_and_goes_after_what_is_in_it() -> None:
    events = ["created d", "created d/a", "deleted d/a", "deleted d"]
    assert in_short(batch(*events)) == events
    assert in_short(batch("changed d", *events[2:])) == events[2:]


def test_of_a_new_name_what_came_last_is_told_in_its_place() -> None:
    made = batch("created a")
    events = [
        make_event(MONITOR, "a", EventCode.DELETED, False),
        make_event(MONITOR, "old", EventCode.DELETED, True),
        make_event(MONITOR, "a", EventCode.CREATED, True, moved_from="old"),
        make_event(MONITOR, "a/b", EventCode.CREATED, False),
    ]
    made.add(events, 2.0)
    assert in_short(made) == ["deleted old", "created a", "created a/b"]
    entry = json.loads(b"".join(made.lines("inotify")).splitlines()[1])
    assert (entry["is_directory"], entry["moved_from"], entry["time"]) == (True, "old", 2.0)


def test_a_path_is_given_once() -> None:
    assert batch("changed a", "deleted a", "created a", "created b").paths() == [
        "/spot/a",
        "/spot/b",
    ]


def test_each_event_has_the_time_of_its_own() -> None:
    made = batch("created a")
    made.add([told("b", "created")], 2.5)
    lines = b"".join(made.lines("inotify")).splitlines()
    assert [json.loads(line)["time"] for line in lines] == [1.0, 2.5]


def test_the_names_that_stand_are_the_same_and_each_name_is_told() -> None:
    chance = random.Random(7)
    for _ in range(300):
        before = set(chance.sample("abcdef", 3))
        standing = set(before)
        events = []
        for _ in range(chance.randrange(30)):
            name = chance.choice("abcdef")
            if name not in standing:
                events.append(f"created {name}")
                standing.add(name)
            elif chance.random() < 0.5:
                events.append(f"deleted {name}")
                standing.remove(name)
            else:
                events.append(f"changed {name}")
        cut = chance.randrange(len(events) + 1)
        joined = Batch()
        joined.add_all(batch(*events[:cut]))
        joined.add_all(batch(*events[cut:]))
        for made in (batch(*events), joined):
            told_of = set()
            left = set(before)
            for event in in_short(made):
                code, name = event.split()
                told_of.add(name)
                assert (name in left) == (code != "created"), (events, event)
                (left.discard if code == "deleted" else left.add)(name)
            assert left == standing
            assert told_of == {event.split()[1] for event in events}


def test_parts_have_every_name_once_and_are_no_longer_than_asked_for() -> None:
    made = batch(*(f"created {number:03}" for number in range(100)))
    parts = made.split(100)
    assert [path for part in parts for path in part.paths()] == made.paths()
    # "/spot/000", a NUL and a pointer to it.
    assert {len(part.paths()) for part in parts} == {100 // (9 + 9)}
    assert len(made.split(1)) == 100
