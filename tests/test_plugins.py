"""Plugins at registration and when called: what is refused, in which words, and what is called."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import os
import subprocess
import sys
import types

import pluggy
import pytest

from famcore.backend import Backend, Capability
from famcore.errors import PluginError
from famcore.hookspecs import hookimpl
from famcore.plugins import Consumers, backend_of, check_plugin

other_project = pluggy.HookimplMarker("pytest")


class Recorder:
    """Keeps the batches that it is told of."""

    def __init__(self):
        self.batches = []

    @hookimpl
    def fam_events(self, events):
        self.batches.append(events)


def module(name, **functions):
    """A module as an import would give it."""
    made = types.ModuleType(name)
    vars(made).update(functions)
    return made


def instance(**attributes):
    """An instance of a class that has these attributes."""
    return type("Plugin", (), attributes)()


def call(consumers, hook, **arguments):
    """Call every consumer; the answers by name."""
    return {name: caller(**arguments) for name, caller in consumers.callers(hook)}


def refusal(plugin):
    with pytest.raises(PluginError) as caught:
        check_plugin(plugin, "log")
    return str(caught.value)


# What works


def test_functions_of_a_module_are_called():
    @hookimpl
    def fam_events(events):
        return len(events)

    consumers = Consumers()
    assert consumers.register(module("jsonlog", fam_events=fam_events)) == "jsonlog"
    assert call(consumers, "fam_events", fam=None, events=[1, 2]) == {"jsonlog": [2]}


def test_methods_of_every_kind_are_called():
    class Every:
        @hookimpl
        def fam_events(self, fam, events):
            return "method"

        @staticmethod
        @hookimpl
        def fam_started(fam):
            return "static"

        @classmethod
        @hookimpl
        def fam_stopped(cls, fam):
            return "class"

        def __init__(self):
            self.fam_restored = hookimpl(lambda path: path)

    consumers = Consumers()
    consumers.register(Every(), "every")
    assert call(consumers, "fam_events", fam=None, events=()) == {"every": ["method"]}
    assert call(consumers, "fam_started", fam=None) == {"every": ["static"]}
    assert call(consumers, "fam_stopped", fam=None) == {"every": ["class"]}
    assert call(consumers, "fam_restored", fam=None, path="/x") == {"every": ["/x"]}


def test_a_function_may_be_decorated_further_if_its_arguments_can_still_be_seen():
    def shout(function):
        @functools.wraps(function)
        def louder(*args, **kwargs):
            return function(*args, **kwargs).upper()

        return louder

    class Loud:
        @hookimpl
        @shout
        def fam_restored(self, path):
            return path

    consumers = Consumers()
    consumers.register(Loud(), "loud")
    assert call(consumers, "fam_restored", fam=None, path="/x") == {"loud": ["/X"]}


def test_a_rightly_spelt_argument_with_a_default_gets_its_value():
    consumers = Consumers()
    consumers.register(instance(fam_restored=hookimpl(lambda self, path="none": path)), "log")
    assert call(consumers, "fam_restored", fam=None, path="/x") == {"log": ["/x"]}


def test_an_implementation_may_have_another_name_than_its_hook():
    class Log:
        @hookimpl(specname="fam_events")
        def write(self, events):
            return events

    assert check_plugin(Log(), "log") == {"fam_events"}


def test_an_optional_hook_may_be_one_of_a_later_famcore():
    class Log(Recorder):
        @hookimpl(optionalhook=True)
        def fam_cursor_moved(self, cursor):
            pass

    assert "fam_events" in check_plugin(Log(), "log")


def test_helpers_that_begin_with_fam_are_let_be():
    class Log(Recorder):
        fam_events_seen = 0

        def fam_as_json(self):
            pass

    log = Log()
    log.fam_tools = os
    assert check_plugin(log, "log") == {"fam_events"}


def test_nothing_of_a_plugin_is_read_that_is_no_hook():
    class Log(Recorder):
        @property
        def fam_error(self):
            raise AssertionError("read")

        @functools.cached_property
        def size(self):
            raise AssertionError("read")

        def __getattr__(self, name):
            raise AssertionError(f"{name} was looked for")

    class Proxy:
        __call__ = print

        def __getattr__(self, name):
            raise AssertionError(f"{name} was looked for")

    log = Log()
    log.request = Proxy()
    consumers = Consumers()
    consumers.register(log)
    assert len(consumers.callers("fam_events")) == 1


# What is refused


async def coroutine(self, events):
    await asyncio.sleep(0)


async def async_generator(self, events):
    yield events


def generator(self, events):
    yield events


@functools.cache
@hookimpl
def cached(path, is_directory):
    return False


def wrapper(self, events):
    return (yield)


def unaware(self, *args):
    """As a decorator without functools.wraps leaves it."""


@dataclasses.dataclass
class Options:
    size: int = 0

    @hookimpl
    def fam_events(self, events):
        pass


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        pytest.param(
            {"fam_event": hookimpl(lambda self: None)},
            ["fam_event is not a hook", "did you mean fam_events?"],
            id="unknown hook",
        ),
        pytest.param(
            {"on_change": hookimpl(lambda self: None)},
            ["on_change is not a hook", "the hooks are fam_backend, fam_started"],
            id="unknown hook like none",
        ),
        pytest.param(
            {"write": hookimpl(specname="fam_evnts")(lambda self: None)},
            ["write (fam_evnts) is not a hook", "did you mean fam_events?"],
            id="unknown specname",
        ),
        pytest.param(
            {"fam_events": hookimpl(lambda self, event: None)},
            ["fam_events takes 'event'", "gives fam, events", "did you mean events?"],
            id="misspelt argument",
        ),
        pytest.param(
            {"fam_events": hookimpl(lambda self, fam, evnets=(): None)},
            ["fam_events takes 'evnets'", "gives fam, events", "did you mean events?"],
            id="misspelt argument with a default",
        ),
        pytest.param(
            {"fam_backend": hookimpl(lambda self, options: None)},
            ["fam_backend takes 'options'", "the hook gives no arguments"],
            id="argument of a hook without any",
        ),
        pytest.param(
            {"fam_events": hookimpl(lambda self, *, events: None)},
            ["fam_events takes 'events' by keyword only", "remove the *"],
            id="keyword-only argument",
        ),
        pytest.param(
            {"fam_events": hookimpl(lambda self, fam, events=(), /: None)},
            ["fam_events takes 'events' by place only", "remove the /"],
            id="positional-only argument with a default",
        ),
        pytest.param(
            {"fam_events": hookimpl(unaware)},
            ["fam_events would find nothing in *args", "gives fam, events"],
            id="star arguments",
        ),
        pytest.param(
            {"fam_events": hookimpl(lambda self, events, **more: None)},
            ["fam_events would find nothing in **more", "gives fam, events"],
            id="double star arguments",
        ),
        pytest.param(
            {"fam_events": hookimpl(lambda fam, events: None)},
            ["fam_events is a method without self"],
            id="no self",
        ),
        pytest.param(
            {"fam_backend": hookimpl(lambda: None)},
            ["fam_backend is a method without self"],
            id="no argument at all",
        ),
        pytest.param(
            {"fam_events": hookimpl(coroutine)},
            ["fam_events is async", "plain def"],
            id="async def",
        ),
        pytest.param(
            {"fam_events": hookimpl(async_generator)},
            ["fam_events is async", "plain def"],
            id="async generator",
        ),
        pytest.param(
            {"fam_events": hookimpl(generator)},
            ["fam_events yields", "plain function"],
            id="generator",
        ),
        pytest.param(
            {"fam_events": hookimpl(wrapper=True)(wrapper)},
            ["fam_events is a wrapper", "plain function"],
            id="wrapper",
        ),
        pytest.param(
            {"fam_events": lambda self, events: None},
            ["fam_events is not decorated", "put @famcore.hookimpl above it"],
            id="not decorated",
        ),
        pytest.param(
            {"fam_events": staticmethod(lambda events: None)},
            ["fam_events is not decorated", "put @famcore.hookimpl above it"],
            id="static method not decorated",
        ),
        pytest.param(
            {"fam_events": other_project(lambda self, events: None)},
            ["fam_events is marked as a hook of pytest", "put @famcore.hookimpl above it"],
            id="marked by another project",
        ),
        pytest.param(
            {"fam_event": lambda self, events: None},
            ["fam_event is not a hook", "did you mean fam_events, with @famcore.hookimpl?"],
            id="neither decorated nor rightly named",
        ),
        pytest.param(
            {"fam_events": functools.partial(print, "events")},
            ["fam_events is a partial", "make it a function or a method"],
            id="partial",
        ),
        pytest.param(
            {"fam_events": hookimpl(functools.partial(print, "events"))},
            ["fam_events is a partial", "make it a function or a method"],
            id="decorated partial",
        ),
        pytest.param(
            {"write": hookimpl(functools.partial(print, "events"), specname="fam_events")},
            ["write is a partial", "make it a function or a method"],
            id="decorated partial of another name",
        ),
        pytest.param(
            {"fam_events": functools.partialmethod(generator)},
            ["fam_events is a partialmethod", "make it a function or a method"],
            id="partialmethod",
        ),
        pytest.param(
            {"fam_ignore": cached},
            ["fam_ignore is a ", "lru_cache", "make it a function or a method"],
            id="cached function",
        ),
        pytest.param(
            {"size": 1},
            ["implements no hook", "@famcore.hookimpl", "fam_events"],
            id="no hook at all",
        ),
    ],
)
def test_what_would_never_be_called_as_meant_is_refused(attributes, words):
    message = refusal(instance(**attributes))
    assert message.startswith("plugin 'log': ")
    assert "\n" not in message
    for word in words:
        assert word in message


def test_what_a_module_lacks_is_refused_in_the_same_words():
    def fam_events(fam, events): ...

    assert "fam_events is not decorated" in refusal(module("log", fam_events=fam_events))
    assert "implements no hook" in refusal(module("log"))


def test_a_static_method_with_self_is_refused():
    made = instance(fam_events=staticmethod(hookimpl(lambda self, fam, events: None)))
    assert "fam_events takes 'self', but the hook gives fam, events" in refusal(made)


def test_what_hangs_on_the_instance_is_looked_at_too():
    log = Recorder()
    log.fam_error = lambda error: None
    assert "fam_error is not decorated" in refusal(log)


def test_a_class_in_the_place_of_its_instance_is_refused():
    assert refusal(Recorder) == "plugin 'log': Recorder is a class; give an instance of it"


def test_a_consumer_that_cannot_be_hashed_is_refused():
    message = refusal(Options())
    assert "unhashable type: 'Options'" in message
    assert "eq=False" in message


def test_a_backend_plugin_is_no_consumer():
    @hookimpl
    def fam_backend(): ...

    with pytest.raises(PluginError, match=r"plugin 'fam_x': it implements fam_backend alone"):
        Consumers().register(module("fam_x", fam_backend=fam_backend))


# Names, order, isolation


def test_names_are_those_of_modules_and_classes_made_unique():
    consumers = Consumers()
    names = [consumers.register(Recorder()) for _ in range(3)]
    assert names == ["Recorder", "Recorder-2", "Recorder-3"]
    assert [name for name, _ in consumers] == names
    assert len(consumers) == 3


def test_a_name_that_is_taken_is_refused():
    consumers = Consumers()
    consumers.register(Recorder(), "log")
    with pytest.raises(PluginError, match="plugin 'log': the name is taken"):
        consumers.register(Recorder(), "log")
    assert len(consumers) == 1


def test_the_same_consumer_twice_is_refused():
    consumers, log = Consumers(), Recorder()
    consumers.register(log, "log")
    with pytest.raises(PluginError, match=r"plugin 'again': .*'log', which is registered"):
        consumers.register(log, "again")


def test_what_is_refused_leaves_nothing_behind():
    consumers, log = Consumers(), Recorder()
    log.fam_error = lambda error: None
    with pytest.raises(PluginError):
        consumers.register(log, "log")
    del log.fam_error
    assert not consumers.callers("fam_events")
    assert consumers.register(log, "log") == "log"


def test_the_last_registered_is_called_first_unless_it_asks_otherwise():
    class Last:
        @hookimpl(trylast=True)
        def fam_events(self):
            pass

    class First:
        @hookimpl(tryfirst=True)
        def fam_events(self):
            pass

    consumers = Consumers()
    for consumer, name in ((First(), "first"), (Recorder(), "a"), (Recorder(), "b")):
        consumers.register(consumer, name)
    consumers.register(Last(), "last")
    assert [name for name, _ in consumers.callers("fam_events")] == ["first", "b", "a", "last"]


def test_a_hook_that_nobody_implements_has_no_callers():
    consumers = Consumers()
    consumers.register(Recorder())
    assert consumers.callers("fam_ignore") == ()


def test_each_caller_calls_one_consumer_and_lets_its_error_out():
    class Failing:
        @hookimpl
        def fam_events(self):
            raise LookupError("mine")

    consumers, log = Consumers(), Recorder()
    consumers.register(log, "log")
    consumers.register(Failing(), "failing")
    callers = dict(consumers.callers("fam_events"))
    with pytest.raises(LookupError, match="mine"):
        callers["failing"](fam=None, events=[1])
    callers["log"](fam=None, events=[2])
    assert log.batches == [[2]]


def test_a_first_result_hook_answers_with_one_value():
    consumers = Consumers()
    consumers.register(instance(fam_ignore=hookimpl(lambda self, path: path == "/x")), "log")
    assert call(consumers, "fam_ignore", path="/x", is_directory=False) == {"log": True}


def test_who_comes_in_the_middle_of_a_batch_is_called_from_the_next_one_on():
    class Inviting:
        def __init__(self, consumers, guest):
            self.consumers, self.guest = consumers, guest

        @hookimpl
        def fam_events(self):
            if len(self.consumers) == 2:
                self.consumers.register(self.guest, "guest")

    consumers, log, guest = Consumers(), Recorder(), Recorder()
    consumers.register(log, "log")
    consumers.register(Inviting(consumers, guest), "inviting")
    call(consumers, "fam_events", fam=None, events=[1])
    assert (log.batches, guest.batches) == ([[1]], [])
    call(consumers, "fam_events", fam=None, events=[2])
    assert (log.batches, guest.batches) == ([[1], [2]], [[2]])


def test_who_has_left_is_called_no_more_not_even_by_a_caller_of_before():
    consumers, log = Consumers(), Recorder()
    consumers.register(log)
    [(_, caller)] = consumers.callers("fam_events")
    consumers.unregister(log)
    caller(fam=None, events=[1])
    assert log.batches == []
    assert consumers.callers("fam_events") == ()
    assert consumers.register(log) == "Recorder"


def test_who_was_never_there_cannot_leave():
    with pytest.raises(PluginError, match=r"Recorder object at .* is not registered"):
        Consumers().unregister(Recorder())


def test_an_argument_that_the_core_forgets_is_an_error():
    consumers = Consumers()
    consumers.register(Recorder())
    [(_, caller)] = consumers.callers("fam_events")
    with pytest.warns(UserWarning, match="'events'"), pytest.raises(pluggy.HookCallError):
        caller(fam=None)


TRACED = """
from famcore.hookspecs import hookimpl
from famcore.plugins import Consumers

class Log:
    @hookimpl
    def fam_restored(self, path):
        return path

consumers = Consumers()
consumers.register(Log(), "jsonlog")
[(_, caller)] = consumers.callers("fam_restored")
caller(fam=None, path="/x")
"""


@pytest.mark.parametrize(("value", "traced"), [("1", True), ("0", False), ("", False)])
def test_fam_trace_tells_each_call_on_stderr_with_the_consumers_name(value, traced):
    ran = subprocess.run(
        [sys.executable, "-c", TRACED],
        env=os.environ | {"FAM_TRACE": value},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("jsonlog:   fam_restored [hook]\n" in ran.stderr) is traced
    assert ("path: /x\n" in ran.stderr) is traced
    assert ran.stdout == ""


def test_importing_the_hooks_leaves_the_catalogue_alone():
    code = (
        "import sys, famcore.plugins;"
        "print({'stevedore', 'importlib.metadata', 'famcore.catalog'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


# Backends


class Quiet(Backend):
    """As small as the contract allows."""

    name = "quiet"
    api = 1
    priority = 1
    capabilities = Capability(0)

    @classmethod
    def check(cls):
        pass

    def __init__(self):
        pass

    def watch(self, path, interest=None):
        return 1

    def unwatch(self, key):
        pass

    def fileno(self):
        return None

    def read(self):
        return ()

    def close(self):
        pass


def plugin_of(backend):
    return module("fam_quiet", fam_backend=hookimpl(lambda: backend))


def test_a_backend_plugin_gives_its_class():
    assert backend_of(plugin_of(Quiet), "quiet") is Quiet


def test_a_plugin_without_fam_backend_is_refused():
    with pytest.raises(PluginError, match=r"plugin 'quiet': it has no fam_backend; write @famcore"):
        backend_of(Recorder(), "quiet")


def test_a_misspelt_fam_backend_is_refused():
    made = module("fam_quiet", fam_bakend=hookimpl(lambda: Quiet))
    with pytest.raises(PluginError, match=r"fam_bakend is not a hook; did you mean fam_backend"):
        backend_of(made, "quiet")


def test_what_fam_backend_raises_comes_out():
    def fam_backend():
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        backend_of(module("fam_quiet", fam_backend=hookimpl(fam_backend)), "quiet")


class Half(Backend):
    name = "quiet"
    api = 1

    @classmethod
    def check(cls):
        pass

    def watch(self, path, interest=None):
        return 1

    def fileno(self):
        return None


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        (None, ["its backend is None; give the class"]),
        (Quiet(), ["its backend is <", "give the class"]),
        (dict, ["dict is not a famcore.backend.Backend", "make it a subclass"]),
        (Half, ["Half lacks __init__, close, read, unwatch"]),
        (type("Odd", (Quiet,), {"name": "loud"}), ["Odd.name is 'loud'", "make it 'quiet'"]),
        (type("Odd", (Quiet,), {"api": "1"}), ["Odd.api is '1'", "contract, 1 today"]),
        (type("Odd", (Quiet,), {"api": True}), ["Odd.api is True"]),
        (type("Odd", (Quiet,), {"priority": 100}), ["Odd.priority is 100", "0 to 99"]),
        (type("Odd", (Quiet,), {"priority": "high"}), ["Odd.priority is 'high'", "0 to 99"]),
        (type("Odd", (Quiet,), {"priority": -1}), ["Odd.priority is -1", "0 to 99"]),
        (type("Odd", (Quiet,), {"capabilities": 0}), ["Odd.capabilities is 0", "Capability"]),
        (type("Odd", (Quiet,), {"latency": None}), ["Odd.latency is None", "seconds"]),
        (type("Odd", (Quiet,), {"interval": -1}), ["Odd.interval is -1", "seconds"]),
    ],
)
def test_a_class_that_breaks_the_contract_is_refused(backend, words):
    with pytest.raises(PluginError) as caught:
        backend_of(plugin_of(backend), "quiet")
    assert str(caught.value).startswith("plugin 'quiet': ")
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("attribute", ["name", "api", "priority", "capabilities"])
def test_what_the_class_does_not_state_is_named(attribute):
    stated = {name: value for name, value in vars(Quiet).items() if name != attribute}
    with pytest.raises(PluginError, match=rf"Silent.{attribute} is None; make it"):
        backend_of(plugin_of(type("Silent", (Backend,), stated)), "quiet")


def test_a_class_of_another_contract_is_not_held_against_this_one():
    class Later(Half):
        api = 2

    assert backend_of(plugin_of(Later), "quiet") is Later
