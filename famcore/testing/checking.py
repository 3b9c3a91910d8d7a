"""The process in which `famcore.testing.check` has the kit's tests run, and tells of them.

    python -m famcore.testing.checking DIRECTORY DESCRIPTOR

What is asked is read as JSON from standard input; a line of JSON for each thing that happens goes
to the descriptor. All files are below the directory.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, TextIO

import pytest

from famcore.testing import BackendTests as BackendTests
from famcore.testing.check import Outcome, Result
from famcore.testing.kit.base import scenario_of
from famcore.testing.kit.rules import Rule, rule_of
from famcore.testing.kit.trial import RuleBroken
from famcore.testing.runner import ScenarioFailed

#: What an author of the backend would write.
_TESTS = """\
from famcore.catalog import find_backend
from famcore.testing import BackendTests


class TestBackend(BackendTests):
    backend_class = find_backend({name!r}).backend
    waivers = {waivers!r}
"""


class Telling:
    """A plugin of pytest: a line when a test begins, and one for what came of it."""

    def __init__(self, lines: TextIO, words: Sequence[str]) -> None:
        self._lines = lines
        self._words = words
        self._result: Result | None = None

    def _tell(self, what: dict[str, Any]) -> None:
        self._lines.write(json.dumps(what) + "\n")
        self._lines.flush()

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        """Keep those that are asked for."""
        if self._words:
            names = ((item, f"{_rule(item).test}\n{_rule(item).name}") for item in items)
            items[:] = [item for item, name in names if any(each in name for each in self._words)]

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell how many there are."""
        self._tell({"count": len(session.items)})

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Function) -> Generator[None, object, object]:
        """Tell of one."""
        rule = _rule(item)
        self._tell({"test": rule.test, "rule": rule.name})
        self._result = None
        done = yield
        if self._result is not None:
            self._tell(dataclasses.asdict(self._result))
        return done

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Function, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Keep what came of a phase: setup, the test, teardown."""
        report = yield
        last = self._result
        outcome, remark, message = _came(item, call, report)
        if last is None or (outcome is Outcome.FAIL and last.outcome is not Outcome.FAIL):
            last = Result(_rule(item).test, _rule(item).name, outcome, remark, message)
        elif last.outcome is Outcome.PASS:
            last = dataclasses.replace(last, outcome=outcome, remark=remark, message=message)
        self._result = dataclasses.replace(last, seconds=round(last.seconds + call.duration, 3))
        return report


def _rule(item: pytest.Function) -> Rule:
    return rule_of(item.function, scenario_of(item))


def _came(
    item: pytest.Function, call: pytest.CallInfo[None], report: pytest.TestReport
) -> tuple[Outcome, str, str]:
    """Outcome, remark and message of a phase."""
    message = _message(item, call)
    if report.passed:
        return Outcome.PASS, "", ""
    if hasattr(report, "wasxfail"):
        return Outcome.WAIVED, report.wasxfail.removeprefix("reason: "), message
    if report.skipped:
        lacks = dict(item.user_properties).get("lacks")
        if lacks:
            return Outcome.NOT_APPLICABLE, str(lacks), ""
        return Outcome.SKIPPED, message, ""
    if call.excinfo is None:
        # Of the mark xfail, which is strict.
        reason = str(report.longrepr).removeprefix("[XPASS(strict)] ")
        return Outcome.FAIL, "", f"the waiver is not needed: the test passes ({reason}); remove it"
    return Outcome.FAIL, "", message


def _message(item: pytest.Function, call: pytest.CallInfo[None]) -> str:
    """What was raised: in the kit's own words, or with the lines that it passed through."""
    if call.excinfo is None:
        return ""
    error = call.excinfo.value
    if isinstance(
        error, RuleBroken | ScenarioFailed | pytest.skip.Exception | pytest.fail.Exception
    ):
        return str(error)
    rule = _rule(item)
    name = item.cls.backend_class.name if item.cls else ""
    raised = call.excinfo.getrepr(style="short")
    return f"backend {name!r}: {rule.name}\nthe rule: {rule.text}\nraised: {error!r}\n{raised}"


def main(place: str, descriptor: str) -> int:
    """Run the tests that are asked for; pytest's exit status."""
    asked = json.load(sys.stdin)
    tests = Path(place, "test_backend.py")
    tests.write_text(_TESTS.format(**asked))
    settings = Path(place, "pytest.ini")
    settings.write_text("[pytest]\n")
    options = [f"--config-file={settings}", f"--rootdir={place}", f"--basetemp={place}/tmp"]
    options += ["--noconftest", "--import-mode=importlib", "-p", "no:cacheprovider"]
    options += ["-x"] if asked["first"] else []
    with open(int(descriptor), "w", encoding="utf-8") as lines:
        return int(pytest.main([*options, str(tests)], plugins=[Telling(lines, asked["words"])]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
