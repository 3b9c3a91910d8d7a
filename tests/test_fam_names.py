"""The names of FAM's Python API, as the Bcfg2 server calls them."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import xmlrpc.client

import pytest

import famcore
from famcore import Event, EventCode

DEADLINE = 60.0


def say(events):
    return [(event.code2str(), event.filename) for event in events]


class Plugin:
    """A handler as Bcfg2 has them: with a name, and `HandleEvent` alone."""

    def __init__(self, name="Metadata"):
        self.name = name
        self.events = []

    def HandleEvent(self, event):
        self.events.append(event)


@pytest.fixture
def plugin():
    return Plugin()


# Monitors


def test_add_monitor_takes_a_path_and_an_object(fam, plugin, spot):
    (spot / "a").touch()
    number = fam.AddMonitor(str(spot), plugin)
    fam.handle_event_set()
    assert say(plugin.events) == [
        ("exists", str(spot)),
        ("exists", "a"),
        ("endExist", str(spot)),
    ]
    assert {event.requestID for event in plugin.events} == {number}
    assert fam.handles == {number: plugin}


@pytest.mark.parametrize("path", [os.fsencode, str, os.path.abspath])
def test_add_monitor_takes_paths_of_every_kind(path, fam, plugin, spot):
    fam.AddMonitor(path(spot), plugin)
    fam.handle_event_set()
    assert say(plugin.events)[0] == ("exists", str(spot))


def test_add_monitor_takes_an_id(fam, plugin, spot):
    assert fam.AddMonitor(str(spot), plugin, handleID=12) == 12
    assert fam.AddMonitor(str(spot), plugin, 13) == 13
    with pytest.raises(ValueError, match="12"):
        fam.AddMonitor(str(spot), plugin, handleID=12)
    fam.handle_event_set()
    assert [event.requestID for event in plugin.events] == [12, 12, 13, 13]
    assert fam.handles == {12: plugin, 13: plugin}


def test_a_second_monitor_does_not_displace_the_first(fam, spot):
    plugins = [Plugin("first"), Plugin("second")]
    for plugin in plugins:
        fam.AddMonitor(str(spot), plugin)
    fam.handle_event_set()
    (spot / "new").mkdir()
    fam.handle_event_set()
    assert [len(plugin.events) for plugin in plugins] == [3, 3]


@pytest.mark.parametrize("thing", [None, 5, "text", object(), (), {}], ids=repr)
def test_add_monitor_takes_any_object_and_get_event_has_its_events(thing, fam, spot):
    number = fam.AddMonitor(str(spot), thing)
    (spot / "a").touch()
    drained = []
    while fam.pending():
        drained.append(fam.get_event())
    assert say(drained) == [("exists", str(spot)), ("exists", "a"), ("endExist", str(spot))]
    with pytest.raises(IndexError):
        fam.get_event()
    (spot / "b").mkdir()
    assert say([fam.get_event()]) == [("created", "b")]
    assert fam.handles == {number: thing}
    assert fam.list_event_handlers() == {f"{number} {spot}": type(thing).__name__}


def test_what_get_event_gives_is_handled_one_by_one(fam, plugin, spot):
    fam.AddMonitor(str(spot), plugin)
    while fam.pending():
        assert fam.handle_one_event(fam.get_event()) is None
    assert say(plugin.events) == [("exists", str(spot)), ("endExist", str(spot))]


def test_an_event_may_be_made_by_hand_and_handled(fam, plugin, spot):
    number = fam.AddMonitor(str(spot), plugin)
    fam.handle_event_set()
    plugin.events.clear()
    fam.handle_one_event(Event(number, "made", "changed"))
    assert say(plugin.events) == [("changed", "made")]
    assert [event.requestID for event in plugin.events] == [number]


def test_an_event_of_no_monitor_is_let_pass(fam, plugin, spot):
    number = fam.AddMonitor(str(spot), plugin)
    event = fam.get_event()
    fam.remove_monitor(number)
    fam.handle_one_event(event)
    fam.handle_one_event(Event(4711, "made", "changed"))
    assert plugin.events == []


def test_one_event_is_handled_though_the_handler_fails(fam, spot, caplog):
    class Failing(Plugin):
        def HandleEvent(self, event):
            super().HandleEvent(event)
            raise ValueError

    failing = Failing()
    fam.AddMonitor(str(spot), failing)
    fam.handle_one_event(fam.get_event())
    assert len(failing.events) == 1
    assert caplog.records


def test_a_monitored_path_is_not_ignored_whatever_its_name(fam, plugin, spot):
    path = spot / "monitored~"
    path.touch()
    fam.AddMonitor(str(path), plugin)
    fam.handle_one_event(fam.get_event())
    fam.handle_event_set()
    assert say(plugin.events) == [("exists", str(path)), ("endExist", str(path))]


# Handling


def test_an_event_set_ends_when_nothing_is_pending(fam, spot):
    """Also what handlers' own new monitors bring."""

    class Growing(Plugin):
        def HandleEvent(self, event):
            super().HandleEvent(event)
            if event.action == "exists" and event.filename.startswith("folder"):
                fam.AddMonitor(event.path, self)

    path = spot
    for depth in range(5):
        path = path / f"folder {depth}"
    path.mkdir(parents=True)
    growing = Growing()
    fam.AddMonitor(str(spot), growing)
    assert fam.handle_event_set() is None
    assert not fam.pending()
    assert sum(event.action == "endExist" for event in growing.events) == 6


def test_an_event_set_of_many_is_handled_whole(fam, plugin, spot):
    for number in range(3_000):
        (spot / f"{number:05}").touch()
    fam.AddMonitor(str(spot), plugin)
    fam.handle_event_set()
    assert len(plugin.events) == 3_002
    assert fam.events == []


def test_an_event_set_holds_the_lock(fam, spot):
    lock = threading.Lock()

    class Watchful(Plugin):
        def HandleEvent(self, event):
            super().HandleEvent(event)
            held.append(lock.locked())

    held = []
    fam.AddMonitor(str(spot), Watchful())
    assert fam.handle_event_set(lock) is None
    assert fam.handle_event_set(lock=lock) is None
    assert held == [True, True]
    assert not lock.locked()


def test_an_event_set_waits_for_the_lock(fam, plugin, spot, background):
    lock = threading.Lock()
    fam.AddMonitor(str(spot), plugin)
    with lock:
        handled = background(fam.handle_event_set, lock)
        time.sleep(0.1)
        assert plugin.events == []
    handled()
    assert len(plugin.events) == 2


def test_the_lock_is_let_go_when_a_handler_is_interrupted(fam, spot):
    class Interrupted(Plugin):
        def HandleEvent(self, event):
            raise KeyboardInterrupt

    lock = threading.Lock()
    fam.AddMonitor(str(spot), Interrupted())
    with pytest.raises(KeyboardInterrupt):
        fam.handle_event_set(lock)
    assert not lock.locked()


def test_events_are_handled_until_the_interval_has_passed_without_any(fam, spot, background):
    interval = 0.5

    class Timed(Plugin):
        def HandleEvent(self, event):
            super().HandleEvent(event)
            self.last = time.monotonic()
            if event.action == "endExist":
                made.append(background(later))

    def later():
        time.sleep(interval / 2)
        (spot / "new").mkdir()

    made = []
    timed = Timed()
    fam.AddMonitor(str(spot), timed)
    fam.handle_events_in_interval(interval)
    assert time.monotonic() - timed.last >= interval
    made[0]()
    fam.handle_event_set()
    assert say(timed.events)[-1] == ("created", "new")


def test_an_interval_without_events_is_waited_for(fam, spot):
    fam.AddMonitor(str(spot), Plugin())
    fam.handle_event_set()
    began = time.monotonic()
    fam.handle_events_in_interval(0.2)
    assert 0.2 <= time.monotonic() - began < DEADLINE / 2


# What is told about itself


@pytest.mark.parametrize(
    ("filename", "ignored"),
    [
        ("file", False),
        ("file~", True),
        ("#file#", True),
        (".#file", True),
        (".file.swp", True),
        (".file.swpx", True),
        (".file.swx", True),
        ("SCCS", True),
        (".svn", True),
        ("4913", True),
        (".gitignore", True),
        ("some/folder/.svn", True),
        ("/a/full/path~", True),
        (".svn/entries", False),
        ("49130", False),
        ("", False),
    ],
)
def test_should_ignore_tries_the_name_and_its_last_part(filename, ignored, fam):
    assert fam.should_ignore(Event(1, filename, "changed")) is ignored


def test_should_ignore_goes_by_the_patterns_given(make_fam):
    fam = make_fam(ignore=["*.tmp", "dir/*"])
    assert fam.ignore == ["*.tmp", "dir/*"]
    assert fam.should_ignore(Event(1, "a.tmp", "changed")) is True
    assert fam.should_ignore(Event(1, "dir/a", "changed")) is True
    assert fam.should_ignore(Event(1, "a~", "changed")) is False
    assert list(famcore.DEFAULT_IGNORE) == make_fam().ignore


def test_handlers_are_listed_for_xml_rpc(fam, spot):
    class Unnamed:
        def HandleEvent(self, event): ...

    first = fam.AddMonitor(str(spot), Plugin("Probes"))
    second = fam.AddMonitor(str(spot), Unnamed())
    third = fam.AddMonitor(str(spot / "missing"), None)
    listed = fam.list_event_handlers()
    assert listed == {
        f"{first} {spot}": "Probes",
        f"{second} {spot}": "Unnamed",
        f"{third} {spot / 'missing'}": "NoneType",
    }
    assert xmlrpc.client.loads(xmlrpc.client.dumps((listed,)))[0] == (listed,)
    assert json.loads(json.dumps(listed)) == listed


def test_debugging_is_switched_and_both_return_the_flag(fam, plugin, spot, caplog):
    caplog.set_level("INFO")
    fam.AddMonitor(str(spot), plugin)
    fam.handle_event_set()
    assert str(spot) not in caplog.text
    assert fam.set_debug(True) is True
    (spot / "told").mkdir()
    fam.handle_event_set()
    assert str(spot / "told") in caplog.text
    assert fam.toggle_debug() is False
    (spot / "secret").mkdir()
    fam.handle_event_set()
    assert "secret" not in caplog.text
    assert fam.toggle_debug() is True
    assert fam.set_debug(False) is False
    assert fam.set_debug(False) is False


def test_it_has_the_attributes_of_fams_api(make_fam, spot):
    fam = make_fam(backend="pseudo")
    assert (fam.backend, fam.started, fam.handles, fam.events) == ("pseudo", False, {}, [])
    number = fam.add_monitor(spot)
    fam.start()
    assert (fam.backend, fam.started, fam.handles) == ("pseudo", True, {number: None})
    fam.remove_monitor(number)
    assert fam.handles == {}


# Events


def test_an_event_has_fams_attributes():
    event = Event(3, "file", "created")
    assert (event.requestID, event.request_id, event.filename) == (3, 3, "file")
    assert event.action == "created"
    assert event.action is EventCode.CREATED
    assert event.code2str() == "created"
    assert type(event.code2str()) is str
    assert (event.is_directory, event.moved_from) == (None, None)


@pytest.mark.parametrize("code", ["exists", "endExist", "created", "changed", "deleted"])
def test_the_codes_are_strings(code):
    event = Event(1, "", code)
    assert event.action == code
    assert f"{event.action}" == str(event.action) == event.code2str() == code
    assert event
    assert json.dumps({"action": event.action}) == f'{{"action": "{code}"}}'


def test_there_are_five_codes_and_no_other():
    assert len(EventCode) == 5
    with pytest.raises(ValueError, match="moved"):
        Event(1, "file", "moved")


def test_an_event_that_was_delivered_knows_more(fam, plugin, spot):
    (spot / "folder").mkdir()
    number = fam.AddMonitor(str(spot), plugin)
    fam.handle_event_set()
    (spot / "folder").rename(spot / "moved")
    fam.handle_event_set()
    assert all(plugin.events)
    assert [(event.requestID, event.path, event.is_directory) for event in plugin.events] == [
        (number, str(spot), True),
        (number, str(spot / "folder"), True),
        (number, str(spot), True),
        (number, str(spot / "folder"), True),
        (number, str(spot / "moved"), True),
    ]
    assert [event.moved_from for event in plugin.events] == [None] * 4 + ["folder"]


# The one of the process


@pytest.fixture
def no_fam():
    """The process has none yet, and none afterwards."""
    famcore.set_fam(None)
    yield
    famcore.set_fam(None)


def test_get_fam_makes_one_and_keeps_it(no_fam):
    fam = famcore.get_fam()
    assert type(fam) is famcore.FileMonitor
    assert famcore.get_fam() is fam
    assert not fam.started


def test_set_fam_puts_another(no_fam, make_fam):
    mine = make_fam(backend="pseudo")
    famcore.set_fam(mine)
    assert famcore.get_fam() is mine


def test_get_fam_makes_one_though_many_threads_ask(no_fam, background):
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-7)
    try:
        for _ in range(100):
            famcore.set_fam(None)
            asked = [background(famcore.get_fam) for _ in range(4)]
            assert len({id(given()) for given in asked}) == 1
    finally:
        sys.setswitchinterval(interval)


def test_available_has_what_is_usable_bound_to_its_name(make_fam):
    available = famcore.available
    assert {"pseudo", "default"} <= set(available)
    for name, cls in available.items():
        assert issubclass(cls, famcore.FileMonitor)
        fam = cls(ignore=["x"])
        assert fam.ignore == ["x"]
        with fam:
            assert fam.backend == name or name == "default"
    with make_fam() as best:
        default = available["default"]()
        with default:
            assert default.backend == best.backend
    assert available["default"] in [cls for name, cls in available.items() if name != "default"]


def test_available_is_made_when_asked_for(script):
    source = """if True:
        import sys, famcore
        print("stevedore" in sys.modules, hasattr(famcore, "available"), "stevedore" in sys.modules)
        print("pseudo" in famcore.available)
        try:
            famcore.avialable
        except AttributeError as error:
            print(error)
    """
    assert script(source) == [
        "False True True",
        "True",
        "module 'famcore' has no attribute 'avialable'",
    ]
