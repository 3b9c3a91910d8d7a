"""The oracle: random operations at full speed, and what monitors are told, against the disk.

$FAM_SOAK: go on for so many seconds, with other seeds.
"""

from __future__ import annotations

import math
import os
import random
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from famcore.catalog import find_backends

ORACLE = Path(__file__).with_name("oracle.py")
SMALL_QUEUE = runpy.run_path(str(ORACLE.with_name("small_queue.py")))
LIVE = [found for found in find_backends() if found.live]

OPERATIONS = 8_000
SEEDS = range(3)
SOAK = float(os.environ.get("FAM_SOAK", 0))
#: Seconds of a test of the soak, well below what pytest takes for a hanging test.
SLICE = 60
#: Seconds. A round takes less than one.
DEADLINE = 60


class How(NamedTuple):
    #: The kernel's limit of unread events; None: as it is.
    queue: int | None = None
    #: Whether the reading process is stopped and continued.
    stopped: bool = False


HOWS = {
    "read at once": How(),
    "128 unread events": How(queue=128),
    "16 unread events": How(queue=16),
    "stopped and continued": How(stopped=True),
}


def play(name, how, seed, place):
    """One round, in a process of its own."""
    options = ["--backend", name]
    if how.queue is not None:
        if name != "inotify":
            pytest.skip("the limit is inotify's own")
        if reason := SMALL_QUEUE["why_not"]():
            pytest.skip(reason)
        options += ["--queue", str(how.queue)]
    arguments = [str(place / "files"), str(seed), str(OPERATIONS), *options]
    with open(place / "said", "w+") as said, open(place / "logged", "w+") as logged:
        oracle = subprocess.Popen([sys.executable, ORACLE, *arguments], stdout=said, stderr=logged)
        try:
            if how.stopped:
                stop_and_continue(oracle, random.Random(seed))
            status = oracle.wait(DEADLINE)
        finally:
            oracle.kill()
            oracle.wait()
        for file in (said, logged):
            file.seek(0)
        if status:
            again = " ".join([ORACLE.name, "DIRECTORY", *arguments[1:]])
            report = said.read() or "".join(logged.readlines()[-50:])
            pytest.fail(f"seed {seed} ({again})\n{report}", pytrace=False)


def stop_and_continue(process, chance):
    """Stop it after some milliseconds, for some milliseconds, until it ends."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        try:
            process.wait(chance.uniform(0.001, 0.01))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGSTOP)
            time.sleep(chance.uniform(0.001, 0.02))
            process.send_signal(signal.SIGCONT)
        else:
            return


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("how", HOWS.values(), ids=HOWS)
@pytest.mark.parametrize("backend", LIVE, ids=lambda found: found.name)
def test_what_monitors_were_told_is_what_is_on_disk(backend, how, seed, tmp_path):
    if backend.backend is None:
        pytest.skip(str(backend))
    play(backend.name, how, seed, tmp_path)


@pytest.mark.skipif(not SOAK, reason="it takes long: FAM_SOAK=<seconds>, or make soak")
@pytest.mark.parametrize("part", range(math.ceil(SOAK / SLICE) or 1))
@pytest.mark.parametrize("backend", LIVE, ids=lambda found: found.name)
def test_it_is_so_for_a_long_time(backend, part, tmp_path):
    end = time.monotonic() + min(SLICE, SOAK - part * SLICE)
    while time.monotonic() < end:
        seed = random.randrange(2**32)
        place = tmp_path / str(seed)
        place.mkdir()
        play(backend.name, random.choice(list(HOWS.values())), seed, place)
