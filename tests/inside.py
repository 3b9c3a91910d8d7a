"""Tests that need a place of their own: for each file with such tests, a pytest runs them there.

It works in the background and tells the pytest outside how each test ended. Of those at one place
so many work at a time, beside those that run the kit: these mostly wait.
"""

from __future__ import annotations

import ast
import contextlib
import faulthandler
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

#: Set in such a pytest: the file where it tells of its tests.
TOLD = "FAM_INSIDE"
#: What waits until a file is not locked, and runs a program that locks it.
IN_TURN = ("flock", "--no-fork")
#: Seconds that it has to end in when the one outside ends.
GRACE = 5


class Place(NamedTuple):
    """Where the tests run that are marked so."""

    marker: str
    about: str
    #: What a program is started with to run there.
    command: tuple[str, ...]
    #: What keeps programs from running there; None: nothing.
    why_not: Callable[[], str | None]
    #: Tests that have this backend as a parameter are marked.
    backend: str | None = None
    at_a_time: int = 1
    #: Where directories for its tests are made; None: where all are.
    scratch: str | None = None


class Inside:
    """A plugin of pytest, of the one outside and of those inside."""

    def __init__(self, *places):
        self.places = places
        self.runs = None
        self.until_the_end = contextlib.ExitStack()

    def pytest_configure(self, config):
        for place in self.places:
            config.addinivalue_line("markers", f"{place.marker}: {place.about}")
        if TOLD in os.environ:
            config.pluginmanager.register(Telling(config, os.environ[TOLD]))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items):
        for item in items:
            for place in self.places:
                if place.backend is not None and place.backend in parameters(item):
                    item.add_marker(place.marker)
        # At the end they have been run meanwhile; and what pytest set up for others is done with.
        items.sort(key=lambda item: self.place_of(item) is not None)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self):
        with self.until_the_end:
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item):
        """Have a test that is run inside end as it does there."""
        if self.runs is None:
            self.runs = dict(self.start(item.session))
        run = self.runs.get(self.run_of(item))
        reports = run and run.reports_of(item.nodeid)
        if not reports:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for data in reports:
            report = item.ihook.pytest_report_from_serializable(config=item.config, data=data)
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item):
        """Have a test of which nothing is told end here."""
        place = self.place_of(item)
        if place is None:
            return
        if run := self.runs.get(self.run_of(item)):
            pytest.fail(f"its pytest ended before it:\n{run.said()}", pytrace=False)
        reason = place.why_not()
        if place.backend in os.environ.get("FAM_REQUIRE_BACKENDS", "").split(","):
            pytest.fail(f"{reason} (required by $FAM_REQUIRE_BACKENDS)", pytrace=False)
        pytest.skip(reason)

    def place_of(self, item):
        """Where another pytest runs it; None: this one does."""
        if TOLD in os.environ:
            return None
        return next((it for it in self.places if item.get_closest_marker(it.marker)), None)

    def run_of(self, item):
        """By which pytest it is run: at this place, by the one of its file."""
        return self.place_of(item), item.path

    def start(self, session):
        items = {}
        for item in session.items:
            items.setdefault(self.run_of(item), []).append(item)
        slots = self.slots()
        for key, its_items in items.items():
            place, _ = key
            if place is not None and place.why_not() is None:
                mostly_waits = all(map(is_of_the_kit, its_items))
                turn = () if mostly_waits else (*IN_TURN, next(slots[place]))
                names = [item.nodeid for item in its_items]
                run = running(place, turn, names, session.config.rootpath)
                yield key, self.until_the_end.enter_context(run)

    def slots(self):
        """For each place the files to be locked, round and round, by those who work there."""
        scratch = self.until_the_end.enter_context(tempfile.TemporaryDirectory())
        return {
            place: itertools.cycle(
                f"{scratch}/{place.marker}-{number}" for number in range(place.at_a_time)
            )
            for place in self.places
        }


def is_of_the_kit(item):
    """Whether it is a test of the kit, `famcore.testing.BackendTests`."""
    return hasattr(item.cls, "backend_class")


def parameters(item):
    """What a test is run with, by name."""
    given = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return [getattr(value, "name", value) for value in given]


@contextlib.contextmanager
def running(place, turn, names, rootpath):
    """Run tests by a pytest at this place, which ends with the context, or with this process."""
    made = tempfile.TemporaryDirectory(dir=place.scratch, ignore_cleanup_errors=True)
    with made as scratch:
        told, said = Path(scratch, "told"), Path(scratch, "said")
        told.touch()
        options = ["-q", f"--basetemp={scratch}/inside", "-o", f"cache_dir={scratch}/cache"]
        with said.open("w") as output:
            process = subprocess.Popen(
                [
                    *("setpriv", "--pdeathsig", "KILL", *turn, *place.command),
                    *(sys.executable, "-m", "pytest", *options, *names),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=rootpath,
                env={**os.environ, TOLD: str(told)},
                process_group=0,
            )
        try:
            with told.open() as lines:
                yield Run(process, lines, said)
        finally:
            end(process)


def end(process):
    """End it and all that it started: with what tests put in order again, if it can be."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            if process.poll() is None:
                os.killpg(process.pid, number)
                process.wait(GRACE)


class Run:
    """What a pytest inside tells and says."""

    def __init__(self, process, told, said):
        self._process = process
        self._told = told
        self._said = said
        self._line = ""
        self._reports = {}

    def reports_of(self, nodeid):
        """Wait until a test has ended; nothing if its pytest ended before."""
        over = False
        while nodeid not in self._reports and not over:
            # It may take longer than any test of this pytest.
            faulthandler.cancel_dump_traceback_later()
            time.sleep(0.01)
            over = self._process.poll() is not None
            *lines, self._line = (self._line + self._told.read()).split("\n")
            self._reports.update(map(ast.literal_eval, lines))
        return self._reports.get(nodeid)

    def said(self):
        return self._said.read_text(errors="replace")


class Telling:
    """A plugin of a pytest inside: a line for each test that has ended."""

    def __init__(self, config, told):
        self._config = config
        self._told = told
        self._reports = []

    def pytest_runtest_logreport(self, report):
        to_data = self._config.hook.pytest_report_to_serializable
        self._reports.append(to_data(config=self._config, report=report))

    def pytest_runtest_logfinish(self, nodeid):
        with open(self._told, "a") as told:
            # JSON has no tuples, of which pytest makes use.
            print(ascii((nodeid, self._reports)), file=told)
        self._reports = []
