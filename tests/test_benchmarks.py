"""The harness of the benchmarks, on watchers of which it is known what has to be said of them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

LINUX = sys.platform == "linux"
pytestmark = pytest.mark.skipif(not LINUX, reason="it measures on Linux alone")

ROOT = Path(__file__).parents[1]
CC = shutil.which("cc")
FILES = 300
#: With the last, which says that all is done.
NAMES = FILES + 1
DIRECTORIES = 30
QUEUE = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text()) if LINUX else 0
#: More records are not dropped in a test.
MANY = 100_000

#: What is measured of whom, by a name for it. Who does not tell all is given up soon.
RUNS = {
    "complete": "creates honest busy restless --size 300 --deadline 60",
    "silent": "creates idle deaf stuck --size 300 --deadline 1",
    "incomplete": "creates lossy repeating dying --size 300 --deadline 2",
    "dropped": f"writes late --size {QUEUE + 1_000} --deadline 60",
    "late": "delay honest tardy --size 40 --deadline 60",
    "tree": f"tree-1000 honest greedy --size {DIRECTORIES} --deadline 60",
    "never": f"tree-1000 idle --size {DIRECTORIES} --deadline 0.5",
    "waiting": "idle honest fidgety --size 1 --deadline 60",
    "c-creates": "creates c-reader --size 300 --deadline 60",
    "c-churn": "churn c-reader --size 300 --deadline 60",
    "c-delay": "delay c-reader --size 30 --deadline 60",
}


def bench(*arguments):
    command = [sys.executable, "-W", "error", "-m", "benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def measure(workload, *arguments, output):
    """One round; return the table's lines and the JSON's rows, by the watcher's name."""
    done = bench("--workload", workload, "--rounds", 1, "--output", output, *arguments)
    assert done.returncode == 0, done.stderr
    rows = json.loads(output.read_text())["measures"][workload]["rows"]
    table = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    # The last table is of targets.
    return {line.split()[1]: line for line in reversed(table)}, {
        row["watcher"]: row for row in rows
    }


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What came of all runs, by their names, which were carried out at once: mostly they wait."""
    top = tmp_path_factory.mktemp("bench")
    runs = {name: run for name, run in RUNS.items() if CC or not name.startswith("c-")}
    if QUEUE > MANY:
        del runs["dropped"]
    with ThreadPoolExecutor(len(runs)) as pool:
        done = {
            name: pool.submit(measure, *run.split(), output=top / f"{name}.json")
            for name, run in runs.items()
        }
    return {name: future.result() for name, future in done.items()}


def test_a_watcher_that_tells_all_has_lost_nothing(results):
    lines, rows = results["complete"]
    assert rows["honest"]["lost"] == rows["honest"]["unread"] == 0
    assert rows["honest"]["lossy_rounds"] == 0
    assert rows["honest"]["told"] == NAMES
    assert "**" not in lines["honest"]


@pytest.mark.parametrize(
    ("run", "name"),
    [("silent", "idle"), ("silent", "deaf"), ("silent", "stuck"), ("incomplete", "dying")],
)
def test_a_watcher_that_tells_nothing_has_lost_all_and_no_speed_is_shown(results, run, name):
    lines, rows = results[run]
    assert rows[name]["lost"] == NAMES
    assert rows[name]["cpu"] is None
    assert f"| – | – | 0 | **{NAMES}** |" in lines[name]
    assert lines[name].endswith("| 1 of 1 |")


def test_a_watcher_that_tells_the_end_but_not_all_is_shown_as_lossy(results):
    lines, rows = results["incomplete"]
    assert rows["lossy"]["lost"] == FILES // 2
    assert f"| **{FILES // 2}** | 0 | 1 of 1 |" in lines["lossy"]


def test_one_name_told_often_does_not_make_up_for_others(results):
    _, rows = results["incomplete"]
    assert rows["repeating"]["told"] == NAMES
    assert rows["repeating"]["lost"] == FILES - 1


def test_work_before_the_last_event_is_counted_and_work_after_it_is_not(results):
    _, rows = results["complete"]
    assert rows["busy"]["cpu"] * FILES > 100_000
    assert rows["restless"]["cpu"] * FILES < 100_000


@pytest.mark.skipif(QUEUE > MANY, reason=f"the queue holds {QUEUE:,} records")
def test_records_that_the_kernel_dropped_are_shown_though_every_name_is_told(results):
    _, rows = results["dropped"]
    assert rows["late"]["lost"] == 0
    # What it read besides is taken for a few records.
    assert rows["late"]["unread"] > 900
    assert rows["late"]["lossy_rounds"] == 1


def test_a_watcher_that_loses_in_one_round_is_shown_so_and_measured_by_the_others(script):
    source = """if True:
        import sys
        sys.path.insert(0, sys.argv[1])
        from benchmarks.bursts import Bursts, Round

        measure = Bursts("creates", 100)
        rounds = {
            "famcore": [Round(2e-4, 101, 0, 0)] * 4,
            "watchfiles": [
                Round(1e-4, 40, 61, 0),
                Round(6e-4, 101, 0, 0),
                Round(8e-4, 101, 0, 0),
                Round(1e-4, 101, 0, 7),
            ],
        }
        print(measure.format(measure.summarise(rounds)))
    """
    assert script(source, ROOT)[-2:] == [
        "| famcore | 2.00 | 1.00 | 101 | 0 | 0 | 0 of 4 |",
        "| watchfiles | 7.00 | 3.50 | 101 | **61** | **7** | 2 of 4 |",
    ]


def test_a_watcher_that_tells_late_has_a_long_delay(results):
    _, rows = results["late"]
    assert rows["honest"]["lost"] == rows["tardy"]["lost"] == 0
    assert 0 < rows["honest"]["p50"] <= rows["honest"]["p99"]
    assert 50_000 <= rows["tardy"]["p50"] <= rows["tardy"]["p99"]


def test_delays_are_those_of_what_was_told_and_the_rest_is_lost(script):
    source = """if True:
        import sys
        sys.path.insert(0, sys.argv[1])
        from benchmarks.delay import Delay, spread

        made = {str(number): float(number) for number in range(200)}
        late = {name: when + int(name) for name, when in made.items() if name != "7"}
        print(*spread(made, late | {"unasked": 1.0}))
        measure = Delay("delay", 200)
        rounds = {"famcore": [spread(made, late)], "watchfiles": [spread(made, {})]}
        print(measure.format(measure.summarise(rounds)))
    """
    first, *_, ours, theirs = script(source, ROOT)
    assert first == "100.0 198.0 1"
    assert ours == "| famcore | 100,000,000 | 1.00 | 198,000,000 | 1.00 | **1** |"
    assert theirs == "| watchfiles | – | – | – | – | **200** |"


def test_what_a_tree_takes_is_shown(results):
    _, rows = results["tree"]
    honest, greedy = rows["honest"], rows["greedy"]
    assert greedy["ready"] > 0.3 < greedy["cpu"]
    assert greedy["memory"] > honest["memory"] + 60
    assert greedy["before"] < greedy["memory"] - 60
    # Each directory, two files in each, the probe.
    assert greedy["standing"] == DIRECTORIES * 3 + 1
    assert honest["standing"] == 0
    assert honest["lost"] == honest["unread"] == 0
    assert honest["cost"] > 0


def test_who_never_watches_a_tree_is_never_ready(results):
    idle = results["never"][1]["idle"]
    assert idle["ready"] is idle["memory"] is idle["cost"] is None
    assert idle["lost"] > 0


def test_wakeups_in_idle_time_are_shown(results):
    _, rows = results["waiting"]
    assert rows["fidgety"]["wakeups"] > 10 > rows["honest"]["wakeups"]
    assert rows["fidgety"]["cpu"] > rows["honest"]["cpu"]


def test_imports_are_timed_with_all_that_they_import(script):
    source = """if True:
        import sys
        sys.path.insert(0, sys.argv[1])
        from benchmarks.imports import import_time
        print(0 < import_time("json.decoder") < import_time("asyncio") < 60)
    """
    assert script(source, ROOT) == ["True"]


needs_cc = pytest.mark.skipif(CC is None, reason="there is no C compiler")


@needs_cc
@pytest.mark.parametrize("run", ["c-creates", "c-churn", "c-delay"])
def test_the_reader_in_c_tells_all(results, run):
    _, rows = results[run]
    row = rows["c-reader"]
    assert row["lost"] == row.get("unread", 0) == 0
    assert row.get("told", NAMES) == NAMES


@needs_cc
def test_the_reader_in_c_counts_a_name_once_and_knows_what_it_did_not_tell(script, tmp_path):
    source = """if True:
        import os, sys, threading, time
        sys.path.insert(0, sys.argv[1])
        from benchmarks import c_reader

        assert c_reader.build() is None
        told = c_reader.Counted("PROBE")
        reading = threading.Thread(target=c_reader.watch, args=(sys.argv[2], told, False))
        reading.daemon = True
        reading.start()
        def write(name):
            with open(os.path.join(sys.argv[2], name), "a", buffering=1) as file:
                print("x", file=file)
        while not told.state().is_watching:
            write("PROBE")
            time.sleep(0.01)
        told.expect(["a", "b", "c", "END"])
        for name in "a", "a", "b", "unasked", "END":
            write(name)
        while told.state().missing > 1:
            time.sleep(0.01)
        print(told.state().missing, sorted(told.times()))
        write("c")
        while told.state().missing:
            time.sleep(0.01)
        print(sorted(told.times()))
    """
    assert script(source, ROOT, tmp_path) == ["1 ['END', 'a', 'b']", "['END', 'a', 'b', 'c']"]


def test_without_a_compiler_the_reader_in_c_is_left_out_and_that_is_said(script, tmp_path):
    source = """if True:
        import os, sys
        sys.path.insert(0, sys.argv[1])
        os.environ["PATH"] = sys.argv[2]
        from benchmarks.__main__ import _watchers
        print(*(watcher.name for watcher in _watchers(["honest", "c-reader"])))
    """
    assert script(source, ROOT, tmp_path) == [
        "without c-reader: there is no C compiler, cc",
        "honest",
    ]


def test_targets_are_judged_by_what_was_measured_and_not_met_with_losses(script):
    source = """if True:
        import sys
        sys.path.insert(0, sys.argv[1])
        from benchmarks.targets import Target, judge

        def row(watcher, cpu, lost=0):
            return {"watcher": watcher, "cpu": cpu, "lost": lost}

        target = Target("creates", "creates", "cpu", 0.5, "watchfiles")
        for rows in (
            [row("famcore", 1.0), row("famcore-consumer", 0.5), row("watchfiles", 2.0)],
            [row("famcore", 1.0), row("famcore-consumer", 1.1), row("watchfiles", 2.0, 7)],
            [row("famcore", 1.0, 1), row("watchfiles", 2.0)],
            [row("famcore", 1.0), row("watchfiles", None)],
            [],
        ):
            verdict = judge(target, {"creates": rows})
            print(verdict.values, verdict.met, verdict.remark)
        small, big = {"tree-1000": [row("famcore", 1.0)]}, {"tree-100000": [row("famcore", 1.4)]}
        target = Target("growth", "tree-100000", "cpu", 1.5, of="tree-1000")
        print(judge(target, small | big).values, judge(target, small | big).met)
        print(judge(Target("idle", "idle", "cpu", 2), {"idle": [row("famcore", 3.0)]}).met)
    """
    assert script(source, ROOT) == [
        "[0.5, 0.25] True ",
        "[0.5, 0.55] False watchfiles lost some",
        "[0.5, None] False famcore lost some",
        "[None, None] None ",
        "[None, None] None ",
        "[1.4, None] True",
        "False",
    ]


def test_an_unknown_watcher_is_refused():
    done = bench("watchdogs")
    assert done.returncode == 2
    assert "there is no watcher 'watchdogs'" in done.stderr
