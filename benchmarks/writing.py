"""The process that writes: `python -m benchmarks.writing WORKLOAD OPERATIONS DIRECTORY`.

Prepares, says so by a line, waits for one, carries the workload out and says so.
"""

from __future__ import annotations

import sys

from benchmarks.workloads import WORKLOADS, carry_out


def main(name: str, operations: str, directory: str) -> None:
    """Carry the workload out."""
    workload = WORKLOADS[name]._replace(operations=int(operations))
    for _ in carry_out(workload, directory):
        print("ready", flush=True)
        sys.stdin.readline()
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
