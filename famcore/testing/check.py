"""The kit against an installed backend, by a pytest in a process of its own.

So a backend that takes the interpreter down with it, or never comes back, is reported as well; and
what pytest finds in the working directory or the environment is not used.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

#: Lines that are shown of what was written by a process that ended before its tests.
_SHOWN = 30
#: Seconds that it has to end in.
_GRACE = 5
#: Of pytest: all passed, some failed, none was selected.
_PASSED, _FAILED, _NONE = 0, 1, 5


class Outcome(enum.StrEnum):
    """What came of a rule."""

    PASS = "pass"
    #: It is not kept, for a reason that was given.
    WAIVED = "waived"
    FAIL = "fail"
    #: It is not asked of a backend with these capabilities.
    NOT_APPLICABLE = "not applicable"
    #: It can't be asked on this machine.
    SKIPPED = "skipped"


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """What came of one rule."""

    #: As pytest calls it, and as a waiver may.
    test: str
    #: The same in words; a waiver may call it so, too.
    rule: str
    outcome: Outcome
    #: The reason of a waiver or of what was skipped, the capability that is missing.
    remark: str = ""
    #: Of what fails: which rule, what was done, what came, what was expected.
    message: str = ""
    seconds: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class Begun:
    """A rule is asked now: the `number`th of so many."""

    rule: str
    number: int
    count: int


class CheckFailed(Exception):
    """The tests could not be run."""


def check(
    name: str, waivers: Mapping[str, str], *, first: bool = False, words: Sequence[str] = ()
) -> Iterator[Begun | Result]:
    """Ask the rules of the backend that is installed as `name`, and say what comes of each.

    `first`: stop when one fails; `words`: only rules whose names have one of these in them. It
    takes pytest. Raises `CheckFailed` if nothing can be asked.
    """
    with tempfile.TemporaryDirectory(prefix="fam-check-") as place:
        asked = {"name": name, "waivers": dict(waivers), "first": first, "words": list(words)}
        with _tests(place, asked) as (process, lines):
            begun: dict[str, str] = {}
            number = count = 0
            for line in lines:
                told = json.loads(line)
                if "count" in told:
                    count = told["count"]
                elif "outcome" in told:
                    begun.clear()
                    yield Result(**{**told, "outcome": Outcome(told["outcome"])})
                else:
                    begun, number = told, number + 1
                    yield Begun(begun["rule"], number, count)
            code = process.wait()
        said = Path(place, "said").read_text(errors="replace").splitlines()[-_SHOWN:]
        if begun:
            how = _ended(code)
            message = "\n".join([how, *said])
            yield Result(begun["test"], begun["rule"], Outcome.FAIL, message=message)
        elif code == _NONE:
            raise CheckFailed(f"no rule of the kit has {' or '.join(map(repr, words))} in its name")
        elif code not in (_PASSED, _FAILED):
            raise CheckFailed("\n".join([_ended(code), *said]))


def _ended(code: int) -> str:
    if code >= 0:
        return f"the tests ended with {code}"
    return f"the interpreter was ended by {signal.Signals(-code).name}; no more rules were asked"


@contextlib.contextmanager
def _tests(
    place: str, asked: Mapping[str, object]
) -> Iterator[tuple[subprocess.Popen[bytes], TextIO]]:
    """A process that runs the tests, and the lines that it tells of them."""
    reader, writer = os.pipe()
    with open(reader, encoding="utf-8") as lines, open(f"{place}/said", "wb") as said:
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "famcore.testing.checking", place, str(writer)],
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                pass_fds=[writer],
            )
        finally:
            os.close(writer)
        try:
            assert process.stdin
            # One that has ended already says why.
            with contextlib.suppress(BrokenPipeError), process.stdin as request:
                request.write(json.dumps(asked).encode())
            yield process, lines
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it, with what tests put in order again, if it can be."""
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)


def _environment() -> dict[str, str]:
    """What is found here is found there; what is set for another pytest is not."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return {
        **kept,
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
