"""What a backend says of itself; asked where it can't be used, too."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import math
import os
import re
import subprocess
import sys
import textwrap
import threading
import time
import types
from importlib.metadata import entry_points
from pathlib import Path
from typing import NoReturn

import pytest

from famcore.backend import API, Backend, BackendUnavailable, Capability
from famcore.catalog.backends import GROUP
from famcore.errors import FamError
from famcore.plugins.backends import backend_of
from famcore.testing.kit import elsewhere
from famcore.testing.kit.base import Kit
from famcore.testing.kit.rules import Rule, needs, only_without
from famcore.testing.kit.trial import RuleBroken, descriptors

#: Seconds that a `check` may take.
_CHEAP = 1.0
#: Seconds in which another interpreter has ended.
_PATIENCE = 60


class DeclarationTests(Kit):
    """The class, its module and its `check`."""

    # --- attributes

    def test_its_name_is_short_and_lower_case(self, rule: Rule) -> None:
        """`name` is what users write in $FAM_BACKEND: as the entry point, short, lower case."""
        name: object = getattr(self.backend_class, "name", None)
        if not (isinstance(name, str) and re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name)):
            self._break(rule, f"name is {name!r}", "a name like 'kqueue'")

    def test_its_api_is_a_literal_number(self, rule: Rule) -> None:
        """`api` is the contract that it was written for: a literal, for the core's will rise."""
        api: object = getattr(self.backend_class, "api", None)
        if api != API:
            self._break(rule, f"api is {api!r}", f"{API}, the contract of this famcore")
        written = _as_written(self.backend_class, "api")
        if written is not None and not isinstance(written, ast.Constant):
            self._break(rule, f"api = {ast.unparse(written)} is written", f"api = {API}")

    @needs(Capability.LIVE)
    def test_its_priority_is_that_of_a_live_one(self, rule: Rule) -> None:
        """`priority` of a backend that is LIVE: 10-39 polling, 40-69 daemons, 70-99 the kernel."""
        self._expect_priority(rule, range(10, 100))

    @only_without(Capability.LIVE)
    def test_its_priority_is_that_of_one_that_is_not_live(self, rule: Rule) -> None:
        """`priority` of a backend that is not LIVE is 0 to 9."""
        self._expect_priority(rule, range(10))

    def test_its_latency_and_interval_are_seconds(self, rule: Rule) -> None:
        """`latency` and `interval` are numbers of seconds, and the interval is not 0."""
        latency, interval = self.backend_class.latency, self.backend_class.interval
        if not (_is_seconds(latency) and _is_seconds(interval) and interval > 0):
            self._break(rule, f"latency is {latency!r}, interval {interval!r}", "seconds")

    def test_it_is_made_without_arguments(self, rule: Rule) -> None:
        """All methods are there, and the constructor takes nothing."""
        missing = sorted(getattr(self.backend_class, "__abstractmethods__", ()))
        if missing:
            self._break(rule, f"it lacks {', '.join(missing)}", "all methods of Backend")
        try:
            inspect.signature(self.backend_class).bind()
        except TypeError as error:
            self._break(rule, f"{self.backend_class.__name__}(): {error}", "no arguments are asked")

    # --- the plugin

    def test_its_hook_gives_it(self, rule: Rule) -> None:
        """The module that the entry point names has `fam_backend`, which returns the class."""
        module = self._plugin(rule)
        try:
            given = backend_of(module, self.backend_class.name)
        except FamError as error:
            self._break(rule, str(error), "a module that is a plugin")
        if given is not self.backend_class:
            self._break(rule, f"fam_backend() gave {given!r}", f"{self.backend_class!r}")

    def test_it_is_imported_where_nothing_is_that_it_needs(self, rule: Rule) -> None:
        """To import it succeeds on every system, and opens nothing; `check` says what is missing.

        No library can be loaded there, no extension found, and what one system alone has is not
        there: kqueue, epoll, eventfd.
        """
        module = self._plugin(rule)
        said, code = _elsewhere(module)
        if code:
            self._break(
                rule,
                f"in an interpreter without libraries, import {module.__name__}:\n{said}",
                "the import succeeds and opens nothing; check() passes, or raises"
                " BackendUnavailable with a reason and a hint",
            )

    # --- check

    def test_its_check_is_cheap_and_without_side_effects(self, rule: Rule) -> None:
        """`check` is called to list backends: it opens nothing for long, and starts nothing."""
        self._check(rule)
        before = _state()
        times = []
        for _ in range(3):
            began = time.monotonic()
            self._check(rule)
            times.append(time.monotonic() - began)
        after = _state()
        if after != before:
            changed = [name for name in before if before[name] != after[name]]
            self._break(rule, f"check() changed {', '.join(changed)}", "all is as it was before")
        if min(times) > _CHEAP:
            self._break(rule, f"check() took {min(times):.1f} s", f"{_CHEAP:g} s at most")

    def test_what_it_says_about_itself_is_one_line(self, rule: Rule, usable: type[Backend]) -> None:
        """`about` says by which library or server it works, for the list of backends."""
        about: object = usable.about()
        if not isinstance(about, str) or "\n" in about:
            self._break(rule, f"about() gave {about!r}", "a str of one line, or ''")

    # --- what the tests are made of

    def _check(self, rule: Rule) -> None:
        __tracebackhide__ = True
        try:
            self.backend_class.check()
        except BackendUnavailable as error:
            if not (error.reason and error.hint):
                self._break(
                    rule,
                    f"check() raised BackendUnavailable({error.reason!r}, {error.hint!r})",
                    "a reason, and a hint at what would help",
                )
        except BaseException as error:
            self._break(rule, f"check() raised {error!r}", "BackendUnavailable, or nothing")

    def _expect_priority(self, rule: Rule, band: range) -> None:
        __tracebackhide__ = True
        priority: object = getattr(self.backend_class, "priority", None)
        if priority not in band:
            self._break(rule, f"priority is {priority!r}", f"{band[0]} to {band[-1]}")

    def _plugin(self, rule: Rule) -> types.ModuleType:
        """The module that has the hook: the one that is installed, or that of the class."""
        __tracebackhide__ = True
        backend = self.backend_class
        for point in entry_points(group=GROUP, name=backend.name):
            module = point.load()
            if isinstance(module, types.ModuleType):
                return module
        package, *below = backend.__module__.split(".")
        names = [".".join([package, *below[:count]]) for count in range(len(below) + 1)]
        for name in reversed(names):
            if name in sys.modules and hasattr(sys.modules[name], "fam_backend"):
                return sys.modules[name]
        return self._break(
            rule,
            f"no entry point {backend.name!r} of {GROUP} is installed, and {backend.__module__}"
            " has no fam_backend",
            "pip install -e . of a distribution that names the module",
        )

    def _break(self, rule: Rule, found: str, expected: str) -> NoReturn:
        __tracebackhide__ = True
        backend = self.backend_class
        name = getattr(backend, "name", backend.__name__)
        raise RuleBroken(
            f"backend {name!r}: {rule.name}\nthe rule: {rule.text}\nfound: {found}\n"
            f"expected: {expected}"
        )


def _is_seconds(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < math.inf


def _as_written(backend: type, name: str) -> ast.expr | None:
    """What the source has for this attribute; None if there is none to be seen."""
    for cls in backend.__mro__:
        if name in vars(cls):
            break
    else:
        return None
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):
        return None
    (body,) = (each.body for each in tree.body if isinstance(each, ast.ClassDef))
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                return value
            case ast.AnnAssign(target=ast.Name(id=found), value=value) if found == name:
                return value
    return None


def _state() -> dict[str, object]:
    return {
        "the open descriptors": descriptors(),
        "the threads": set(threading.enumerate()),
        "the environment": dict(os.environ),
        "the working directory": os.getcwd(),
        "sys.path": list(sys.path),
    }


def _elsewhere(module: types.ModuleType) -> tuple[str, int]:
    """What `elsewhere` says of the module, and its exit status."""
    name = module.__name__
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} can't be imported by its name in another interpreter")
    paths = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-P", elsewhere.__file__, name],
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_PATIENCE,
        check=False,
        cwd=Path.cwd(),
    )
    return done.stdout.strip(), done.returncode
