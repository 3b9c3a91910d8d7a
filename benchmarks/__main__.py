"""The command: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

import argparse
import compileall
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

from benchmarks import c_reader, machine, plans
from benchmarks.measure import FIRST, Measure, Plan
from benchmarks.processes import ROOT
from benchmarks.targets import TARGETS, format_verdicts, judge
from benchmarks.watchers import WATCHERS, Watcher


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    real = [watcher.name for watcher in WATCHERS.values() if not watcher.is_fake]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("watchers", nargs="*", default=real, metavar="WATCHER", help=f"of {', '.join(real)}")
    add("-w", "--workload", action="append", choices=plans.MEASURES, help="which to measure")
    add("--size", type=int, help="instead of its own: operations, directories, seconds, times")
    add("--rounds", type=int, help="of each workload, instead of its own number")
    add("--deadline", type=float, help="seconds until a watcher is given up")
    add("--quick", action="store_true", help="less of all, in less than two minutes")
    add("--output", type=Path, help="the JSON file; by default a new one in benchmarks/results")
    options = parser.parse_args(arguments)
    for name in options.watchers:
        if name not in WATCHERS:
            parser.error(f"there is no watcher {name!r}: {', '.join(WATCHERS)}")
    return options


def _plan(options: argparse.Namespace) -> Iterator[tuple[Measure, Plan]]:
    """What is measured, as it was asked for."""
    for measure, plan in plans.plan(options.workload, quick=options.quick):
        rounds, deadline = options.rounds or plan.rounds, options.deadline or plan.deadline
        size = measure.size if options.size is None else options.size
        yield measure.resized(size), Plan(rounds, deadline)


def _watchers(names: Sequence[str]) -> list[Watcher]:
    """Those that can be measured here."""
    chosen = [WATCHERS[name] for name in names]
    if any(watcher.watch is c_reader.watch for watcher in chosen) and (why := c_reader.build()):
        print(f"without c-reader: {why}")
        chosen = [watcher for watcher in chosen if watcher.watch is not c_reader.watch]
    return chosen


def _compile() -> None:
    """Compile famcore, which runs from here, as pip did with the others: there may be no cache."""
    for package in ("famcore", "plugins/fam_inotify/fam_inotify"):
        compileall.compile_dir(ROOT / package, quiet=2)


def _write(path: Path | None, document: dict[str, Any]) -> None:
    if path is None:
        name = time.strftime("%Y-%m-%dT%H%M%SZ.json", time.gmtime())
        path = ROOT / "benchmarks" / "results" / name
        path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")


def _measure(measure: Measure, plan: Plan, watchers: Sequence[Watcher]) -> dict[str, Any]:
    """Carry one out and print its table; return it for JSON."""
    rounds = measure.carry_out(watchers, plan)
    rows = measure.summarise(rounds)
    # Of the last minute: others may use the machine meanwhile.
    load = round(os.getloadavg()[0], 2)
    print("", measure.format(rows), "", f"load {load}", sep="\n", flush=True)
    return {
        "title": measure.title,
        "size": measure.size,
        "load": load,
        "rows": [_plain(row) for row in rows],
        "rounds": {name: [_plain(each) for each in of_one] for name, of_one in rounds.items()},
    }


def _plain(value: Any) -> Any:
    """With the names of its fields, which JSON would drop."""
    if not hasattr(value, "_asdict"):
        return value
    return {name: _plain(field) for name, field in value._asdict().items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print tables, write JSON."""
    options = _parse(arguments)
    watchers = _watchers(options.watchers)
    _compile()
    try:
        versions = machine.versions(watchers)
    except PackageNotFoundError as error:
        print(f"benchmarks: {error.name} is not installed; make bench installs it", file=sys.stderr)
        return 2
    begin = machine.describe()
    print(machine.title(begin))
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    print(f"medians of the rounds, ratios to {FIRST}")
    measures = {measure.name: _measure(measure, plan, watchers) for measure, plan in _plan(options)}
    rows = {name: measured["rows"] for name, measured in measures.items()}
    verdicts = [judge(target, rows) for target in TARGETS]
    print("", format_verdicts(verdicts), sep="\n")
    # Others may set the queue for tests of theirs.
    end = machine.describe()
    print(f"\nat the end: load {end['load']}, inotify queue {end['max_queued_events']:,}")
    document = {
        "machine": begin,
        "machine_at_end": end,
        "versions": versions,
        "measures": measures,
        "targets": [verdict._asdict() for verdict in verdicts],
    }
    _write(options.output, document)
    return 0


if __name__ == "__main__":
    sys.exit(main())
