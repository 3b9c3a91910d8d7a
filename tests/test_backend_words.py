"""What the core makes of the words of a backend, of those too that no backend here would say."""

from __future__ import annotations

import errno
import itertools
import os
from collections import deque

import pytest

from famcore import FileMonitor, WatchLimitReached
from famcore.backend import Backend, Capability, Change, Interest, Kind


class Scripted(Backend):
    """Says what it is told to."""

    name = "scripted"
    api = 1
    priority = 50
    capabilities = Capability(0b11111)

    @classmethod
    def check(cls):
        pass

    def __init__(self):
        self.numbers = itertools.count(1)
        #: Key → the path it was given out for first.
        self.watched = {}
        self.unwatched = []
        #: Path → the interest it was watched with last.
        self.interests = {}
        #: Called with each path and interest before it is watched.
        self.beforehand = lambda path, interest: None
        self.refusal = None
        self.words = deque()
        self.readable, self.waker = os.pipe()
        os.set_blocking(self.readable, False)

    def watch(self, path, interest=Interest.ALL):
        if self.refusal is not None:
            raise self.refusal(path)
        self.beforehand(path, interest)
        status = os.lstat(path)
        self.interests[path] = interest
        for key, watched in self.watched.items():
            if watched[1] == (status.st_dev, status.st_ino):
                return key
        key = ("key", next(self.numbers))
        self.watched[key] = path, (status.st_dev, status.st_ino)
        return key

    def unwatch(self, key):
        self.unwatched.append(key)
        self.watched.pop(key, None)

    def fileno(self):
        return self.readable

    def key_of(self, path):
        (key,) = [key for key, watched in self.watched.items() if watched[0] == str(path)]
        return key

    def say(self, *words):
        self.words.append(words)
        os.write(self.waker, b"\0")

    def read(self):
        try:
            os.read(self.readable, 1)
        except BlockingIOError:
            return []
        return self.words.popleft()

    def close(self):
        for descriptor in (self.readable, self.waker):
            if descriptor >= 0:
                os.close(descriptor)
        self.readable = self.waker = -1


@pytest.fixture
def backend():
    made = []

    class Kept(Scripted):
        def __init__(self):
            super().__init__()
            made.append(self)

    with FileMonitor(Kept) as fam:
        made[0].fam = fam
        yield made[0]


@pytest.fixture
def spot(tmp_path, backend):
    """A monitored directory with a file and a subdirectory."""
    spot = tmp_path / "spot"
    (spot / "s").mkdir(parents=True)
    (spot / "a").touch()
    backend.events = []
    backend.fam.add_monitor(spot, backend.events.append)
    backend.fam.handle_events(0)
    backend.events.clear()
    return spot


@pytest.fixture
def told(backend, spot):
    """What is told when the backend says this of the monitored directory."""

    def told(*words):
        key = backend.key_of(spot)
        backend.say(*((kind, key, *more) for kind, *more in words))
        backend.fam.handle_events(0)
        said = [(str(event.action), event.filename) for event in backend.events]
        backend.kinds = [event.is_directory for event in backend.events]
        backend.origins = [event.moved_from for event in backend.events]
        backend.events.clear()
        return said

    return told


def created(name, is_directory=False, cookie=0):
    return Kind.CREATED, name, is_directory, cookie


def changed(name, is_directory=False):
    return Kind.CHANGED, name, is_directory, 0


def deleted(name, is_directory=False, cookie=0):
    return Kind.DELETED, name, is_directory, cookie


# --- names that are known, and that are not


@pytest.mark.parametrize(("name", "is_directory"), [("a", False), ("s", True)])
def test_created_of_a_known_name_is_changed(name, is_directory, told):
    assert told(created(name, is_directory)) == [("changed", name)]
    assert told(created(name, None)) == [("changed", name)]


@pytest.mark.parametrize(("name", "is_directory"), [("a", False), ("s", True)])
def test_created_of_a_known_name_of_another_kind_is_deleted_and_created(
    name, is_directory, told, backend
):
    assert told(created(name, not is_directory)) == [("deleted", name), ("created", name)]
    assert backend.kinds == [is_directory, not is_directory]


def test_deleted_of_an_unknown_name_is_nothing(told):
    assert told(deleted("x"), deleted("y", True)) == []
    assert told(deleted("a"), deleted("a")) == [("deleted", "a")]


def test_changed_of_an_unknown_name_is_created_if_it_is_there(spot, told, backend):
    (spot / "x").touch()
    (spot / "y").mkdir()
    (spot / "l").symlink_to("s")
    words = [changed(name, None) for name in ("x", "y", "l", "z")]
    assert told(*words) == [("created", "x"), ("created", "y"), ("created", "l")]
    assert backend.kinds == [False, True, False]
    assert told(*words) == [("changed", "x"), ("changed", "y"), ("changed", "l")]


def test_changed_of_an_unknown_ignored_name_is_nothing(spot, told):
    (spot / "x~").touch()
    assert told(changed("x~"), created("x~"), deleted("x~")) == []


def test_created_of_what_is_gone_again_is_told_as_it_was_said(told):
    assert told(created("x"), changed("x"), deleted("x")) == [
        ("created", "x"),
        ("changed", "x"),
        ("deleted", "x"),
    ]


def test_a_kind_that_is_not_said_is_looked_for(spot, told, backend):
    (spot / "x").touch()
    (spot / "y").mkdir()
    (spot / "l").symlink_to("s")
    words = [created(name, None) for name in ("x", "y", "l")]
    assert told(*words) == [("created", name) for name in ("x", "y", "l")]
    assert backend.kinds == [False, True, False]


@pytest.mark.parametrize(("name", "is_directory"), [("a", False), ("s", True)])
def test_repeated_changes_are_one_until_the_name_goes(name, is_directory, told):
    again = changed(name, is_directory)
    assert told(again, again, again) == [("changed", name)]
    assert told(again) == [("changed", name)]
    assert told(
        again, again, deleted(name, is_directory), created(name, is_directory), again, again
    ) == [("changed", name), ("deleted", name), ("created", name), ("changed", name)]


def test_repeated_changes_are_told_in_the_firsts_place(told, spot):
    (spot / "b").touch()
    assert told(created("b")) == [("created", "b")]
    assert told(changed("a"), changed("b"), changed("a"), changed("b")) == [
        ("changed", "a"),
        ("changed", "b"),
    ]


def test_repeated_changes_of_the_directory_itself_are_one(told, spot):
    assert told(changed("", True), changed("a"), changed("", True)) == [
        ("changed", str(spot)),
        ("changed", "a"),
    ]


# --- cookies


def test_a_cookie_pairs_the_halves_of_a_rename(told, backend):
    assert told(deleted("a", cookie=9), created("b", cookie=9)) == [
        ("deleted", "a"),
        ("created", "b"),
    ]
    assert backend.origins == [None, "a"]


def test_a_cookie_pairs_once(told, backend):
    told(deleted("a", cookie=9), created("b", cookie=9), created("c", cookie=9))
    assert backend.origins == [None, "a", None]


def test_a_cookie_that_nobody_left_pairs_nothing(told, backend):
    told(deleted("a", cookie=9), created("b", cookie=8), created("c"))
    assert backend.origins == [None, None, None]


def test_the_halves_of_a_rename_may_be_told_the_other_way_round(told, backend):
    assert told(created("b", cookie=9), deleted("a", cookie=9)) == [
        ("created", "b"),
        ("deleted", "a"),
    ]
    assert backend.origins == [None, None]


# --- forms


@pytest.mark.parametrize("form", [list, tuple, iter, lambda words: (word for word in words), deque])
def test_changes_may_come_in_any_iterable(form, spot, backend):
    key = backend.key_of(spot)
    words = [(Kind.CREATED, key, "x", False, 0), Change(Kind.CHANGED, key, "a")]
    backend.words.append(form(words))
    os.write(backend.waker, b"\0")
    backend.fam.handle_events(0)
    said = [(str(event.action), event.filename) for event in backend.events]
    assert said == [("created", "x"), ("changed", "a")]


@pytest.mark.parametrize("key", [None, 0, ("key", 999), "other"])
@pytest.mark.parametrize("kind", [Kind.CREATED, Kind.CHANGED, Kind.DELETED, Kind.GONE])
def test_what_is_said_of_a_key_that_nobody_has_is_nothing(kind, key, spot, backend):
    backend.say((kind, key, "a", False, 0))
    backend.fam.handle_events(0)
    assert backend.events == []


def test_what_is_said_of_a_key_that_was_given_back_is_nothing(spot, backend):
    key = backend.key_of(spot)
    for request_id in list(backend.fam.handles):
        backend.fam.remove_monitor(request_id)
    assert backend.unwatched.count(key) == 1
    backend.say((Kind.CREATED, key, "x", False, 0), (Kind.GONE, key, "", None, 0))
    assert backend.fam.handle_events(0) == 0


# --- a look at the disk


@pytest.mark.parametrize("key", ["the directory's", None])
def test_rescan_brings_what_is_different(key, spot, backend):
    (spot / "x").touch()
    (spot / "y~").touch()
    (spot / "s").rmdir()
    (spot / "s").touch()
    (spot / "a").unlink()
    backend.say((Kind.RESCAN, key and backend.key_of(spot), "", None, 0))
    backend.fam.handle_events(0)
    said = [(str(event.action), event.filename) for event in backend.events]
    assert sorted(said) == [
        ("created", "s"),
        ("created", "x"),
        ("deleted", "a"),
        ("deleted", "s"),
    ]
    assert said.index(("deleted", "s")) < said.index(("created", "s"))


def test_gone_though_it_is_there_is_another(spot, backend):
    """Removed and made again, before anybody looked."""
    backend.watched.pop(key := backend.key_of(spot))
    backend.say((Kind.GONE, key, "", True, 0))
    backend.fam.handle_events(0)
    said = [(str(event.action), event.filename) for event in backend.events]
    assert sorted(said[:2]) == [("deleted", "a"), ("deleted", "s")]
    assert said[2:4] == [("deleted", str(spot)), ("created", str(spot))]
    assert sorted(said[4:]) == [("created", "a"), ("created", "s")]
    assert backend.key_of(spot) != key


def test_what_comes_while_its_directory_comes_to_be_watched_is_not_missed(tmp_path, backend):
    path = tmp_path / "missing"
    events = []

    def make(watched, interest):
        if watched == str(tmp_path) and interest >= Interest.ENTRIES and not path.exists():
            path.touch()

    backend.beforehand = make
    backend.fam.add_monitor(path, events.append)
    backend.fam.handle_events(0)
    assert path.exists()
    said = [str(event.action) for event in events]
    assert said in (["exists", "endExist"], ["endExist", "created"])


def test_what_comes_into_a_directory_before_it_is_watched_exists(tmp_path, backend):
    events = []
    backend.beforehand = lambda watched, interest: (tmp_path / "a").touch()
    backend.fam.add_monitor(tmp_path, events.append)
    backend.fam.handle_events(0)
    assert [str(event.action) for event in events] == ["exists", "exists", "endExist"]


# --- keys


def interests(backend, top):
    """Path below `top` → the interest it is watched with."""
    start = f"{top}/"
    kept = {path for path, _ in backend.watched.values()}
    return {
        path.removeprefix(start): interest
        for path, interest in backend.interests.items()
        if path.startswith(start) and path in kept
    }


@pytest.mark.parametrize(
    ("monitored", "wanted"),
    [
        ("p/q/d", {"p": Interest.SELF, "p/q": Interest.SELF, "p/q/d": Interest.ALL}),
        ("p/q/d/f", {"p": Interest.SELF, "p/q": Interest.SELF, "p/q/d": Interest.ENTRIES}),
        ("p/q/d/x", {"p": Interest.SELF, "p/q": Interest.SELF, "p/q/d": Interest.ENTRIES}),
    ],
)
def test_what_is_above_a_monitored_path_is_watched_with_the_least_interest(
    monitored, wanted, tmp_path, backend
):
    (tmp_path / "p/q/d").mkdir(parents=True)
    (tmp_path / "p/q/d/f").touch()
    backend.fam.add_monitor(tmp_path / monitored)
    backend.fam.handle_events(0)
    told = interests(backend, tmp_path)
    told.pop("p/q/d/f", None)
    assert told == wanted


def test_all_watches_are_given_back_with_the_last_monitor(tmp_path, backend):
    (tmp_path / "p/d").mkdir(parents=True)
    (tmp_path / "p/f").touch()
    ids = [backend.fam.add_monitor(tmp_path / name) for name in ("p/d", "p/f", "p/x", "p", "p/d")]
    backend.fam.handle_events(0)
    assert backend.watched
    for request_id in ids:
        backend.fam.remove_monitor(request_id)
    assert backend.watched == {}


def test_the_watch_of_what_was_replaced_is_given_back(spot, backend):
    old = backend.key_of(spot)
    spot.rename(spot.with_name("away"))
    spot.mkdir()
    backend.say((Kind.RESCAN, None, "", None, 0))
    backend.fam.handle_events(0)
    assert backend.unwatched.count(old) == 1
    assert backend.key_of(spot) != old


def test_one_key_of_two_paths_is_given_back_once_both_are_done_with(tmp_path, backend):
    (tmp_path / "f").touch()
    (tmp_path / "g").hardlink_to(tmp_path / "f")
    events = []
    ids = [backend.fam.add_monitor(tmp_path / name, events.append) for name in ("f", "g")]
    backend.fam.handle_events(0)
    events.clear()
    key = backend.key_of(tmp_path / "f")

    def said():
        backend.say((Kind.CHANGED, key, "", False, 0))
        backend.fam.handle_events(0)
        filenames = sorted(event.filename for event in events)
        events.clear()
        return filenames

    assert said() == [f"{tmp_path}/f", f"{tmp_path}/g"]
    backend.fam.remove_monitor(ids[0])
    assert key not in backend.unwatched
    assert said() == [f"{tmp_path}/g"]
    backend.fam.remove_monitor(ids[1])
    assert backend.unwatched.count(key) == 1


def test_two_monitors_on_one_path_share_a_watch(spot, backend):
    key = backend.key_of(spot)
    second = backend.fam.add_monitor(spot)
    assert backend.key_of(spot) == key
    backend.fam.remove_monitor(second)
    assert key not in backend.unwatched
    backend.say((Kind.CREATED, key, "x", False, 0))
    backend.fam.handle_events(0)
    assert [event.filename for event in backend.events] == ["x"]


# --- refusals


@pytest.mark.parametrize(
    "refusal",
    [
        lambda path: WatchLimitReached(path, "the.limit", 7, "raise.it"),
        lambda path: PermissionError(13, "Permission denied", path),
        lambda path: OSError(5, "Input/output error", path),
        lambda path: RuntimeError("a mistake of the backend's"),
    ],
)
def test_what_can_not_be_watched_is_no_error_of_add_monitor(refusal, tmp_path, backend):
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a").touch()
    backend.refusal = refusal
    events = []
    backend.fam.add_monitor(tmp_path / "d", events.append)
    backend.fam.handle_events(0)
    assert [str(event.action) for event in events] == ["exists", "exists", "endExist"]
    rows = {row.path: row for row in backend.fam.coverage()}
    row = rows[f"{tmp_path}/d"]
    assert not row.covered
    assert row.reason


def test_what_is_refused_as_another_thing_came_there_is_not_missed(tmp_path, backend, caplog):
    (tmp_path / "a").touch()
    events = []

    def replace(path, interest):
        if path == str(tmp_path / "a"):
            os.unlink(path)
            os.mkfifo(path)
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO), path)

    backend.beforehand = replace
    backend.fam.add_monitor(tmp_path / "a", events.append)
    backend.fam.handle_events(0)
    assert [row.covered for row in backend.fam.coverage()] == [True]
    assert not caplog.messages
    assert [str(event.action) for event in events] in (["exists", "endExist"], ["endExist"])


def test_a_limit_is_in_the_coverage_with_its_remedy(tmp_path, backend):
    backend.refusal = lambda path: WatchLimitReached(path, "the.limit", 7, "raise.it")
    backend.fam.add_monitor(tmp_path)
    (row,) = [row for row in backend.fam.coverage() if row.path == str(tmp_path)]
    assert "the.limit" in row.reason
    assert "7" in row.reason
    assert row.remedy == "raise.it"


def test_a_directory_that_went_as_it_was_to_be_listed_is_listed_when_it_is_here_again(
    tmp_path, backend
):
    spot = tmp_path / "spot"
    spot.mkdir()
    events = []
    backend.fam.add_monitor(spot, events.append, recursive=True)
    backend.fam.handle_events(0)

    def rescan():
        events.clear()
        backend.say((Kind.RESCAN, backend.key_of(spot), "", None, 0))
        backend.fam.handle_events(0)
        return [(str(event.action), event.filename) for event in events]

    def vanish(path, interest):
        if path == str(spot / "d") and not (spot / "d" / "f").exists():
            (spot / "d").rmdir()

    backend.beforehand = vanish
    (spot / "d").mkdir()
    assert rescan() == [("created", "d")]
    (spot / "d").mkdir()
    (spot / "d" / "f").touch()
    assert rescan() == [("created", "d/f")]
