"""The oracle where there is little room or time: what monitors are told, against the disk.

Random operations at full speed that are read at once are in the kit.

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

from famcore.catalog import Status, find_backends

ORACLE = Path(__file__).with_name("oracle.py")
SMALL_QUEUE = runpy.run_path(str(ORACLE.with_name("small_queue.py")))
WATCH_LIMIT = runpy.run_path(str(ORACLE.with_name("watch_limit.py")))
LIVE = [found for found in find_backends() if found.live and found.status is Status.USABLE]

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
    #: The kernel's limit of watches; None: as it is.
    watches: int | None = None
    #: Whether the reading process is stopped and continued.
    stopped: bool = False
    operations: int = OPERATIONS

    def why_not(self, backend):
        """What keeps it from being played; None: nothing."""
        if (self.queue, self.watches) != (None, None) and backend != "inotify":
            return "the limit is inotify's own"
        if self.queue is not None and (reason := SMALL_QUEUE["why_not"]()):
            return reason
        return None if self.watches is None else WATCH_LIMIT["why_not"]()


HOWS = {
    "1,024 unread events": How(queue=1_024),
    "128 unread events": How(queue=128),
    "16 unread events": How(queue=16),
    "8 watches": How(watches=8, operations=2_000),
    "20 watches": How(watches=20, operations=4_000),
    "stopped and continued": How(stopped=True),
}
#: More of them, for the soak.
ALL_HOWS = [
    *HOWS.values(),
    How(),
    How(watches=40),
    How(watches=20, operations=4_000, stopped=True),
    How(watches=20, operations=4_000, queue=16),
]


def play(name, how, seed, place):
    """One round, in a process of its own."""
    command, options = [sys.executable], ["--backend", name]
    if how.queue is not None:
        options += ["--queue", str(how.queue)]
    if how.watches is not None:
        command = [*WATCH_LIMIT["NAMESPACE"], *command]
        options += ["--watches", str(how.watches)]
    arguments = [str(place / "files"), str(seed), str(how.operations), *options]
    with open(place / "said", "w+") as said, open(place / "logged", "w+") as logged:
        oracle = subprocess.Popen([*command, ORACLE, *arguments], stdout=said, stderr=logged)
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
            again = " ".join([*command[:-1], ORACLE.name, "DIRECTORY", *arguments[1:]])
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


#: Of a late backend one, for a round takes long.
PLAYED = [
    pytest.param(found, seed, id=f"{found.name}-{seed}")
    for found in LIVE
    for seed in (SEEDS[:1] if found.backend and found.backend.latency else SEEDS)
]


@pytest.mark.parametrize("how", HOWS.values(), ids=HOWS)
@pytest.mark.parametrize(("backend", "seed"), PLAYED)
def test_what_monitors_were_told_is_what_is_on_disk(backend, how, seed, tmp_path):
    if backend.backend is None:
        pytest.skip(str(backend))
    if reason := how.why_not(backend.name):
        pytest.skip(reason)
    play(backend.name, how, seed, tmp_path)


@pytest.mark.skipif(not SOAK, reason="it takes long: FAM_SOAK=<seconds>, or make soak")
@pytest.mark.parametrize("part", range(math.ceil(SOAK / SLICE) or 1))
@pytest.mark.parametrize("backend", LIVE, ids=lambda found: found.name)
def test_it_is_so_for_a_long_time(backend, part, tmp_path):
    if backend.backend is None:
        pytest.skip(str(backend))
    hows = [how for how in ALL_HOWS if how.why_not(backend.name) is None]
    end = time.monotonic() + min(SLICE, SOAK - part * SLICE)
    while time.monotonic() < end:
        seed = random.randrange(2**32)
        place = tmp_path / str(seed)
        place.mkdir()
        play(backend.name, random.choice(hows), seed, place)
