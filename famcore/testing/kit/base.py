"""What all tests of the kit share: the backend asked for, waivers, an end in time."""

from __future__ import annotations

import os
import resource
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from famcore.backend import Backend, BackendUnavailable
from famcore.plugins.hooks import did_you_mean
from famcore.testing.kit.rules import Rule, rule_of, rules
from famcore.testing.kit.trial import Trial
from famcore.testing.scenario import Scenario

#: Seconds that a test may take, and how often the latency of the backend more.
_DEADLINE, _LATENCIES = 120, 60

#: Open files; macOS allows no more where it says that there is no limit.
_ROOM = 10_240


class TooLate(BaseException):
    """A test is still not done; no `Exception`, for the core goes on after those of a backend."""


class Kit:
    """The base of the classes that hold the tests."""

    #: The backend to test.
    backend_class: ClassVar[type[Backend]]
    #: A test that fails, by its name or the rule's, → why it may. One that passes then fails.
    waivers: ClassVar[Mapping[str, str]] = {}

    @pytest.fixture(autouse=True)
    def rule(self, request: pytest.FixtureRequest) -> Rule:
        """What the test asks: skipped if it isn't for this backend, expected to fail if waived."""
        rule = rule_of(request.function, scenario_of(request.node))
        lacks = rule.lacks(self.backend_class)
        if lacks:
            request.node.user_properties.append(("lacks", lacks))
            pytest.skip(lacks)
        for name in (rule.test, rule.name):
            if name in self.waivers:
                waived = pytest.mark.xfail(reason=self.waivers[name], strict=True)
                request.node.add_marker(waived)
        return rule

    @pytest.fixture(autouse=True)
    def in_time(self, rule: Rule) -> Iterator[None]:
        """Have a test fail that never comes back, where nobody else sees to that."""
        is_free = signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
        if not (is_free and threading.current_thread() is threading.main_thread()):
            yield
            return
        seconds = _DEADLINE + _LATENCIES * self.backend_class.latency

        def give_up(number: int, frame: object) -> None:
            raise TooLate(f"{rule.name}: not done after {seconds:g} s")

        signal.signal(signal.SIGALRM, give_up)
        # Again each second, in case that somebody goes on all the same.
        signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)

    @pytest.fixture(autouse=True)
    def room(self, rule: Rule) -> Iterator[None]:
        """As many open files as this process may have: a watch may take one."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = _ROOM if hard == resource.RLIM_INFINITY else min(_ROOM, hard)
        is_little = soft != resource.RLIM_INFINITY and soft < most
        if is_little:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        yield
        if is_little:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    @pytest.fixture
    def usable(self, rule: Rule) -> type[Backend]:
        """The backend, if it can work on this machine."""
        backend = self.backend_class
        try:
            backend.check()
        except BackendUnavailable as error:
            if backend.name in os.environ.get("FAM_REQUIRE_BACKENDS", "").split(","):
                pytest.fail(f"{error} (required by $FAM_REQUIRE_BACKENDS)", pytrace=False)
            pytest.skip(f"unavailable: {error}")
        return backend

    @pytest.fixture
    def trial(self, usable: type[Backend], rule: Rule, tmp_path: Path) -> Iterator[Trial]:
        """An instance of the backend, and an empty directory."""
        with Trial(usable, rule, tmp_path) as trial:
            yield trial

    def test_every_waiver_names_a_test(self) -> None:
        """A waiver names a test of this class that is asked of this backend, and says why."""
        known = {name: rule for rule in rules(type(self)) for name in (rule.test, rule.name)}
        wrong = []
        for name, reason in self.waivers.items():
            if name not in known:
                wrong.append(f"{name!r} is no test of the kit{did_you_mean(name, known)}")
            elif lacks := known[name].lacks(self.backend_class):
                wrong.append(f"{name!r} is not asked of this backend: it {lacks}")
            elif not str(reason).strip():
                wrong.append(f"{name!r} has no reason; say why the rule is not kept")
        if wrong:
            pytest.fail("waivers: " + "; ".join(wrong), pytrace=False)


def selected(request: pytest.FixtureRequest) -> list[Scenario]:
    """The scenarios of those tests of a class that are to be run."""
    cls = request.node.cls
    items = (item for item in request.session.items if isinstance(item, pytest.Function))
    found = (scenario_of(item) for item in items if item.cls is cls)
    return [scenario for scenario in found if scenario is not None]


def scenario_of(test: pytest.Function) -> Scenario | None:
    """The one that a test carries out."""
    parameters = test.callspec.params if hasattr(test, "callspec") else {}
    scenario = parameters.get("scenario")
    return scenario if isinstance(scenario, Scenario) else None
