"""The recipe for Bcfg2, installed as its users install it, and used as Bcfg2's server does.

What stands for the rest of Bcfg2 is written from what its server (1.3.4, and 1.4) was seen to do.
"""

from __future__ import annotations

import importlib
import os
import pickle
import select
import shutil
import sys
import threading
import types
import xmlrpc.client
from pathlib import Path

import pytest

import famcore

SHIM = Path(__file__).parents[1] / "examples" / "bcfg2_shim" / "file_monitor.py"
DEADLINE = 60.0
#: Seconds after which something most likely waits. What is expected does not depend on it.
SOON = 0.05
IGNORED = ["*~", "*.swp"]

OPTIONS = {
    "1.3": "",
    "1.4": """
import types

class Types:
    comma_list = staticmethod(lambda text: text.split(","))

class Option:
    def __init__(self, *names, **options):
        self.__dict__.update(options)

setup = types.SimpleNamespace(ignore_files=["*~", "*.swp"])
""",
}


@pytest.fixture
def install(tmp_path, monkeypatch, deadline):
    """Put the recipe into a Bcfg2 of that version, and import it; all is shut down at the end."""
    made = []

    def install(version):
        server = tmp_path / "lib" / "Bcfg2" / "Server"
        server.mkdir(parents=True)
        for package in (server, server.parent):
            (package / "__init__.py").touch()
        (server.parent / "Options.py").write_text(OPTIONS[version])
        shutil.copy(SHIM, server / "FileMonitor.py")
        monkeypatch.syspath_prepend(tmp_path / "lib")
        monkeypatch.delenv("FAM_BACKEND", raising=False)
        module = importlib.import_module("Bcfg2.Server.FileMonitor")
        init = module.FileMonitor.__init__

        def remember(self, *arguments, **options):
            made.append(self)
            init(self, *arguments, **options)

        monkeypatch.setattr(module.FileMonitor, "__init__", remember)
        return module

    yield install
    for fam in made:
        fam.shutdown()
    for name in [name for name in sys.modules if name.partition(".")[0] == "Bcfg2"]:
        del sys.modules[name]


@pytest.fixture
def shim(install):
    return install("1.3")


@pytest.fixture
def fam(shim):
    """As the core of 1.3 makes it."""
    return shim.available["default"](ignore=IGNORED, debug=False)


class Plugin:
    def __init__(self, name):
        self.name = name
        self.told = []

    def HandleEvent(self, event):
        self.told.append((event.code2str(), event.filename))


class Core:
    """What the server's core does with its file monitor."""

    def __init__(self, fam):
        self.fam = fam
        self.lock = threading.Lock()
        self.terminate = threading.Event()
        self.thread = threading.Thread(target=self.monitor, daemon=True)
        self.held = []
        self.parsed = 0

    def monitor(self):
        descriptor = self.fam.fileno()
        while not self.terminate.is_set():
            if descriptor:
                select.select([descriptor], [], [], 2)
            if self.terminate.is_set():
                break
            self.fam.pending()
            self.fam.handle_event_set(self.lock)

    def run(self, configuration):
        self.fam.start()
        self.thread.start()
        self.fam.AddMonitor(configuration, self)

    def HandleEvent(self, event):
        self.held.append(self.lock.locked())
        if event.code2str() not in ("deleted", "exists"):
            self.parsed += 1

    def shutdown(self):
        self.terminate.set()
        self.fam.shutdown()
        self.thread.join(DEADLINE)
        assert not self.thread.is_alive()


class Spool:
    """A directory of directories, a monitor on each, as the plugin Cfg has it."""

    def __init__(self, fam, data):
        self.fam = fam
        self.data = data
        self.handles = {}
        self.entries = {}
        self.add("/")

    def add(self, relative):
        if relative not in self.handles.values():
            # With a slash at the end.
            self.handles[self.fam.AddMonitor(self.data + relative, self)] = relative

    def HandleEvent(self, event):
        if event.filename.startswith("/"):
            return
        path = self.data + self.handles[event.requestID] + event.filename
        if event.code2str() == "deleted":
            self.entries.pop(path, None)
        elif event.code2str() != "endExist":
            if os.path.isdir(path):
                self.add(path[len(self.data) :] + "/")
            else:
                self.entries[path] = Path(path).read_text()


class Store:
    """The reporting collector's spool, which has no `HandleEvent`: it takes events one by one."""

    def __init__(self, fam, work):
        self.fam, self.work = fam, work
        fam.start()
        fam.AddMonitor(work, self)

    def put(self, name, thing):
        hidden = Path(self.work, f".{name}")
        hidden.write_bytes(pickle.dumps(thing))
        hidden.rename(Path(self.work, name))

    def fetch(self):
        descriptor = self.fam.fileno()
        if not self.fam.pending():
            assert descriptor
            select.select([descriptor], [], [], 0.5)
        if not self.fam.pending():
            return None
        event = self.fam.get_event()
        if event.filename == self.work or event.filename.startswith("."):
            return None
        if event.code2str() not in ("created", "exists"):
            return None
        path = Path(self.work, event.filename)
        thing = pickle.loads(path.read_bytes())
        path.unlink()
        return thing


# The core and its plugins


def test_a_server_is_up_to_date_after_changes_of_every_kind(fam, spot, tmp_path, until):
    configuration = tmp_path / "bcfg2.conf"
    configuration.write_text("old")
    (spot / "etc" / "motd").mkdir(parents=True)
    (spot / "etc" / "motd" / "motd").write_text("hello")
    # Plugins are loaded before the monitor is started.
    spool = Spool(fam, str(spot))
    core = Core(fam)
    core.run(str(configuration))
    motd = str(spot / "etc/motd/motd")
    until(lambda: spool.entries == {motd: "hello"})

    # An editor saves.
    (spot / "etc/motd/motd.new").write_text("changed")
    (spot / "etc/motd/motd.new").rename(motd)
    until(lambda: spool.entries == {motd: "changed"})
    # A checkout.
    (spot / "deep/er/file").mkdir(parents=True)
    (spot / "deep/er/file/file").write_text("new")
    until(lambda: len(spool.entries) == 2)
    # A directory is removed and made again: Bcfg2's own monitor is deaf after that.
    shutil.rmtree(spot / "etc/motd")
    until(lambda: len(spool.entries) == 1)
    (spot / "etc/motd").mkdir()
    Path(motd).write_text("again")
    until(lambda: spool.entries.get(motd) == "again")

    assert core.parsed == 0
    new = tmp_path / "bcfg2.conf.new"
    new.write_text("new")
    new.rename(configuration)
    until(lambda: core.parsed == 1)
    until(lambda: not fam.pending())
    assert all(core.held)
    core.shutdown()


def test_a_server_shuts_down_while_its_thread_waits(fam, spot):
    core = Core(fam)
    core.run(str(spot))
    threading.Event().wait(SOON)
    core.shutdown()
    core.fam.shutdown()
    assert not fam.started
    assert not fam.pending()


def test_who_needs_events_now_handles_them_beside_the_thread(fam, spot, background, until):
    """As the plugin SSHbase does, once it has made a key."""
    plugin = Plugin("SSHbase")
    fam.AddMonitor(str(spot), plugin)
    core = Core(fam)
    core.run(str(spot))
    until(lambda: ("endExist", str(spot)) in plugin.told)

    def make_key():
        (spot / "key").write_text("secret")
        while ("created", "key") not in plugin.told:
            fam.handle_events_in_interval(0.02)

    for done in [background(make_key) for _ in range(2)]:
        done()
    assert plugin.told.count(("created", "key")) == 1
    core.shutdown()


def test_a_tool_handles_what_is_there_and_ends(shim, spot):
    """As bcfg2-admin does."""
    fam = shim.available["pseudo"](ignore=[])
    (spot / "a").touch()
    plugin = Plugin("Metadata")
    fam.AddMonitor(str(spot), plugin)
    fam.handle_event_set()
    fam.handle_events_in_interval(1)
    assert plugin.told == [("exists", str(spot)), ("exists", "a"), ("endExist", str(spot))]


def test_a_spool_is_drained_event_by_event(fam, spot):
    store = Store(fam, str(spot))
    store.put("before", "first")
    fetched = []
    while not fetched:
        fetched += filter(None, [store.fetch()])
    for name in ("b", "c", "d"):
        store.put(name, name)
    while len(fetched) < 4:
        fetched += filter(None, [store.fetch()])
    assert fetched == ["first", "b", "c", "d"]
    assert os.listdir(spot) == []
    assert fam.handles == {1: store}


def test_no_end_of_a_file_is_told_and_that_of_a_directory_is(fam, spot):
    (spot / "file").touch()
    plugins = [Plugin(name) for name in ("file", "directory", "missing")]
    for plugin, path in zip(plugins, (spot / "file", spot, spot / "missing"), strict=True):
        fam.AddMonitor(str(path), plugin)
    fam.handle_event_set()
    while fam.pending():
        fam.handle_one_event(fam.get_event())
    file, directory, missing = (plugin.told for plugin in plugins)
    assert file == [("exists", str(spot / "file"))]
    assert directory[-1] == ("endExist", str(spot))
    assert missing == []
    (spot / "missing").touch()
    fam.handle_event_set()
    assert missing == [("created", str(spot / "missing"))]


def test_what_a_handler_does_to_its_event_is_not_seen_by_others(fam, spot):
    class Stripping(Plugin):
        def HandleEvent(self, event):
            event.filename = event.filename[len(str(spot)) + 1 :]

    plugin = Plugin("second")
    fam.AddMonitor(str(spot), Stripping("first"))
    fam.AddMonitor(str(spot), plugin)
    fam.handle_event_set()
    assert plugin.told[0] == ("exists", str(spot))


def test_a_plugin_that_fails_harms_no_other(fam, spot, caplog):
    class Failing(Plugin):
        def HandleEvent(self, event):
            raise ValueError("no such group")

    plugin = Plugin("Rules")
    fam.AddMonitor(str(spot), Failing("Metadata"))
    fam.AddMonitor(str(spot), plugin)
    fam.handle_event_set()
    assert len(plugin.told) == 2
    assert "Metadata" in caplog.text
    assert "no such group" in caplog.text


# Names


def test_it_has_all_names(shim):
    for name in ("Event", "FileMonitor", "Pseudo", "available", "get_available", "get_fam"):
        assert hasattr(shim, name)
    for name in """__child_rmi__ __rmi__ AddMonitor debug debug_flag debug_log events fileno
            get_event handle_event_set handle_events_in_interval handle_one_event handles ignore
            list_event_handlers pending set_debug should_ignore shutdown start started
            toggle_debug""".split():
        assert hasattr(shim.available["default"](), name), name
    assert shim.get_available() is shim.available


def test_what_is_available_is_named_as_in_bcfg2(shim):
    assert {"default", "pseudo"} <= set(shim.available)
    for name, cls in shim.available.items():
        assert issubclass(cls, shim.FileMonitor)
        assert name in ("default", cls.__name__.lower())
        assert issubclass(cls, shim.Pseudo) is (name == "pseudo")
    assert shim.available["default"].bound_to == next(iter(famcore.available))
    assert shim.available["default"] in [
        cls for name, cls in shim.available.items() if name != "default"
    ]


def test_the_best_is_used_as_default(shim, spot):
    with shim.available["default"]() as fam, famcore.FileMonitor() as best:
        assert fam.backend == best.backend
        assert type(fam).__name__.lower() == fam.backend


def test_what_is_to_be_ignored_is_given(shim, fam):
    assert fam.ignore == IGNORED
    assert shim.available["pseudo"](debug=True).ignore == []
    assert fam.should_ignore(shim.Event(1, "x~", "changed")) is True
    assert fam.should_ignore(shim.Event(1, "SCCS", "changed")) is False


def test_later_versions_have_their_options_for_all(install, spot):
    shim = install("1.4")
    options = sys.modules["Bcfg2.Options"]
    (option,) = shim.FileMonitor.options
    assert option.cf == ("server", "ignore_files")
    assert option.default == list(famcore.DEFAULT_IGNORE)
    options.setup.filemonitor = shim.available["pseudo"]
    fam = shim.get_fam()
    assert isinstance(fam, shim.Pseudo)
    assert fam.ignore == IGNORED
    assert shim.get_fam() is fam


def test_objects_are_as_they_were_given(fam, spot):
    plugin, thing = Plugin("Cfg"), types.SimpleNamespace(handler="thing")
    assert fam.AddMonitor(str(spot), plugin, handleID=7) == 7
    number = fam.AddMonitor(str(spot), thing)
    assert fam.handles == {7: plugin, number: thing}
    assert fam.handles[7] is plugin


def test_its_methods_are_called_over_xml_rpc(fam, spot):
    class Nameless:
        def HandleEvent(self, event): ...

    class Unnamed(Nameless):
        name = None

    fam.AddMonitor(str(spot), Plugin("Cfg"))
    fam.AddMonitor(str(spot), Nameless())
    fam.AddMonitor(str(spot), Unnamed())
    exposed = {name: getattr(fam, name) for name in fam.__rmi__}
    assert {*fam.__child_rmi__} <= {*exposed}
    listed = exposed["list_event_handlers"]()
    assert listed == {f"1 {spot}": "Cfg", f"2 {spot}": "Nameless", f"3 {spot}": "Unnamed"}
    for answer in (listed, exposed["set_debug"](True), exposed["toggle_debug"]()):
        assert xmlrpc.client.loads(xmlrpc.client.dumps((answer,)))[0] == (answer,)


def test_debugging_is_switched_in_all_ways(shim, fam, spot, caplog):
    caplog.set_level("INFO")
    assert shim.available["pseudo"](debug=True).debug_flag is True
    assert fam.debug_flag is False
    assert fam.toggle_debug() is True
    assert fam.debug_flag is True
    assert fam.set_debug(False) is False
    fam.debug_log("not said")
    fam.debug_log("said all the same", flag=True)
    fam.debug = True
    assert fam.debug_flag is True
    fam.debug_log("said")
    fam.AddMonitor(str(spot), Plugin("Cfg"))
    fam.handle_event_set()
    assert f"exists {spot}" in caplog.text
    fam.debug_flag = False
    caplog.clear()
    (spot / "secret").touch()
    fam.handle_event_set()
    assert "secret" not in caplog.text
    assert not caplog.records


def test_a_path_in_no_directory_is_refused(fam, spot):
    with pytest.raises(OSError, match="nowhere"):
        fam.AddMonitor(str(spot / "nowhere" / "file"), Plugin("Cfg"))
