"""The command: `python -m benchmarks`, or `make bench`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT, Round, measure
from benchmarks.report import describe_machine, find_versions, format_table, summarise
from benchmarks.watchers import WATCHERS
from benchmarks.workloads import WORKLOADS, Workload


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    real = [watcher.name for watcher in WATCHERS.values() if watcher.distribution]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("watchers", nargs="*", default=real, metavar="WATCHER", help=f"of {', '.join(real)}")
    add("-w", "--workload", action="append", choices=WORKLOADS, help="which to carry out")
    add("--operations", type=int, help="of each workload, instead of its own number")
    add("--rounds", type=int, default=5)
    add("--deadline", type=float, default=10.0, help="seconds until a watcher is given up")
    add("--quick", action="store_true", help="two rounds, given up after five seconds")
    add("--output", type=Path, help="the JSON file; by default a new one in benchmarks/results")
    options = parser.parse_args(arguments)
    for name in options.watchers:
        if name not in WATCHERS:
            parser.error(f"there is no watcher {name!r}: {', '.join(WATCHERS)}")
    if options.quick:
        options.rounds, options.deadline = 2, 5.0
    return options


def _workloads(options: argparse.Namespace) -> list[Workload]:
    chosen = [WORKLOADS[name] for name in options.workload or WORKLOADS]
    if options.operations is None:
        return chosen
    return [workload._replace(operations=options.operations) for workload in chosen]


def _carry_out(options: argparse.Namespace, workload: Workload) -> dict[str, list[Round]]:
    """All rounds of a workload. The watchers take turns, so that a slow minute is everyone's."""
    rounds: dict[str, list[Round]] = {name: [] for name in options.watchers}
    for number in range(options.rounds):
        for name, of_one in rounds.items():
            print(f"{workload.name} {number + 1}/{options.rounds} {name}", file=sys.stderr)
            of_one.append(measure(WATCHERS[name], workload, deadline=options.deadline))
    return rounds


def _write(path: Path | None, document: dict[str, Any]) -> None:
    if path is None:
        name = time.strftime("%Y-%m-%dT%H%M%SZ.json", time.gmtime())
        path = ROOT / "benchmarks" / "results" / name
        path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print tables, write JSON."""
    options = _parse(arguments)
    try:
        versions = find_versions(options.watchers)
    except PackageNotFoundError as error:
        print(f"benchmarks: {error.name} is not installed; make bench installs it", file=sys.stderr)
        return 2
    machine = describe_machine()
    document = {"machine": machine, "versions": versions, "workloads": {}}
    print(
        f"{machine['kernel']}, {machine['cpus']} CPUs, load {machine['load']}, "
        f"{machine['python']}, inotify queue {machine['max_queued_events']:,}"
    )
    print(", ".join(f"{name} {version}" for name, version in versions.items()))
    print(f"medians of {options.rounds} rounds, ratios to {next(iter(WATCHERS))}")
    for workload in _workloads(options):
        rounds = _carry_out(options, workload)
        rows = summarise(workload, rounds)
        print("", format_table(workload, rows, options.rounds), sep="\n", flush=True)
        document["workloads"][workload.name] = {
            "operations": workload.operations,
            "rows": [row._asdict() for row in rows],
            "rounds": {name: [each._asdict() for each in rounds[name]] for name in rounds},
        }
    # Others may use the machine meanwhile, and set the queue for tests of theirs.
    end = describe_machine()
    document["machine_at_end"] = end
    print(f"\nat the end: load {end['load']}, inotify queue {end['max_queued_events']:,}")
    _write(options.output, document)
    return 0


if __name__ == "__main__":
    sys.exit(main())
