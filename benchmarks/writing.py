"""The process that writes: `python -m benchmarks.writing`.

Its arguments: a workload, its numbers of operations and of directories, where it takes place.
Prepares, says so by a line, waits for one, carries the workload out and says so, with what the
workload has to say as JSON.
"""

from __future__ import annotations

import json
import sys

from benchmarks.workloads import WORKLOADS, carry_out


def main(name: str, operations: str, directories: str, directory: str) -> None:
    """Carry the workload out."""
    workload = WORKLOADS[name]._replace(operations=int(operations), directories=int(directories))
    steps = carry_out(workload, directory)
    next(steps)
    print("ready", flush=True)
    sys.stdin.readline()
    try:
        next(steps)
    except StopIteration as end:
        print("done", json.dumps(end.value), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
