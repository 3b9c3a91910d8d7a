"""`fam check-backend`: the kit against a backend that is installed."""

from __future__ import annotations

import collections
import dataclasses
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from famcore.catalog import Found, Status, find_backend
from famcore.cli.lines import harmless
from famcore.cli.output import aside, write
from famcore.cli.say import say
from famcore.cli.table import print_table

if TYPE_CHECKING:
    from famcore.testing.check import Result

HEADINGS = ("RESULT", "RULE", "REMARK")


def waiver(value: str) -> tuple[str, str]:
    """`TEST=REASON`."""
    test, equals, reason = (part.strip() for part in value.partition("="))
    if not (test and equals and reason):
        raise click.BadParameter(f"{value!r} is not TEST=REASON")
    return test, reason


@click.command("check-backend", short_help="Test an installed backend by the kit.")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="The report as a JSON object.")
@click.option(
    "--waive",
    "waivers",
    multiple=True,
    type=waiver,
    metavar="TEST=REASON",
    help="A rule that is known not to be kept, and why. It fails if it is kept.",
)
@click.option("-x", "--first", is_flag=True, help="Stop at the first rule that is not kept.")
@click.option("-k", "words", multiple=True, metavar="WORDS", help="Only rules that are called so.")
def check_backend(
    *,
    name: str,
    as_json: bool,
    waivers: Sequence[tuple[str, str]],
    first: bool,
    words: Sequence[str],
) -> int:
    """Test the backend that is installed as NAME, by every rule of the kit.

    Exit code 1 if a rule is not kept, or if the backend can't be used here.
    """
    with aside():
        found = find_backend(name)
    if found.status not in (Status.USABLE, Status.UNAVAILABLE):
        say(*f"{found.status}: {found}".split("\n"))
        return 1
    if find_spec("pytest") is None:
        say("check-backend needs pytest: pip install 'famcore[testing]'")
        return 1
    # It takes long to import, and the other commands don't need it.
    from famcore.testing.check import CheckFailed

    try:
        results = list(_results(found, dict(waivers), first=first, words=words))
    except CheckFailed as error:
        say(*str(error).split("\n"))
        return 1
    if as_json:
        write(json.dumps(_report(found, results), indent=2).encode("ascii") + b"\n")
    else:
        print_table(HEADINGS, [_row(each) for each in results])
        write(os.fsencode("".join(_after_table(found, results))))
    if found.status is Status.UNAVAILABLE:
        say(f"unavailable: {found}", "only what it says of itself was tested")
        return 1
    return int(any(each.outcome == "fail" for each in results))


def _results(
    found: Found, waivers: Mapping[str, str], *, first: bool, words: Sequence[str]
) -> Iterator[Result]:
    """What came of each rule; meanwhile a line on a terminal tells how far it is."""
    from famcore.testing.check import Result, check

    progress = Progress()
    try:
        for each in check(found.name, waivers, first=first, words=words):
            if isinstance(each, Result):
                yield each
            else:
                progress.show(f"{each.number}/{each.count} {each.rule}")
    finally:
        progress.show("")


class Progress:
    """A line on stderr that replaces the one before; none where that is not a terminal."""

    def __init__(self) -> None:
        self._is_on = sys.stderr is not None and sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Show `text`; "" clears the line."""
        if self._is_on:
            sys.stderr.write(f"\r\x1b[K{harmless(text)[:79]}")
            sys.stderr.flush()


def _after_table(found: Found, results: Sequence[Result]) -> Iterator[str]:
    """What is said of each that fails, and how many came out how."""
    for each in results:
        if each.message and each.outcome == "fail":
            lines = "\n".join(f"    {harmless(line)}" for line in each.message.split("\n"))
            yield f"\nfail: {each.rule}  ({each.test})\n{lines}\n"
    yield f"\n{_summary(found, results)}\n"


def _row(result: Result) -> tuple[str, ...]:
    return result.outcome, harmless(result.rule), harmless(result.remark)


def _report(found: Found, results: Sequence[Result]) -> dict[str, object]:
    counts = _counts(results)
    return {
        "backend": found.name,
        "distribution": found.distribution,
        "status": found.status,
        "reason": found.reason,
        "hint": found.hint,
        "capabilities": found.capabilities,
        "counts": {outcome.replace(" ", "_"): count for outcome, count in counts.items()},
        "results": [dataclasses.asdict(each) for each in results],
    }


def _counts(results: Sequence[Result]) -> dict[str, int]:
    """How often each came, those that never came too."""
    from famcore.testing.check import Outcome

    counted = collections.Counter(each.outcome for each in results)
    return {outcome: counted[outcome] for outcome in Outcome}


def _summary(found: Found, results: Sequence[Result]) -> str:
    counts = ", ".join(f"{count} {outcome}" for outcome, count in _counts(results).items())
    seconds = sum(each.seconds for each in results)
    return f"backend {found.name!r} ({found.distribution}): {counts}, in {seconds:.0f} s"
