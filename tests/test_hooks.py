"""Every hook: when it is called and with what. A test is named for the hook that it is about."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from typing import ClassVar

import pytest

import famcore
from famcore import hookspecs
from famcore.backend import Backend, BackendLost, Capability, Change, Interest, Kind
from famcore.errors import PluginError, WatchLimitReached

DEADLINE = 60.0
#: Seconds after which something surely waits, or would have come.
A_WHILE = 0.2
HOOKS = [name for name, spec in vars(hookspecs).items() if hasattr(spec, "famcore_spec")]


def say(events):
    return [(str(event.action), event.filename) for event in events]


def descriptors():
    return len(os.listdir("/dev/fd"))


class Recorder:
    """A consumer that keeps all calls but `fam_ignore`, with all that they give."""

    def __init__(self):
        self.calls = []

    def of(self, *hooks):
        """What the hooks were called with, in order."""
        return [call for call in self.calls if call[0] in hooks]

    @famcore.hookimpl
    def fam_started(self, fam):
        self.calls.append(("fam_started", fam))

    @famcore.hookimpl
    def fam_stopped(self, fam):
        self.calls.append(("fam_stopped", fam))

    @famcore.hookimpl
    def fam_monitor_added(self, fam, request_id, path, recursive):
        self.calls.append(("fam_monitor_added", fam, request_id, path, recursive))

    @famcore.hookimpl
    def fam_monitor_removed(self, fam, request_id, path):
        self.calls.append(("fam_monitor_removed", fam, request_id, path))

    @famcore.hookimpl
    def fam_events(self, fam, events):
        self.calls.append(("fam_events", fam, say(events)))

    @famcore.hookimpl
    def fam_degraded(self, fam, path, reason):
        self.calls.append(("fam_degraded", fam, path, reason))

    @famcore.hookimpl
    def fam_restored(self, fam, path):
        self.calls.append(("fam_restored", fam, path))

    @famcore.hookimpl
    def fam_resynced(self, fam, reason, count):
        self.calls.append(("fam_resynced", fam, reason, count))

    @famcore.hookimpl
    def fam_error(self, fam, plugin_name, error):
        self.calls.append(("fam_error", fam, plugin_name, error))


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def recorded(make_fam, recorder):
    """A `FileMonitor` with the recorder as its consumer."""
    return make_fam(consumers=[recorder])


class Limited(Backend):
    """Has room for so many watches, tells nothing but what it is told to, and may be lost."""

    name = "limited"
    api = 1
    priority = 50
    capabilities = Capability.LIVE | Capability.CONTENTS | Capability.EXACT
    interval = 0.01

    room = 1_000
    to_say: ClassVar[list[Kind]] = []
    lost = False

    @classmethod
    def check(cls):
        pass

    def __init__(self):
        self.number = 0
        self.keys = {}

    def watch(self, path, interest=Interest.ALL):
        os.lstat(path)
        if path not in self.keys:
            if len(self.keys) >= self.room:
                raise WatchLimitReached(path, "limited.watches", self.room, "raise it: sysctl")
            self.number += 1
            self.keys[path] = self.number
        return self.keys[path]

    def unwatch(self, key):
        self.keys = {path: each for path, each in self.keys.items() if each != key}

    def fileno(self):
        return None

    def read(self):
        if self.lost:
            type(self).lost = False
            raise BackendLost("its server died")
        said, self.to_say[:] = list(self.to_say), []
        return [Change(kind, None) for kind in said]

    def close(self):
        pass


@pytest.fixture
def limited():
    """`Limited` with room for all, and nothing to say."""
    Limited.room, Limited.lost = 1_000, False
    Limited.to_say.clear()
    return Limited


# fam_backend


def test_fam_backend_is_asked_once_of_the_one_that_is_named(script, tmp_path):
    for name in ("mine", "other"):
        (tmp_path / f"plugin_{name}.py").write_text(
            "import famcore\n"
            "from fam_pseudo import PseudoBackend\n"
            "class It(PseudoBackend):\n"
            f"    name = {name!r}\n"
            "@famcore.hookimpl\n"
            "def fam_backend():\n"
            f"    print('asked {name}')\n"
            "    return It\n"
        )
        info = tmp_path / f"fam_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fam-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[famcore.backends]\n{name} = plugin_{name}\n")
    source = """if True:
        import sys
        sys.path.insert(0, sys.argv[1])
        import famcore
        fam = famcore.FileMonitor(backend="mine")
        fam.start()
        print("started", fam.backend)
    """
    assert script(source, tmp_path) == ["asked mine", "started mine"]


# fam_started, fam_stopped


def test_fam_started_is_called_when_the_backend_is_open(make_fam, spot):
    calls = []

    class Consumer:
        @famcore.hookimpl
        def fam_started(self, fam):
            calls.append((fam, fam.started, fam.backend is not None))

    fam = make_fam(consumers=[Consumer()])
    fam.add_monitor(spot)
    assert calls == []
    fam.start()
    fam.start()
    fam.handle_events()
    assert calls == [(fam, True, True)]


def test_fam_started_may_add_monitors(make_fam, spot):
    class Consumer:
        def __init__(self):
            self.told = []

        @famcore.hookimpl
        def fam_started(self, fam):
            fam.add_monitor(spot)

        @famcore.hookimpl
        def fam_events(self, events):
            self.told.extend(say(events))

    consumer = Consumer()
    fam = make_fam(consumers=[consumer])
    assert fam.handle_events() == 2
    assert consumer.told == [("exists", str(spot)), ("endExist", str(spot))]


def test_fam_started_is_not_called_when_the_start_fails(make_fam, recorder):
    fam = make_fam(backend="no such", consumers=[recorder])
    with pytest.raises(famcore.BackendNotFound):
        fam.start()
    fam.shutdown()
    assert recorder.calls == []


def test_fam_started_comes_before_all_events(make_fam, spot, background):
    """Also if another thread comes for events meanwhile."""
    entered, leave = threading.Event(), threading.Event()

    class Slow(Recorder):
        @famcore.hookimpl
        def fam_started(self, fam):
            entered.set()
            assert leave.wait(DEADLINE)
            super().fam_started(fam)

    slow = Slow()
    fam = make_fam(consumers=[slow])
    fam.add_monitor(spot)
    started = background(fam.start)
    assert entered.wait(DEADLINE)
    handled = background(fam.handle_events, A_WHILE)
    handled()
    leave.set()
    started()
    fam.handle_events()
    assert slow.calls[0] == ("fam_started", fam)
    assert slow.of("fam_events") == [
        ("fam_events", fam, [("exists", str(spot)), ("endExist", str(spot))])
    ]


def test_fam_stopped_is_called_once_at_the_end(recorded, recorder, spot):
    recorded.add_monitor(spot)
    recorded.handle_events()
    (spot / "new").touch()
    recorded.shutdown()
    recorded.shutdown()
    recorded.handle_events()
    assert recorder.calls[-1] == ("fam_stopped", recorded)
    assert len(recorder.of("fam_stopped")) == 1


def test_fam_stopped_is_not_called_without_a_start(recorded, recorder):
    recorded.shutdown()
    assert recorder.calls == []


def test_fam_stopped_finds_everything_closed(make_fam, spot):
    calls = []
    before = descriptors()

    class Consumer:
        @famcore.hookimpl
        def fam_stopped(self, fam):
            calls.append((fam.started, fam.handle_events(), descriptors()))

    fam = make_fam(consumers=[Consumer()])
    fam.add_monitor(spot)
    fam.start()
    fam.shutdown()
    assert calls == [(False, 0, before)]


# fam_monitor_added, fam_monitor_removed


def test_fam_monitor_added_is_called_at_the_start_or_afterwards(
    recorded, recorder, spot, monkeypatch
):
    monkeypatch.chdir(spot)
    first = recorded.add_monitor(spot)
    assert recorder.calls == []
    recorded.start()
    second = recorded.add_monitor("missing/", recursive=True)
    third = recorded.AddMonitor(os.fsencode(spot), None, 77)
    assert recorder.calls == [
        ("fam_started", recorded),
        ("fam_monitor_added", recorded, first, str(spot), False),
        ("fam_monitor_added", recorded, second, str(spot / "missing"), True),
        ("fam_monitor_added", recorded, third, str(spot), False),
    ]
    assert third == 77


def test_fam_monitor_added_is_not_called_for_what_is_refused(recorded, recorder, spot):
    recorded.start()
    with pytest.raises(FileNotFoundError):
        recorded.add_monitor(spot / "missing" / "file")
    with pytest.raises(ValueError, match="empty"):
        recorded.add_monitor("")
    assert recorder.of("fam_monitor_added") == []


def test_fam_monitor_removed_is_called_and_no_event_follows(recorded, recorder, spot):
    number = recorded.add_monitor(spot)
    recorded.handle_events()
    (spot / "new").mkdir()
    assert recorded.pending()
    recorded.remove_monitor(number)
    assert recorded.handle_events() == 0
    assert recorder.calls[-1] == ("fam_monitor_removed", recorded, number, str(spot))


def test_fam_monitor_removed_is_not_called_for_what_was_never_told(recorded, recorder, spot):
    number = recorded.add_monitor(spot)
    recorded.remove_monitor(number)
    with pytest.raises(ValueError, match=str(number)):
        recorded.remove_monitor(number)
    recorded.start()
    assert recorder.calls == [("fam_started", recorded)]


def test_fam_monitor_removed_comes_after_added_whoever_removes(make_fam, recorder, spot):
    class Remover:
        @famcore.hookimpl
        def fam_started(self, fam):
            fam.remove_monitor(number)

    fam = make_fam(consumers=[Remover(), recorder])
    number = fam.add_monitor(spot)
    fam.start()
    hooks = [call[0] for call in recorder.of("fam_monitor_added", "fam_monitor_removed")]
    assert hooks in ([], ["fam_monitor_added", "fam_monitor_removed"])


# fam_events


def test_fam_events_is_given_each_batch_of_all_monitors(recorded, recorder, spot):
    told = []
    recorded.add_monitor(spot, told.append)
    recorded.add_monitor(spot)
    assert recorded.handle_events() == 4
    (spot / "new").mkdir()
    assert recorded.handle_events() == 2
    expected = [("exists", str(spot)), ("endExist", str(spot))]
    assert recorder.of("fam_events") == [
        ("fam_events", recorded, expected * 2),
        ("fam_events", recorded, [("created", "new")] * 2),
    ]
    assert say(told) == [*expected, ("created", "new")]


def test_fam_events_is_never_given_an_empty_batch(recorded, recorder, spot):
    recorded.add_monitor(spot)
    recorded.handle_events()
    (spot / "ignored~").touch()
    recorded.handle_events()
    recorded.handle_events()
    assert len(recorder.of("fam_events")) == 1


def test_fam_events_is_given_what_was_handled_one_by_one(recorded, recorder, spot):
    told = []
    recorded.add_monitor(spot, told.append)
    recorded.handle_one_event(recorded.get_event())
    recorded.handle_one_event(recorded.get_event())
    assert [call[2] for call in recorder.of("fam_events")] == [
        [("exists", str(spot))],
        [("endExist", str(spot))],
    ]
    assert len(told) == 2


def test_fam_events_is_given_what_an_interrupt_cut_off_one_by_one(recorded, recorder, spot):
    def interrupt(event):
        raise KeyboardInterrupt

    recorded.add_monitor(spot, interrupt)
    event = recorded.get_event()
    with pytest.raises(KeyboardInterrupt):
        recorded.handle_one_event(event)
    with pytest.raises(KeyboardInterrupt):
        recorded.handle_events()
    recorded.handle_events()
    seen = [each for call in recorder.of("fam_events") for each in call[2]]
    assert seen == [("exists", str(spot)), ("endExist", str(spot))]


# fam_ignore


class Ignoring:
    """Answers by the last part of the path, and keeps what it was asked."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    @famcore.hookimpl
    def fam_ignore(self, path, is_directory):
        self.asked.append((path, is_directory))
        return self.answers.get(os.path.basename(path))


def names_told(fam, spot, **options):
    told = []
    fam.add_monitor(spot, told.append, **options)
    fam.handle_event_set()
    return sorted({event.filename for event in told} - {str(spot)})


def test_fam_ignore_is_asked_of_each_entry(make_fam, spot):
    ignoring = Ignoring(no=True, yes=False)
    fam = make_fam(consumers=[ignoring])
    for name in ("no", "yes", "perhaps"):
        (spot / name).touch()
    (spot / "folder").mkdir()
    (spot / "link").symlink_to("folder")
    assert names_told(fam, spot) == ["folder", "link", "perhaps", "yes"]
    asked = [each for each in ignoring.asked if each[0].startswith(f"{spot}/")]
    assert sorted(asked) == [
        (str(spot / "folder"), True),
        (str(spot / "link"), False),
        (str(spot / "no"), False),
        (str(spot / "perhaps"), False),
        (str(spot / "yes"), False),
    ]


def test_fam_ignore_holds_for_live_events_and_is_kept_for_the_path(make_fam, spot):
    ignoring = Ignoring(no=True)
    fam = make_fam(consumers=[ignoring])
    told = []
    fam.add_monitor(spot, told.append)
    fam.handle_events()
    for text in ("once", "twice"):
        for name in ("no", "yes"):
            (spot / name).write_text(text)
        fam.handle_event_set()
    assert {event.filename for event in told} == {str(spot), "yes"}
    for name in ("no", "yes"):
        assert ignoring.asked.count((str(spot / name), False)) == 1


def test_fam_ignore_ends_with_the_first_answer(make_fam, spot):
    """The last registered is asked first, and a False counts."""
    last = Ignoring(a=True, b=True, c=None)
    first = Ignoring(a=False, b=None, c=True)
    fam = make_fam(consumers=[last, first])
    for name in "abcd":
        (spot / name).touch()
    assert names_told(fam, spot) == ["a", "d"]
    assert [os.path.basename(path) for path, _ in last.asked if path != str(spot)].count("a") == 0


def test_fam_ignore_does_not_bring_back_what_the_patterns_ignore(make_fam, spot):
    ignoring = Ignoring(**{"file~": False})
    fam = make_fam(consumers=[ignoring])
    (spot / "file~").touch()
    assert names_told(fam, spot) == []


def test_fam_ignore_cannot_hide_the_monitored_path_itself(make_fam, spot):
    fam = make_fam(consumers=[Ignoring(spot=True)])
    told = []
    fam.add_monitor(spot, told.append)
    (spot / "a").touch()
    fam.handle_events()
    assert say(told) == [("exists", str(spot)), ("exists", "a"), ("endExist", str(spot))]


@pytest.mark.parametrize("action", ["add", "remove", "shutdown", "pending", "handle"])
def test_fam_ignore_may_act_on_monitors(action, make_fam, spot, caplog):
    """In the middle of a listing, once."""

    class Acting:
        acted = False

        @famcore.hookimpl
        def fam_ignore(self, path):
            if path.endswith("00005") and not self.acted:
                self.acted = True
                actions[action]()

    actions = {
        "add": lambda: fam.add_monitor(other, others.append),
        "remove": lambda: fam.remove_monitor(number),
        "shutdown": lambda: fam.shutdown(),
        "pending": lambda: fam.pending(),
        "handle": lambda: fam.handle_events(),
    }
    fam = make_fam(consumers=[Acting()])
    for each in range(10):
        (spot / f"{each:05}").touch()
    other = spot.parent / "other"
    other.mkdir()
    told, others = [], []
    number = fam.add_monitor(spot, told.append)
    fam.handle_event_set()
    # Nothing had been delivered when the monitor was removed, or all was shut down.
    assert len(told) == (0 if action in ("remove", "shutdown") else 12)
    assert len(others) == (2 if action == "add" else 0)
    assert not caplog.records


def test_fam_ignore_keeps_a_directory_from_being_entered(make_fam, limited, spot):
    """No watch is spent on what is in it."""
    watched = set()

    class Watching(limited):
        def watch(self, path, interest=Interest.ALL):
            watched.add(path)
            return super().watch(path, interest)

    fam = make_fam(backend=Watching, consumers=[Ignoring(no=True)])
    for name in ("no", "yes"):
        (spot / name / "below").mkdir(parents=True)
    assert names_told(fam, spot, recursive=True) == ["yes", "yes/below"]
    assert str(spot / "yes" / "below") in watched
    assert not [path for path in watched if path.startswith(str(spot / "no"))]


# fam_degraded, fam_restored


def test_fam_degraded_and_fam_restored_tell_of_a_limit_that_is_raised(
    make_fam, recorder, limited, spot, pump
):
    fam = make_fam(backend=limited, consumers=[recorder])
    told = []
    fam.add_monitor(spot, told.append)
    fam.handle_events()
    other = spot.parent / "other"
    other.mkdir()
    limited.room = 0
    fam.add_monitor(other, told.append)
    fam.handle_events()
    [(_, given, path, reason)] = recorder.of("fam_degraded")
    assert (given, path) == (fam, str(other))
    assert "limited.watches" in reason
    [gap] = [each for each in fam.coverage() if not each.covered]
    assert (gap.path, gap.backend, gap.remedy) == (str(other), "limited", "raise it: sysctl")
    assert say(told)[-2:] == [("exists", str(other)), ("endExist", str(other))]
    # Told once, however often it is asked.
    fam.handle_events(A_WHILE)
    (other / "new").touch()
    limited.room = 1_000
    pump(fam, lambda: recorder.of("fam_restored"))
    assert recorder.of("fam_degraded", "fam_restored")[1:] == [("fam_restored", fam, str(other))]
    assert say(told)[-1] == ("created", "new")
    assert recorder.calls[-1][0] == "fam_restored"
    assert all(each.covered for each in fam.coverage())


KERNEL_LIMIT = """if True:
    import os, sys, time, famcore
    LIMIT = "/proc/sys/user/max_inotify_watches"
    def set_limit(value):
        with open(LIMIT, "w") as file:
            file.write(str(value))
    class Consumer:
        @famcore.hookimpl
        def fam_degraded(self, fam, path, reason):
            print("degraded", os.path.basename(path), reason)
        @famcore.hookimpl
        def fam_restored(self, fam, path):
            print("restored", os.path.basename(path))
            restored.add(os.path.basename(path))
    restored = set()
    names = {}
    def fold(event):
        known = names.setdefault(event.request_id, set())
        if event.action in ("exists", "created"):
            assert event.filename not in known
            known.add(event.filename)
        elif event.action == "deleted":
            known.discard(event.filename)
    def is_true():
        return all(
            names[number] == {path, *os.listdir(path)} for number, path in monitored.items()
        )
    root = sys.argv[1]
    with open(LIMIT) as file:
        before = file.read()
    fam = famcore.FileMonitor(backend="inotify", consumers=[Consumer()])
    paths = [os.path.join(root, str(number)) for number in range(20)]
    for path in paths:
        os.mkdir(path)
    fam.start()
    monitored = {fam.add_monitor(paths[0], fold): paths[0]}
    fam.handle_event_set()
    set_limit(5)
    monitored |= {fam.add_monitor(path, fold): path for path in paths[1:]}
    fam.handle_event_set()
    gaps = [each for each in fam.coverage() if not each.covered]
    assert gaps and all("max_inotify_watches" in each.remedy for each in gaps), gaps
    print("gaps", *sorted(os.path.basename(each.path) for each in gaps))
    for path in paths:
        open(os.path.join(path, "new"), "w").close()
    set_limit(before)
    deadline = time.monotonic() + 60
    while not (all(each.covered for each in fam.coverage()) and is_true()):
        assert time.monotonic() < deadline, (fam.coverage(), names)
        fam.handle_events(0.1)
    fam.handle_event_set()
    print("true", is_true())
"""


@pytest.mark.skipif(
    subprocess.run(["unshare", "-r", "true"], check=False, capture_output=True).returncode != 0
    if sys.platform == "linux"
    else True,
    reason="needs a user namespace, which has limits of its own",
)
def test_fam_degraded_and_fam_restored_tell_of_the_kernels_limit(spot):
    done = subprocess.run(
        ["unshare", "-r", sys.executable, "-c", KERNEL_LIMIT, str(spot)],
        capture_output=True,
        text=True,
        timeout=DEADLINE * 2,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    degraded = [line.split()[1] for line in lines if line.startswith("degraded")]
    restored = [line.split()[1] for line in lines if line.startswith("restored")]
    [gaps] = [line.split()[1:] for line in lines if line.startswith("gaps")]
    assert len(degraded) >= 10
    assert sorted(degraded) == sorted(set(degraded)) == sorted(restored) == sorted(gaps)
    assert all("max_inotify_watches" in line for line in lines if line.startswith("degraded"))
    assert lines[-1] == "true True"


# fam_resynced


def test_fam_resynced_tells_how_much_a_repair_brought(make_fam, recorder, limited, spot, pump):
    fam = make_fam(backend=limited, consumers=[recorder])
    told = []
    (spot / "a").touch()
    fam.add_monitor(spot, told.append)
    fam.handle_events()
    told.clear()
    (spot / "a").unlink()
    (spot / "b").mkdir()
    limited.to_say.append(Kind.RESCAN)
    pump(fam, lambda: recorder.of("fam_resynced"))
    assert sorted(say(told)) == [("created", "b"), ("deleted", "a")]
    [(_, given, reason, count)] = recorder.of("fam_resynced")
    assert (given, count) == (fam, 2)
    # After what it brought.
    assert recorder.calls[-1][0] == "fam_resynced"
    assert isinstance(reason, str)
    assert reason


def test_fam_resynced_follows_an_overflow_of_the_kernels_queue(recorded, recorder, spot, pump):
    """More files than the queue holds, made while nobody reads."""
    try:
        with open("/proc/sys/fs/inotify/max_queued_events") as file:
            limit = int(file.read())
    except OSError:
        pytest.skip("there is no such queue here")
    if limit > 50_000:
        pytest.skip(f"the queue holds {limit} events")
    known, twice = set(), []

    def fold(event):
        if event.action in ("exists", "created"):
            twice.extend([event.filename] * (event.filename in known))
            known.add(event.filename)
        elif event.action == "deleted":
            known.discard(event.filename)

    recorded.add_monitor(spot, fold)
    recorded.handle_events()
    for number in range(limit + 500):
        (spot / f"{number:05}").touch()
    pump(recorded, lambda: recorder.of("fam_resynced"))
    recorded.handle_event_set()
    assert known == {str(spot), *os.listdir(spot)}
    assert not twice
    [(_, given, _, count)] = recorder.of("fam_resynced")
    assert given is recorded
    assert 0 < count <= limit + 500


# fam_error


def test_fam_error_tells_of_a_handler_that_failed(recorded, recorder, spot):
    def fail(event):
        raise failures[event.action]

    failures = {"exists": ValueError(), "endExist": SystemExit()}
    recorded.add_monitor(spot, fail)
    recorded.handle_events()
    calls = recorder.of("fam_error")
    assert [call[3] for call in calls] == list(failures.values())
    for _, given, name, _ in calls:
        assert given is recorded
        assert "fail" in name


def test_fam_error_tells_of_a_consumer_that_failed(recorded, recorder, spot):
    class Failing:
        @famcore.hookimpl
        def fam_events(self, events):
            raise error

    error = RuntimeError()
    recorded.register(Failing(), name="jsonlog")
    recorded.add_monitor(spot)
    recorded.handle_events()
    assert recorder.of("fam_error") == [("fam_error", recorded, "jsonlog", error)]


def test_fam_error_tells_of_a_backend_that_is_lost(make_fam, recorder, limited, spot, pump):
    fam = make_fam(backend=limited, consumers=[recorder])
    told = []
    fam.add_monitor(spot, told.append)
    fam.handle_events()
    (spot / "new").touch()
    limited.lost = True
    pump(fam, lambda: ("created", "new") in say(told))
    [(_, given, name, error)] = recorder.of("fam_error")
    assert (given, name) == (fam, "limited")
    assert isinstance(error, BackendLost)
    assert str(error) == "its server died"
    degraded = [call[2] for call in recorder.of("fam_degraded")]
    pump(fam, lambda: [call[2] for call in recorder.of("fam_restored")] == degraded)


# Registered at run time


def test_a_consumer_may_be_registered_at_run_time(recorded, spot):
    """`fam_started` is called, of it alone, and what exists is not told again."""
    [first] = [Recorder()]
    recorded.register(first)
    recorded.add_monitor(spot)
    recorded.handle_events()
    first.calls.clear()
    late = Recorder()
    recorded.register(late)
    assert late.calls == [("fam_started", recorded)]
    assert first.calls == []
    assert recorded.handle_events() == 0
    (spot / "new").mkdir()
    recorded.handle_events()
    assert late.calls[1:] == first.calls == [("fam_events", recorded, [("created", "new")])]


def test_a_consumer_that_is_registered_before_the_start_is_told_of_it_once(fam, recorder):
    fam.register(recorder, name="mine")
    assert recorder.calls == []
    fam.start()
    assert recorder.calls == [("fam_started", fam)]


def test_a_consumer_that_was_unregistered_is_told_no_more(recorded, recorder, spot):
    recorded.add_monitor(spot)
    recorded.handle_events()
    recorder.calls.clear()
    recorded.unregister(recorder)
    (spot / "new").mkdir()
    assert recorded.handle_events() == 1
    recorded.shutdown()
    assert recorder.calls == []


def test_a_consumer_may_unregister_itself_in_a_batch(make_fam, recorder, spot):
    class Once:
        seen = 0

        @famcore.hookimpl
        def fam_events(self, fam, events):
            self.seen += 1
            fam.unregister(self)

    once = Once()
    fam = make_fam(consumers=[recorder, once])
    for number in range(2_500):
        (spot / f"{number:05}").touch()
    fam.add_monitor(spot)
    fam.handle_events()
    assert once.seen == 1
    assert sum(len(call[2]) for call in recorder.of("fam_events")) == 2_502


def test_a_consumer_that_was_unregistered_may_come_back(fam, recorder):
    fam.start()
    fam.register(recorder)
    fam.unregister(recorder)
    fam.register(recorder)
    assert recorder.calls == [("fam_started", fam)] * 2


def test_a_consumer_that_is_wrong_is_refused_at_once(fam, make_fam, recorder):
    class Misspelt:
        @famcore.hookimpl
        def fam_events(self, event): ...

    for refused in (
        lambda: fam.register(Misspelt()),
        lambda: make_fam(consumers=[Misspelt()]),
    ):
        with pytest.raises(PluginError, match=r"'event'.*did you mean events"):
            refused()
    fam.register(recorder)
    with pytest.raises(PluginError, match="registered"):
        fam.register(recorder)
    fam.unregister(recorder)
    with pytest.raises(PluginError):
        fam.unregister(recorder)


# Named consumers

NAMED = """
import famcore
print("imported", __name__)

class Log:
    def __init__(self, file="-", size="1"):
        self.options = file, size

    @famcore.hookimpl
    def fam_started(self):
        print("started", *self.options)

    @famcore.hookimpl
    def fam_events(self, events):
        print("events", len(events))
"""

WITH_NAMED = """if True:
    import sys
    site, spot, consumers = sys.argv[1:]
    sys.path.insert(0, site)
    import famcore
    fam = famcore.FileMonitor(consumers=eval(consumers))
    print("made")
    fam.add_monitor(spot)
    fam.handle_events()
"""


@pytest.mark.parametrize(
    ("consumers", "lines"),
    [
        ("()", []),
        ("['log']", ["imported plugin_log", "started - 1", "events 2"]),
        (
            "[('log', {'file': 'x', 'size': '10M'})]",
            ["imported plugin_log", "started x 10M", "events 2"],
        ),
    ],
)
def test_installed_consumers_are_off_until_named(consumers, lines, script, spot, tmp_path):
    for name in ("log", "other"):
        (tmp_path / f"plugin_{name}.py").write_text(NAMED)
        info = tmp_path / f"fam_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: fam-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[famcore.consumers]\n{name} = plugin_{name}:Log\n")
    assert script(WITH_NAMED, tmp_path, spot, consumers) == ["made", *lines]


def test_a_consumer_that_is_not_installed_keeps_it_from_starting(make_fam):
    fam = make_fam(consumers=["no such"])
    with pytest.raises(PluginError, match="no consumer 'no such' is installed"):
        fam.start()
    assert not fam.started


# All of them


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_has_a_test(hook):
    assert [name for name in globals() if re.match(f"test_(fam_[a-z]+_and_)?{hook}_", name)]


def test_the_recorder_has_each_hook_of_a_consumer():
    rest = {"fam_backend", "fam_ignore"}
    assert {name for name in HOOKS if hasattr(Recorder, name)} == set(HOOKS) - rest
