"""What an event says, and what may be done to it."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from famcore import Event, EventCode, FileMonitor
from famcore.events import Monitor, copy_event, make_event


def event_of(path: str, name: str, action: EventCode = EventCode.CREATED) -> Event:
    """As a monitor on `path` is given it of its entry `name`, "" for itself."""
    return make_event(Monitor(7, path, None, recursive=False), name, action, False)


# --- codes


def test_there_are_the_five_codes_of_the_rules():
    assert [str(code) for code in EventCode] == [
        "exists",
        "endExist",
        "created",
        "changed",
        "deleted",
    ]


@pytest.mark.parametrize("code", EventCode)
def test_a_code_is_its_word(code):
    assert code == code.value
    assert f"{code}" == code.value
    assert json.dumps({"event": code}) == f'{{"event": "{code.value}"}}'
    assert {code: 1}[code.value] == 1
    assert EventCode(code.value) is code


def test_an_event_that_is_made_by_hand_knows_its_code():
    event = Event(1, "a", "created")
    assert event.action is EventCode.CREATED
    assert event.action == "created"
    with pytest.raises(ValueError, match="renamed"):
        Event(1, "a", "renamed")


@pytest.mark.parametrize("code", EventCode)
def test_code2str_gives_a_plain_string(code):
    said = Event(1, "a", code).code2str()
    assert said == code.value
    assert type(said) is str


# --- names


def test_an_event_made_by_hand_has_its_filename_for_a_path():
    event = Event(3, "/etc/motd", EventCode.CHANGED)
    assert (event.request_id, event.filename, event.path) == (3, "/etc/motd", "/etc/motd")
    assert event.is_directory is None
    assert event.moved_from is None


@pytest.mark.parametrize(
    ("monitored", "name", "filename", "path"),
    [
        ("/etc", "", "/etc", "/etc"),
        ("/etc", "motd", "motd", "/etc/motd"),
        ("/etc", "a/b", "a/b", "/etc/a/b"),
        ("/etc/../x", "a", "a", "/etc/../x/a"),
        ("/", "", "/", "/"),
        ("/", "etc", "etc", "/etc"),
        ("/d", "\udcff\n", "\udcff\n", "/d/\udcff\n"),
    ],
)
def test_filename_is_relative_to_the_monitor_and_path_is_full(monitored, name, filename, path):
    event = event_of(monitored, name)
    assert event.filename == filename
    assert event.path == path


def test_what_is_assigned_to_filename_does_not_touch_path():
    event = event_of("/etc", "motd")
    event.filename = "something else"
    assert event.filename == "something else"
    assert event.path == "/etc/motd"


def test_what_is_assigned_to_filename_does_not_touch_the_path_of_one_made_by_hand():
    event = Event(1, "/etc/motd", EventCode.CHANGED)
    event.filename = "motd"
    assert event.path == "/etc/motd"


def test_path_can_not_be_assigned_to():
    with pytest.raises(AttributeError):
        event_of("/etc", "motd").path = "/other"


@pytest.mark.parametrize("attribute", ["action", "request_id", "is_directory", "moved_from"])
def test_a_handler_may_assign_to(attribute):
    event = event_of("/etc", "motd")
    setattr(event, attribute, 5)
    assert getattr(event, attribute) == 5


def test_the_request_id_goes_by_fams_name_too():
    event = event_of("/etc", "motd")
    assert event.requestID == event.request_id == 7
    event.request_id = 8
    assert event.requestID == 8


# --- as objects


@pytest.mark.parametrize("filename", ["", "a"])
@pytest.mark.parametrize("code", EventCode)
def test_an_event_is_always_true(code, filename):
    assert Event(0, filename, code)
    assert event_of("/etc", filename, code)


def test_two_events_are_two():
    assert Event(1, "a", EventCode.CHANGED) != Event(1, "a", EventCode.CHANGED)


def test_a_copy_says_the_same_and_is_another():
    event = event_of("/etc", "motd")
    event.moved_from = "motd.new"
    for other in (copy_event(event), copy.copy(event)):
        assert other is not event
        other.filename = "x"
        assert event.filename == "motd"
        assert other.path == "/etc/motd"
        assert other.moved_from == "motd.new"


def test_one_made_by_hand_can_be_sent_to_another_process():
    event = pickle.loads(pickle.dumps(Event(1, "/etc/motd", EventCode.CHANGED)))
    assert (event.request_id, event.path, event.action) == (1, "/etc/motd", EventCode.CHANGED)


def test_its_repr_tells_monitor_code_and_name():
    assert repr(event_of("/etc", "two\nlines")) == r"<Event 7 created 'two\nlines'>"


# --- as they come


def test_each_handler_may_change_its_own_event(tmp_path):
    """As Bcfg2's DirectoryBacked does, which assigns to `filename`."""
    paths = []

    def rename(event):
        event.filename = event.filename.upper()
        event.action = None
        paths.append((event.filename, event.path))

    (tmp_path / "a").touch()
    kept = []
    with FileMonitor("pseudo") as fam:
        fam.add_monitor(tmp_path, rename)
        fam.add_monitor(tmp_path, kept.append)
        fam.handle_events()
    assert ("A", f"{tmp_path}/a") in paths
    assert [event.filename for event in kept] == [str(tmp_path), "a", str(tmp_path)]
    assert all(event.action for event in kept)


def test_is_directory_is_of_the_entry_itself_and_of_the_monitored_paths_target(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d/file").touch()
    (tmp_path / "d/directory").mkdir()
    (tmp_path / "d/link").symlink_to("directory")
    (tmp_path / "to-directory").symlink_to("d")
    (tmp_path / "to-file").symlink_to("d/file")
    told = []
    with FileMonitor("pseudo") as fam:
        fam.add_monitor(tmp_path / "to-directory", told.append)
        fam.add_monitor(tmp_path / "to-file", told.append)
        fam.add_monitor(tmp_path / "missing", told.append)
        fam.handle_events()
    said = {(event.action, event.filename): event.is_directory for event in told}
    assert said == {
        ("exists", f"{tmp_path}/to-directory"): True,
        ("exists", "file"): False,
        ("exists", "directory"): True,
        ("exists", "link"): False,
        ("endExist", f"{tmp_path}/to-directory"): True,
        ("exists", f"{tmp_path}/to-file"): False,
        ("endExist", f"{tmp_path}/to-file"): False,
        ("endExist", f"{tmp_path}/missing"): None,
    }
