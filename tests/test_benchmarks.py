"""The harness of the benchmarks, on watchers of which it is known what has to be said of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it measures on Linux alone")

ROOT = Path(__file__).parents[1]
#: They tell all, sooner or later.
COMPLETE = "honest busy restless".split()
#: For these the harness waits to no avail.
INCOMPLETE = "idle deaf lossy repeating dying stuck".split()
FILES = 300
#: With the last, which says that all is done.
NAMES = FILES + 1


def bench(*arguments):
    command = [sys.executable, "-W", "error", "-m", "benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The table's lines and the JSON's rows, by the watcher's name, of one short round each."""
    output = tmp_path_factory.mktemp("bench") / "results.json"
    short = ["--workload", "creates", "--operations", FILES, "--rounds", 1, "--output", output]
    lines, rows = {}, {}
    for fakes, deadline in ((COMPLETE, 60), (INCOMPLETE, 1)):
        done = bench(*fakes, *short, "--deadline", deadline)
        assert done.returncode == 0, done.stderr
        table = [line for line in done.stdout.splitlines() if line.startswith("| ")]
        lines |= {line.split()[1]: line for line in table}
        told = json.loads(output.read_text())["workloads"]["creates"]["rows"]
        rows |= {row["watcher"]: row for row in told}
    return lines, rows


def test_a_watcher_that_tells_all_has_lost_nothing(results):
    lines, rows = results
    assert rows["honest"]["lost"] == rows["honest"]["unread"] == 0
    assert rows["honest"]["lossy_rounds"] == 0
    assert rows["honest"]["told"] == NAMES
    assert "**" not in lines["honest"]


@pytest.mark.parametrize("name", ["idle", "deaf", "dying", "stuck"])
def test_a_watcher_that_tells_nothing_has_lost_all_and_no_speed_is_shown(results, name):
    lines, rows = results
    assert rows[name]["lost"] == NAMES
    assert rows[name]["cpu"] is None
    assert f"| – | – | 0 | **{NAMES}** |" in lines[name]
    assert lines[name].endswith("| 1 of 1 |")


def test_a_watcher_that_tells_the_end_but_not_all_is_shown_as_lossy(results):
    lines, rows = results
    assert rows["lossy"]["lost"] == FILES // 2
    assert f"| **{FILES // 2}** | 0 | 1 of 1 |" in lines["lossy"]


def test_one_name_told_often_does_not_make_up_for_others(results):
    _, rows = results
    assert rows["repeating"]["told"] == NAMES
    assert rows["repeating"]["lost"] == FILES - 1


def test_work_before_the_last_event_is_counted_and_work_after_it_is_not(results):
    _, rows = results
    assert rows["busy"]["cpu"] * FILES > 100_000
    assert rows["restless"]["cpu"] * FILES < 100_000


def test_records_that_the_kernel_dropped_are_shown_though_every_name_is_told(tmp_path):
    queue = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if queue > 100_000:
        pytest.skip(f"the queue holds {queue:,} records")
    output = tmp_path / "results.json"
    full = ["--workload", "writes", "--operations", queue + 1_000, "--rounds", 1]
    done = bench("late", *full, "--output", output)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(output.read_text())["workloads"]["writes"]["rows"]
    assert row["lost"] == 0
    # What it read besides is taken for a few records.
    assert row["unread"] > 900
    assert row["lossy_rounds"] == 1


def test_a_watcher_that_loses_in_one_round_is_shown_so_and_measured_by_the_others(script):
    source = """if True:
        import sys
        sys.path.insert(0, sys.argv[1])
        from benchmarks.measure import Round
        from benchmarks.report import format_table, summarise
        from benchmarks.workloads import WORKLOADS

        workload = WORKLOADS["creates"]._replace(operations=100)
        rounds = {
            "famcore": [Round(2e-4, 101, 0, 0)] * 4,
            "watchfiles": [
                Round(1e-4, 40, 61, 0),
                Round(6e-4, 101, 0, 0),
                Round(8e-4, 101, 0, 0),
                Round(1e-4, 101, 0, 7),
            ],
        }
        print(format_table(workload, summarise(workload, rounds), 4))
    """
    assert script(source, ROOT)[-2:] == [
        "| famcore | 2.00 | 1.00 | 101 | 0 | 0 | 0 of 4 |",
        "| watchfiles | 7.00 | 3.50 | 101 | **61** | **7** | 2 of 4 |",
    ]


def test_an_unknown_watcher_is_refused():
    done = bench("watchdogs")
    assert done.returncode == 2
    assert "there is no watcher 'watchdogs'" in done.stderr
