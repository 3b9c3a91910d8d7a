"""Backends that are lost, that break their contract, or that can't be waited for."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Hashable

import pytest

import famcore
from famcore.backend import BackendLost, Capability, Interest, Kind
from famcore.catalog import find_backend
from famcore.testing.fold import Fold, names_on_disk

FOUND = find_backend("inotify")
pytestmark = pytest.mark.skipif(FOUND.backend is None, reason=str(FOUND))

#: Seconds at most between two attempts to open a lost backend.
AUDIT = 0.2
#: Seconds after which a backend that was open counts as one that works.
STEADY = 1.0
GONE = BackendLost("the server is gone")


@pytest.fixture
def fickle():
    """A class of backends that work until a method is to fail."""

    class Fickle(FOUND.backend):
        #: Method → what it raises: each time if that is a list, else as long as it lasts.
        fails: dict = {}  # noqa: RUF012 - a class for each test
        #: When (monotonic seconds) each was opened.
        opened_at: list = []  # noqa: RUF012
        made: list = []  # noqa: RUF012

        @classmethod
        def fail(cls, method):
            for error in cls.fails.get(method, ()):
                raise error

        @classmethod
        def check(cls):
            cls.fail("check")
            super().check()

        def __init__(self):
            self.opened_at.append(time.monotonic())
            self.fail("__init__")
            super().__init__()
            self.made.append(self)

        def fileno(self):
            self.fail("fileno")
            return super().fileno()

        def read(self):
            self.fail("read")
            return super().read()

        def close(self):
            super().close()
            self.fail("close")

    return Fickle


@pytest.fixture
def monitor():
    """Set a monitor, have its first events delivered; return what its events leave standing."""

    def monitor(fam, path, *, recursive=False):
        fold = Fold(str(path))
        fold.events = []

        def handle(event):
            fold.events.append((str(event.action), event.filename))
            fold.add(event)

        fam.add_monitor(path, handle, recursive=recursive)
        fam.handle_event_set()
        fold.events.clear()
        return fold

    return monitor


def is_true(fold, path, *, recursive=False):
    found = names_on_disk(str(path), famcore.DEFAULT_IGNORE, recursive=recursive)
    return not fold.breaches and not list(fold.differences(found))


def gaps(fam):
    return [row for row in fam.coverage() if not row.covered]


def lose(fam, backend, error=GONE):
    """Have the one that is open fail, once."""
    backend.fails["read"] = iter([error])
    fam.handle_events(0)


# --- pauses


def test_the_pauses_of_one_that_dies_at_once_grow_up_to_the_audit(make_fam, fickle, spot, pump):
    fam = make_fam(backend=fickle, audit=AUDIT)
    fam.add_monitor(spot)
    fickle.fails["read"] = [GONE]
    pump(fam, lambda: len(fickle.opened_at) >= 7)
    pauses = [after - before for before, after in itertools.pairwise(fickle.opened_at)]
    assert pauses[1] < pauses[2]
    assert min(pauses[2:]) >= AUDIT
    # The busiest machine is not late each time.
    assert min(pauses[-3:]) < 2 * AUDIT
    del fickle.fails["read"]
    pump(fam, lambda: not gaps(fam))


def test_one_that_lasted_is_opened_again_at_once(make_fam, fickle, spot, pump):
    fam = make_fam(backend=fickle)
    fam.add_monitor(spot)
    fickle.fails["read"] = iter([GONE] * 4)
    pump(fam, lambda: len(fickle.opened_at) == 5)
    next_pause = 2 * (fickle.opened_at[-1] - fickle.opened_at[-2])
    pump(fam, lambda: time.monotonic() - fickle.opened_at[-1] > STEADY)
    began = time.monotonic()
    lose(fam, fickle)
    pump(fam, lambda: len(fickle.opened_at) == 6)
    assert fickle.opened_at[-1] - began < next_pause / 2
    assert gaps(fam) == []


# --- what was not heard


def test_what_happened_shortly_before_the_loss_is_told_though_the_backend_tells_late(
    make_fam, fickle, spot, monitor, pump
):
    class Late(fickle):
        latency = 30.0
        interval = 0.03
        empty = 0

        def fileno(self):
            return None

        def read(self):
            if list(super().read()):
                type(self).empty = 0
            type(self).empty += 1
            return []

    (spot / "file").touch()
    fam = make_fam(backend=Late)
    fold = monitor(fam, spot)
    pump(fam, lambda: Late.empty > 3)
    (spot / "file").write_text("new")
    Late.empty = 0
    pump(fam, lambda: Late.empty > 3)
    assert fold.events == []
    fickle.fails["read"] = iter([GONE])
    pump(fam, lambda: fold.events)
    assert ("changed", "file") in fold.events


def test_what_was_said_by_a_key_that_gives_way_to_another_is_told(
    make_fam, fickle, tmp_path, monitor, pump
):
    """It was read, and not translated yet."""

    class Renewing(fickle):
        """Gives out a new key each time, and says one thing at a time."""

        capabilities = fickle.capabilities & ~Capability.MOVES

        def __init__(self):
            super().__init__()
            self.numbers = itertools.count(1)
            self.inner = {}
            self.key_of = {}
            self.unsaid = []

        def watch(self, path, interest=Interest.ALL):
            inner = super().watch(path, Interest.ALL)
            key = self.key_of[path] = next(self.numbers)
            self.inner[key] = inner
            return key

        def unwatch(self, key):
            self.inner.pop(key, None)

        def read(self):
            for kind, inner, *more, _ in super().read():
                keys = [key for key, each in self.inner.items() if each == inner]
                self.unsaid += [(kind, key, *more, 0) for key in keys]
            said, self.unsaid = self.unsaid[:1], self.unsaid[1:]
            return said

    spot = tmp_path / "spot"
    spot.mkdir()
    (spot / "file").touch()
    fam = make_fam(backend=Renewing)
    fold = monitor(fam, spot)
    (backend,) = Renewing.made
    key = backend.key_of[str(spot)]
    backend.unsaid.append((Kind.RESCAN, backend.key_of[str(tmp_path)], "", None, 0))
    (spot / "file").write_text("new")
    pump(fam, lambda: fold.events)
    assert backend.key_of[str(spot)] != key
    assert fold.events == [("changed", "file")]


# --- methods that fail


@pytest.mark.parametrize("error", [RuntimeError("a mistake"), SystemExit("a mistake"), GONE])
@pytest.mark.parametrize("method", ["check", "__init__", "fileno", "read"])
def test_one_that_can_not_be_opened_again_is_named_until_it_can(
    method, error, make_fam, fickle, spot, monitor, told, pump
):
    fam = make_fam(backend=fickle, audit=AUDIT / 4, consumers=[told])
    fold = monitor(fam, spot)
    fickle.fails[method] = [error]
    lose(fam, fickle)
    if method == "read":
        fickle.fails["read"] = [error]
    pump(fam, lambda: str(error) in "".join(row.reason for row in gaps(fam)))
    assert str(spot) in [row.path for row in gaps(fam)]
    (spot / "unheard").touch()
    fickle.fails.clear()
    pump(fam, lambda: str(spot) in told.restored)
    pump(fam, lambda: not gaps(fam) and fold.events)
    assert fold.events == [("created", "unheard")]
    assert is_true(fold, spot)


def test_one_that_fails_as_it_is_closed_is_opened_again(
    make_fam, fickle, spot, monitor, told, pump
):
    fam = make_fam(backend=fickle, consumers=[told])
    fold = monitor(fam, spot)
    mistake = RuntimeError("a mistake")
    fickle.fails["close"] = [mistake]
    lose(fam, fickle)
    (spot / "new").touch()
    pump(fam, lambda: fold.events)
    assert fold.events == [("created", "new")]
    assert told.of("error") == [("inotify", GONE), ("inotify", mistake)]
    assert gaps(fam) == []
    # Nor does it keep anybody from ending.
    fam.shutdown()
    assert not fam.started


def test_a_fault_that_hundreds_of_directories_meet_is_reported_once(
    make_fam, fickle, spot, monitor, told, pump, caplog
):
    class Broken(fickle):
        is_broken = False
        tried: list = []  # noqa: RUF012

        def watch(self, path, interest=Interest.ALL):
            if self.is_broken:
                self.tried.append(path)
                raise RuntimeError("a mistake")
            return super().watch(path, interest)

    for number in range(300):
        (spot / f"{number}").mkdir()
    fam = make_fam(backend=Broken, audit=AUDIT, consumers=[told])
    fam.start()
    Broken.is_broken = True
    fold = monitor(fam, spot, recursive=True)
    assert len(gaps(fam)) >= 300
    at_first = len(Broken.tried)
    pump(fam, lambda: len(Broken.tried) >= at_first + 3)
    assert [str(error) for _, error in told.of("error")] == ["a mistake"]
    assert len(caplog.records) < 5
    Broken.is_broken = False
    pump(fam, lambda: not gaps(fam))
    assert is_true(fold, spot, recursive=True)


# --- descriptors


@pytest.fixture(params=["a regular file", "closed"])
def unpollable(request, fickle):
    """A class of backends whose descriptor can't be waited for, as long as `is_bad`."""

    class Unpollable(fickle):
        is_bad = False

        def __init__(self):
            super().__init__()
            self.own = -1
            if self.is_bad:
                self.own = os.open(__file__, os.O_RDONLY)
                if request.param == "closed":
                    os.close(self.own)

        def fileno(self):
            return self.own if self.is_bad else super().fileno()

        def close(self):
            super().close()
            if self.own >= 0 and request.param != "closed":
                os.close(self.own)
            self.own = -1

    return Unpollable


def test_to_start_one_that_can_not_be_waited_for_raises_and_leaks_nothing(
    make_fam, unpollable, spot
):
    fam = make_fam(backend=unpollable)
    fam.add_monitor(spot)
    unpollable.is_bad = True
    before = os.listdir("/dev/fd")
    for _ in range(3):
        with pytest.raises(OSError, match=r"not permitted|Bad file|Invalid argument"):
            fam.start()
        assert not fam.started
    assert os.listdir("/dev/fd") == before
    # It is not spoilt by that.
    unpollable.is_bad = False
    assert fam.handle_events(0) == 2


def test_to_start_one_whose_fileno_fails_raises_and_leaks_nothing(make_fam, fickle, spot):
    fam = make_fam(backend=fickle)
    fickle.fails["fileno"] = [RuntimeError("a mistake")]
    before = os.listdir("/dev/fd")
    for _ in range(3):
        with pytest.raises(RuntimeError, match="a mistake"):
            fam.start()
    assert os.listdir("/dev/fd") == before


def test_one_that_can_no_longer_be_waited_for_is_lost_and_named(
    make_fam, unpollable, spot, monitor, told, pump
):
    fam = make_fam(backend=unpollable, audit=AUDIT, consumers=[told])
    fold = monitor(fam, spot)
    before = os.listdir("/dev/fd")
    unpollable.is_bad = True
    lose(fam, unpollable)
    pump(fam, lambda: "can't be polled" in "".join(row.reason for row in gaps(fam)))
    assert str(spot) in [row.path for row in gaps(fam)]
    assert str(spot) in told.degraded
    (spot / "unheard").touch()
    unpollable.is_bad = False
    pump(fam, lambda: fold.events)
    assert fold.events == [("created", "unheard")]
    pump(fam, lambda: not gaps(fam))
    assert len(os.listdir("/dev/fd")) <= len(before) + 1  # a timer


FORKED = """
import os, signal, socket, sys, time
import famcore
from famcore.backend import *

is_down, ends = False, []

class Daemon(Backend):
    name, api, priority, capabilities = "daemon", 1, 50, Capability.LIVE | Capability.EXACT

    @classmethod
    def check(cls):
        if is_down:
            raise BackendUnavailable("it does not run", "start it")

    def __init__(self):
        self.own, end = socket.socketpair()
        self.own.setblocking(False)
        ends.append(end)
        self.keys = 0

    def watch(self, path, interest=Interest.ALL):
        self.keys += 1
        return self.keys

    def unwatch(self, key):
        pass

    def fileno(self):
        return self.own.fileno()

    def read(self):
        try:
            if not self.own.recv(1):
                raise BackendLost("it is gone")
        except BlockingIOError:
            pass
        return []

    def close(self):
        self.own.close()

with famcore.FileMonitor(Daemon) as fam:
    fam.add_monitor(sys.argv[1])
    fam.handle_events(0)
    end, = ends
    child = os.fork()
    if not child:
        end.close()
        signal.pause()
    is_down = True
    end.close()
    fam.handle_events(0.1)
    print(any(not row.covered for row in fam.coverage()))
    began = time.process_time()
    fam.handle_events(0.5)
    print(time.process_time() - began)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


def test_the_descriptor_of_a_lost_one_that_a_child_has_keeps_nobody_busy(script, spot):
    is_lost, seconds = script(FORKED, spot)
    assert is_lost == "True"
    assert float(seconds) < 0.25


# --- what it says


def test_the_list_that_was_given_may_be_used_again(make_fam, fickle, spot, monitor, pump):
    class Thrifty(fickle):
        def __init__(self):
            super().__init__()
            self.buffer = []

        def read(self):
            self.buffer.clear()
            self.buffer.extend(super().read())
            return self.buffer

    fam = make_fam(backend=Thrifty)
    fold = monitor(fam, spot)
    for number in range(5):
        (spot / str(number)).touch()
    pump(fam, lambda: len(fold.events) == 5)
    assert is_true(fold, spot)


#: A key → what is no change.
MALFORMED = {
    "three": lambda key: (Kind.CREATED, key, "x"),
    "six": lambda key: (Kind.CREATED, key, "x", False, 0, 0),
    "none": lambda key: None,
    "a number": lambda key: 7,
    "a file in bytes": lambda key: (Kind.CREATED, key, b"x", False, 0),
    "a directory in bytes": lambda key: (Kind.CREATED, key, b"x", True, 0),
    "a key that can't be hashed": lambda key: (Kind.CREATED, [key], "x", False, 0),
    "itself": lambda key: (Kind.CREATED, key, ".", True, 0),
    "itself changed": lambda key: (Kind.CHANGED, key, ".", True, 0),
    "above": lambda key: (Kind.CREATED, key, "..", True, 0),
    "a path": lambda key: (Kind.CREATED, key, "s/x", True, 0),
}


@pytest.mark.parametrize("recursive", [False, True], ids=["plain", "recursive"])
@pytest.mark.parametrize("form", MALFORMED)
def test_what_is_no_change_loses_the_backend_and_nothing_else(
    form, recursive, make_fam, fickle, spot, monitor, told, pump
):
    keys: dict[str, Hashable] = {}

    class Mumbling(fickle):
        says: tuple = ()

        def watch(self, path, interest=Interest.ALL):
            keys[path] = super().watch(path, interest)
            return keys[path]

        def read(self):
            said, Mumbling.says = self.says, ()
            return [*super().read(), *said]

    (spot / "s").mkdir()
    fam = make_fam(backend=Mumbling, consumers=[told])
    fold = monitor(fam, spot, recursive=recursive)
    (spot / "before").touch()
    Mumbling.says = (MALFORMED[form](keys[str(spot)]),)
    pump(fam, lambda: told.of("error"))
    ((name, error),) = told.of("error")
    assert name == "inotify"
    assert isinstance(error, famcore.PluginError)
    (spot / "after").touch()
    pump(fam, lambda: is_true(fold, spot, recursive=recursive))
    # What may have changed meanwhile, too.
    events = set(fold.events) - {("changed", "after"), ("changed", "before")}
    assert events == {("created", "after"), ("created", "before")}
    assert len(told.of("error")) == 1
    assert gaps(fam) == []
