"""Events on their way to handlers and consumers, each of which fails alone."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence

import pytest

import famcore
from famcore.backend import Backend, Capability, Change, Interest, Kind

FAILURES = [RuntimeError("it broke"), SystemExit(3), AssertionError()]


def say(events):
    return [(str(event.action), event.filename) for event in events]


def fill(spot, number):
    for each in range(number):
        (spot / f"{each:05}").touch()


class Keeper:
    """A consumer that keeps its batches and what it is told of failures."""

    def __init__(self):
        self.batches = []
        self.errors = []

    @property
    def events(self):
        return [event for batch in self.batches for event in batch]

    @famcore.hookimpl
    def fam_events(self, events):
        self.batches.append(events)

    @famcore.hookimpl
    def fam_error(self, fam, plugin_name, error):
        self.errors.append((fam, plugin_name, error))


@pytest.fixture
def keeper():
    return Keeper()


@pytest.fixture
def kept(make_fam, keeper):
    """A `FileMonitor` with the keeper as its consumer."""
    return make_fam(consumers=[keeper])


# Handlers


class Recorder:
    """A handler as FAM knows them."""

    def __init__(self):
        self.events = []

    def HandleEvent(self, event):
        self.events.append(event)


class Both(Recorder):
    """What has `HandleEvent` is not called otherwise."""

    def __call__(self, event):
        raise AssertionError


@pytest.mark.parametrize("kind", [Recorder, Both])
def test_a_handler_has_handle_event(kind, fam, spot):
    handler = kind()
    fam.add_monitor(spot, handler)
    fam.handle_events()
    assert say(handler.events) == [("exists", str(spot)), ("endExist", str(spot))]


def test_a_handler_may_be_a_callable_or_missing(kept, keeper, spot):
    told = []
    kept.add_monitor(spot, told.append)
    kept.add_monitor(spot)
    assert kept.handle_events() == 4
    assert len(told) == 2
    assert len(keeper.events) == 4


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
def test_a_handler_that_fails_fails_alone(failure, kept, keeper, spot, caplog):
    def fail_always(event):
        failed.append(event)
        raise failure

    failed, told = [], []
    kept.add_monitor(spot, fail_always)
    kept.add_monitor(spot, told.append)
    assert kept.handle_events() == 4
    expected = [("exists", str(spot)), ("endExist", str(spot))]
    assert say(failed) == say(told) == expected
    assert len(keeper.events) == 4
    logged = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(logged) == 2
    for record in logged:
        assert "fail_always" in record.getMessage()
        assert str(spot) in record.getMessage()
        assert record.exc_info
        assert record.exc_info[1] is failure
    assert len(keeper.errors) == 2
    for reporter, name, error in keeper.errors:
        assert reporter is kept
        assert "fail_always" in name
        assert error is failure


def test_a_handler_that_fails_is_named_by_its_class(kept, keeper, spot, caplog):
    class Metadata:
        def HandleEvent(self, event):
            raise KeyError("probes")

    kept.add_monitor(spot, Metadata())
    kept.handle_events()
    assert "Metadata" in caplog.text
    assert [name for _, name, _ in keeper.errors] == [keeper.errors[0][1]] * 2
    assert "Metadata" in keeper.errors[0][1]


def test_an_interrupt_passes_and_leaves_the_rest_queued(kept, keeper, spot):
    begun = []

    def interrupt(event):
        begun.append(event)
        if event.filename == "00003":
            raise KeyboardInterrupt

    other = []
    fill(spot, 10)
    kept.add_monitor(spot, interrupt)
    kept.add_monitor(spot, other.append)
    with pytest.raises(KeyboardInterrupt):
        kept.handle_events()
    at = begun.index(next(event for event in begun if event.filename == "00003"))
    assert at == len(begun) - 1
    assert other == []
    left = 24 - len(begun)
    assert kept.handle_events() == left
    expected = [str(spot), *os.listdir(spot), str(spot)]
    assert sorted(event.filename for event in begun) == sorted(expected)
    assert say(other) == say(begun)
    # Those handled before the interrupt are in a batch too.
    assert say(keeper.events) == say(begun) + say(other)


def test_interrupts_at_every_event_lose_and_double_nothing(kept, keeper, spot):
    begun = []

    def interrupt(event):
        begun.append(event)
        raise KeyboardInterrupt

    fill(spot, 20)
    kept.add_monitor(spot, interrupt)
    while kept.pending():
        with pytest.raises(KeyboardInterrupt):
            kept.handle_events()
    assert kept.handle_events() == 0
    assert len(begun) == 22
    assert say(keeper.events) == say(begun)


def test_what_a_handler_does_to_its_event_nobody_else_sees(kept, keeper, spot):
    told, spoilt = [], []

    def spoil(event):
        event.filename = "spoilt"
        event.action = None
        event.request_id = -1
        event.is_directory = "who knows"
        spoilt.append(event)

    (spot / "a").touch()
    for handler in (spoil, told.append, spoil):
        kept.add_monitor(spot, handler)
    kept.handle_events()
    expected = [("exists", str(spot)), ("exists", "a"), ("endExist", str(spot))]
    assert say(told) == expected
    assert say(keeper.events) == expected * 3
    assert [event.request_id for event in keeper.events] == [1] * 3 + [2] * 3 + [3] * 3
    paths = [str(spot), str(spot / "a"), str(spot)]
    assert [event.path for event in spoilt] == paths * 2
    assert [event.path for event in keeper.events] == paths * 3


def test_a_handler_may_change_its_event_when_there_is_no_consumer(fam, spot):
    events = []

    def spoil(event):
        event.filename = os.path.join("spoilt", event.filename)
        events.append(event)

    (spot / "a").touch()
    fam.add_monitor(spot, spoil)
    fam.handle_events()
    assert [event.path for event in events] == [str(spot), str(spot / "a"), str(spot)]
    assert events[1].filename == "spoilt/a"


def test_a_handler_may_bring_a_consumer_into_the_batch(fam, keeper, spot):
    def spoil(event):
        if event.action == "exists":
            event.filename = "spoilt"
            fam.register(keeper)

    fam.add_monitor(spot, spoil)
    fam.handle_events()
    assert "spoilt" not in [event.filename for event in keeper.events]


# Consumers


def test_consumers_share_one_batch(make_fam, spot):
    keepers = [Keeper(), Keeper(), Keeper()]
    fam = make_fam(consumers=keepers)
    fill(spot, 1_500)
    fam.add_monitor(spot)
    fam.handle_events()
    first, *others = keepers
    assert len(first.batches) > 1
    for batches in zip(first.batches, *[other.batches for other in others], strict=True):
        assert all(batch is batches[0] for batch in batches)
        assert isinstance(batches[0], Sequence)
        assert batches[0]


def test_of_each_batch_the_handlers_come_first(make_fam, spot):
    calls = []

    class Consumer:
        @famcore.hookimpl
        def fam_events(self, events):
            calls.append(("batch", len(events)))

    fam = make_fam(consumers=[Consumer()])
    fam.add_monitor(spot, lambda event: calls.append((1, str(event.action))))
    fam.add_monitor(spot, lambda event: calls.append((2, str(event.action))))
    fam.handle_events()
    assert calls == [
        (1, "exists"),
        (1, "endExist"),
        (2, "exists"),
        (2, "endExist"),
        ("batch", 4),
    ]


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
def test_a_consumer_that_fails_fails_alone(failure, make_fam, spot, caplog):
    class Failing:
        @famcore.hookimpl
        def fam_events(self, events):
            raise failure

    first, last, failing = Keeper(), Keeper(), Failing()
    fam = make_fam(consumers=[first])
    fam.register(failing, name="jsonlog")
    fam.register(last, name="last")
    told = []
    fam.add_monitor(spot, told.append)
    assert fam.handle_events() == 2
    assert say(first.events) == say(last.events) == say(told)
    assert len(told) == 2
    for keeper in (first, last):
        assert keeper.errors == [(fam, "jsonlog", failure)]
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "jsonlog" in record.getMessage()
    assert record.exc_info
    assert record.exc_info[1] is failure


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
def test_a_consumer_may_fail_at_being_told_of_a_failure(failure, make_fam, spot, caplog):
    class Failing:
        calls = 0

        @famcore.hookimpl
        def fam_error(self, error):
            self.calls += 1
            raise failure

    first, last, failing = Keeper(), Keeper(), Failing()
    fam = make_fam(consumers=[first, failing, last])

    def fail(event):
        raise ValueError(event.action)

    fam.add_monitor(spot, fail)
    assert fam.handle_events() == 2
    assert failing.calls == 2
    for keeper in (first, last):
        errors = [error for _, _, error in keeper.errors if isinstance(error, ValueError)]
        assert [str(error) for error in errors] == ["exists", "endExist"]
    assert "Failing" in caplog.text


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
@pytest.mark.parametrize(
    "hook",
    ["fam_started", "fam_stopped", "fam_monitor_added", "fam_monitor_removed", "fam_ignore"],
)
def test_a_consumer_may_fail_in_every_other_hook(hook, failure, make_fam, keeper, spot, caplog):
    @famcore.hookimpl(specname=hook)
    def fail(self):
        raise failure

    Failing = type("Failing", (), {"fail": fail})  # noqa: N806
    fam = make_fam(consumers=[Failing(), keeper])
    told = []
    (spot / "a").touch()
    number = fam.add_monitor(spot, told.append)
    fam.handle_events()
    assert say(told) == [("exists", str(spot)), ("exists", "a"), ("endExist", str(spot))]
    fam.remove_monitor(number)
    fam.shutdown()
    assert (fam, "Failing", failure) in keeper.errors
    assert "Failing" in caplog.text


def test_an_interrupted_consumer_costs_the_others_nothing(make_fam, spot):
    class Interrupted:
        interrupts = 1
        seen = 0

        @famcore.hookimpl
        def fam_events(self, events):
            self.seen += len(events)
            if self.interrupts:
                self.interrupts -= 1
                raise KeyboardInterrupt

    first, last, interrupted = Keeper(), Keeper(), Interrupted()
    fam = make_fam(consumers=[first, interrupted, last])
    fill(spot, 1_500)
    told = []
    fam.add_monitor(spot, told.append)
    with pytest.raises(KeyboardInterrupt):
        fam.handle_events()
    fam.handle_events()
    assert len(told) == 1_502
    assert say(first.events) == say(last.events) == say(told)
    assert interrupted.seen == 1_502


# Backends


class Failing(Backend):
    """Watches nothing by itself; the method of the name in `fails` fails, once."""

    name = "failing"
    api = 1
    priority = 50
    capabilities = Capability.LIVE | Capability.CONTENTS | Capability.EXACT
    interval = 0.01

    fails: str | None = None
    failure: BaseException = RuntimeError()
    made = itertools.count()
    keys = itertools.count(1)

    @classmethod
    def arm(cls, method, failure):
        cls.fails, cls.failure = method, failure

    @classmethod
    def disarm(cls):
        cls.fails = None

    def _may_fail(self, method):
        if type(self).fails == method:
            self.disarm()
            raise self.failure

    @classmethod
    def check(cls):
        pass

    def __init__(self):
        self._may_fail("__init__")
        next(self.made)
        self._keys = {}

    def watch(self, path, interest=Interest.ALL):
        os.lstat(path)
        self._may_fail("watch")
        self._keys[path] = self._keys.get(path) or next(self.keys)
        return self._keys[path]

    def unwatch(self, key):
        self._may_fail("unwatch")

    def fileno(self):
        return None

    def read(self):
        self._may_fail("read")
        return [Change(Kind.RESCAN, key) for key in self._keys.values()]

    def close(self):
        self._may_fail("close")


@pytest.fixture
def failing():
    """A backend that tells nothing but RESCAN, and may be made to fail."""
    Failing.disarm()
    yield Failing
    Failing.disarm()


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
@pytest.mark.parametrize("method", ["watch", "unwatch", "read"])
def test_a_backend_that_fails_is_reported_and_tried_again(
    method, failure, make_fam, keeper, failing, spot, pump, caplog
):
    fam = make_fam(backend=failing, consumers=[keeper], audit=1)
    names = set()

    def fold(event):
        if event.action in ("exists", "created"):
            names.add(event.filename)
        elif event.action == "deleted":
            names.discard(event.filename)

    (spot / "a").touch()
    other = spot.parent / "other"
    other.mkdir()
    fam.add_monitor(spot, fold)
    number = fam.add_monitor(other)
    fam.handle_events()
    failing.arm(method, failure)
    (spot / "b").touch()
    (spot / "a").unlink()
    fam.remove_monitor(number)
    number = fam.add_monitor(other)
    pump(fam, lambda: failing.fails is None)
    pump(fam, lambda: names == {str(spot), "b"})
    pump(fam, lambda: all(each.covered for each in fam.coverage()))
    assert [(name, error) for _, name, error in keeper.errors] == [("failing", failure)]
    assert "failing" in caplog.text


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
def test_a_backend_that_fails_to_close_does_not_keep_from_shutting_down(
    failure, make_fam, keeper, failing, spot, caplog
):
    before = len(os.listdir("/dev/fd"))
    fam = make_fam(backend=failing, consumers=[keeper])
    fam.add_monitor(spot)
    fam.handle_events()
    failing.arm("close", failure)
    fam.shutdown()
    assert failing.fails is None
    assert not fam.started
    assert len(os.listdir("/dev/fd")) == before
    assert keeper.errors == [(fam, "failing", failure)]
    assert "failing" in caplog.text


def test_an_interrupt_of_a_backend_passes_and_nothing_is_lost(make_fam, failing, spot, pump):
    fam = make_fam(backend=failing)
    told = []
    fam.add_monitor(spot, told.append)
    fam.handle_events()
    (spot / "a").touch()
    failing.arm("read", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        pump(fam, lambda: failing.fails is None)
    pump(fam, lambda: say(told)[2:] == [("created", "a")])
