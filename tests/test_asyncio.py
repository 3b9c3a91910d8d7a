"""Iteration in an asyncio loop: what is lost (nothing), what stays behind (nothing), who waits."""

from __future__ import annotations

import asyncio
import gc
import random
import sys
import threading
import time
import weakref

import pytest

import famcore
from famcore.backend import Backend, Capability, Interest, Kind
from famcore.testing import chaos

DEADLINE = 60.0
#: Seconds after which something surely waits.
A_WHILE = 0.2
#: Seconds after which something most likely waits. What is expected does not depend on it.
SOON = 0.02

CHAOS = ("-m", chaos.__name__)
#: Sockets and links to directories, which `rglob` goes through.
LEFT_OUT = "symlink", "relink", "way", "socket"

WRITER = """
import os, sys
place, first, last = sys.argv[1], *map(int, sys.argv[2:])
for number in range(first, last):
    os.close(os.open(f"{place}/{number:06}", os.O_CREAT | os.O_WRONLY))
"""


def named(name):
    return famcore.Event(0, name, "changed")


def in_asyncio(function):
    """Run a coroutine function to its end, by a deadline; its result."""
    return asyncio.run(asyncio.wait_for(function(), DEADLINE))


def fill(place, count):
    for number in range(count):
        (place / f"{number:06}").touch()


def names(count):
    return [f"{number:06}" for number in range(count)]


async def write(place, count, first=0):
    """Have another process make so many files."""
    arguments = [place, str(first), str(first + count)]
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", WRITER, *arguments)
    assert await process.wait() == 0


async def until(holds):
    """Let others run until something holds."""
    while True:
        if holds():
            return
        await asyncio.sleep(0.001)


class Polled(Backend):
    """Without a descriptor: says once that what is watched is to be looked at."""

    name = "polled"
    api = 1
    priority = 20
    capabilities = Capability.LIVE | Capability.CONTENTS | Capability.EXACT
    interval = 0.01

    @classmethod
    def check(cls):
        pass

    def __init__(self):
        pass

    def watch(self, path, interest=Interest.ALL):
        return path

    def unwatch(self, key):
        pass

    def fileno(self):
        return None

    def read(self):
        return [(Kind.RESCAN, None, "", None, 0)]

    def close(self):
        pass


# Broken off and gone on with


@pytest.mark.parametrize("kind", ["events", "batches"])
def test_what_is_left_of_a_batch_is_for_the_next_iteration(kind, fam, spot):
    fill(spot, 10)
    fam.add_monitor(spot)
    for event in fam:
        assert event.filename == str(spot)
        break
    rest = []
    match kind:
        case "events":
            for event in fam:
                rest.append(event.filename)
                if event.action == "endExist":
                    break
        case _:
            for batch in fam.batches():
                rest.extend(event.filename for event in batch)
                break
    assert sorted(rest) == sorted([*names(10), str(spot)])


def test_what_is_left_of_a_batch_is_for_the_next_async_iteration(fam, spot):
    fill(spot, 10)
    fam.add_monitor(spot)

    async def main():
        seen = []
        for _ in range(12):
            async for event in fam:
                seen.append(event.filename)
                break
            assert not asyncio.get_running_loop().remove_reader(fam.fileno())
        return seen

    assert sorted(in_asyncio(main)) == sorted([*names(10), str(spot), str(spot)])


def test_a_step_that_timed_out_may_be_taken_again(fam, spot):
    fam.add_monitor(spot)
    fam.handle_events()

    async def main():
        events = aiter(fam)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(SOON):
                    await anext(events)
        (spot / "new").mkdir()
        return [await anext(events)]

    assert [event.filename for event in in_asyncio(main)] == ["new"]


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_lost_or_told_twice_by_tasks_that_are_cancelled_at_any_moment(seed, fam, spot):
    count = 20_000
    chance = random.Random(seed)
    fam.add_monitor(spot)
    fam.handle_events()
    seen = []

    async def take():
        async for event in fam:
            if event.action == "created":
                seen.append(event.filename)
            if not chance.randrange(50):
                await asyncio.sleep(0)

    async def main():
        cancelled = 0
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(write(spot, count))
            while len(seen) < count:
                taking = asyncio.create_task(take())
                await asyncio.sleep(chance.choice([0, 0, 0.0001, 0.001, 0.003]))
                taking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await taking
                cancelled += 1
        assert cancelled > 10

    in_asyncio(main)
    assert seen == names(count)


def test_a_stop_ends_it_before_the_next_event_and_the_rest_stays(fam, spot):
    fill(spot, 10)
    fam.add_monitor(spot)

    async def main():
        seen = []
        for _ in range(2):
            async for event in fam:
                seen.append(event.action)
                if event.action in ("exists", "endExist") and len(seen) in (1, 12):
                    fam.stop()
        return seen

    assert in_asyncio(main) == ["exists"] * 11 + ["endExist"]


@pytest.mark.parametrize("kind", ["events", "batches"])
def test_it_stays_ended(kind, fam, spot):
    fam.add_monitor(spot)

    async def main():
        iterator = aiter(fam if kind == "events" else fam.batches())
        await anext(iterator)
        fam.stop()
        for _ in range(2):
            with pytest.raises(StopAsyncIteration):
                await anext(iterator)

    in_asyncio(main)


def test_a_shutdown_drops_what_is_left(fam, spot):
    fill(spot, 10)
    fam.add_monitor(spot)

    async def main():
        seen = []
        async for event in fam:
            seen.append(event)
            fam.shutdown()
        async for event in fam:
            seen.append(event)
        return seen

    assert len(in_asyncio(main)) == 1


def test_what_is_left_of_a_removed_monitor_is_not_told(fam, spot):
    fill(spot, 10)
    first, second = fam.add_monitor(spot), fam.add_monitor(spot)

    async def main():
        seen = []
        async for event in fam:
            seen.append(event.request_id)
            if len(seen) == 1:
                fam.remove_monitor(first)
            if event.action == "endExist":
                break
        return seen

    assert in_asyncio(main) == [first] + [second] * 12


# Several at once


@pytest.mark.parametrize("ending", ["stop", "shutdown"])
def test_two_tasks_share_the_events_and_both_end(ending, fam, spot):
    count = 5_000
    fill(spot, count)
    fam.add_monitor(spot)
    seen = []

    async def take(shares, number):
        async for event in fam:
            shares[number] += 1
            seen.append(event.filename)
            await asyncio.sleep(0)

    async def main():
        shares = [0, 0]
        async with asyncio.TaskGroup() as tasks:
            for number in range(2):
                tasks.create_task(take(shares, number))
            await until(lambda: len(seen) == count + 2)
            # Both wait.
            await asyncio.sleep(SOON)
            for number in range(100):
                (spot / f"new {number}").mkdir()
                await asyncio.sleep(0)
            await until(lambda: len(seen) == count + 102)
            getattr(fam, ending)()
        assert all(shares)

    in_asyncio(main)
    assert len(seen) == len({*seen}) + 1 == count + 102


def test_one_that_waits_is_not_disturbed_by_another_that_is_cancelled(fam, spot):
    fam.add_monitor(spot)
    fam.handle_events()

    async def take():
        return (await anext(aiter(fam))).filename

    async def main():
        for cancelled in range(2):
            taking = [asyncio.create_task(take()) for _ in range(2)]
            await asyncio.sleep(SOON)
            taking[cancelled].cancel()
            await asyncio.sleep(SOON)
            (spot / f"new {cancelled}").mkdir()
            assert await taking[1 - cancelled] == f"new {cancelled}"

    in_asyncio(main)


def test_several_are_iterated_over_in_one_loop_without_a_thread(make_fam, tmp_path):
    places = [tmp_path / f"{number}" for number in range(5)]
    threads = threading.active_count()

    async def take(place):
        fam = make_fam()
        fam.add_monitor(place)
        seen = []
        async for event in fam:
            seen.append(event.action)
            if event.action == "endExist":
                await asyncio.sleep(SOON)
                (place / "new").mkdir()
            if event.action == "created":
                fam.stop()
        assert threading.active_count() == threads
        return seen

    async def main():
        async with asyncio.TaskGroup() as tasks:
            taking = [tasks.create_task(take(place)) for place in places]
        return [task.result() for task in taking]

    for place in places:
        place.mkdir()
    assert in_asyncio(main) == [["exists", "endExist", "created"]] * len(places)


def test_one_loop_after_the_other_iterates(fam, spot):
    fam.add_monitor(spot)

    async def main():
        return (await anext(aiter(fam))).action

    assert [in_asyncio(main) for _ in range(2)] == ["exists", "endExist"]


def test_loops_of_two_threads_share_the_events(fam, spot, background):
    count = 2_000
    fam.add_monitor(spot)
    fam.handle_events()
    seen = []

    async def take():
        async for event in fam:
            seen.append(event.filename)
            if len(seen) >= count:
                fam.stop()

    taking = [background(in_asyncio, take) for _ in range(2)]
    fill(spot, count)
    for wait in taking:
        wait()
    assert sorted(seen) == names(count)


def test_it_rests_while_another_thread_delivers(fam, spot, background, until):
    fam.add_monitor(spot)
    fam.handle_events()
    busy, done = threading.Event(), threading.Event()

    def linger(event):
        busy.set()
        done.wait(DEADLINE)

    fam.add_monitor(spot, linger)
    handling = background(fam.handle_events)
    until(busy.is_set)
    (spot / "new").mkdir()

    async def take():
        async for _ in fam:
            pass

    async def main():
        began = time.thread_time()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(take(), A_WHILE * 5)
        return time.thread_time() - began

    spent = in_asyncio(main)
    done.set()
    handling()
    assert spent < A_WHILE


def test_a_failing_task_of_a_group_ends_it_and_nothing_stays_behind(fam, spot):
    fam.add_monitor(spot)
    fam.handle_events()

    async def take():
        async for _ in fam:
            pass

    async def fail():
        await asyncio.sleep(SOON)
        raise ValueError

    async def both():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(take())
            tasks.create_task(fail())

    async def main():
        with pytest.raises(ExceptionGroup, match="unhandled errors"):
            await both()
        assert not asyncio.get_running_loop().remove_reader(fam.fileno())

    in_asyncio(main)


def test_a_loop_that_is_closed_while_a_task_waits_is_not_kept(fam, spot):
    fam.add_monitor(spot)
    fam.handle_events()

    async def take():
        async for _ in fam:
            pass

    def close_amid():
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda loop, context: None)  # it tells of the task
        task = loop.create_task(take())
        loop.run_until_complete(asyncio.sleep(SOON))
        assert not task.done()
        loop.close()
        return weakref.ref(loop)

    closed = close_amid()
    gc.collect()
    assert closed() is None
    # And whoever comes next is told.
    (spot / "new").mkdir()

    async def main():
        return (await anext(aiter(fam))).filename

    assert in_asyncio(main) == "new"


# Monitors come and go


def test_monitors_are_added_and_removed_in_the_loop(fam, tmp_path):
    places = [tmp_path / f"{number}" for number in range(50)]
    for place in places:
        place.mkdir()
    told = []

    async def change():
        for place in places:
            number = fam.add_monitor(place)
            await until(lambda path=str(place): (path, "endExist") in told)
            (place / "new").mkdir()
            await until(lambda path=str(place / "new"): (path, "created") in told)
            fam.remove_monitor(number)
            (place / "unheard").mkdir()
        fam.stop()

    async def take():
        async for event in fam:
            told.append((event.path, event.action))

    async def main():
        # As long as nothing is monitored it waits, too.
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(take())
            await asyncio.sleep(SOON)
            tasks.create_task(change())

    in_asyncio(main)
    assert len(told) == 3 * len(places)
    assert not [path for path, _ in told if path.endswith("unheard")]


def test_a_backend_without_a_descriptor_is_heard(make_fam, spot):
    fam = make_fam(backend=Polled)
    fam.add_monitor(spot)

    async def main():
        seen = []
        async for event in fam:
            seen.append((event.action, event.filename))
            if event.action == "endExist":
                asyncio.get_running_loop().call_later(SOON, (spot / "new").mkdir)
            if event.action == "created":
                break
        return seen

    assert in_asyncio(main)[-1] == ("created", "new")


# Many


@pytest.mark.parametrize("seed", range(3))
def test_a_tree_in_which_all_happens_is_known_by_two_tasks_that_are_cancelled(seed, fam, tmp_path):
    """What stands by the events that both have taken is what is on disk."""
    place = tmp_path / "1"
    for name in ("root", "out"):
        (place / name).mkdir(parents=True)
    fam.add_monitor(place / "root", recursive=True)
    chance = random.Random(seed)
    names, twice = set(), []

    async def take():
        async for event in fam:
            if event.action in ("exists", "created"):
                twice.extend({event.filename} & names)
                names.add(event.filename)
            elif event.action == "deleted":
                names.discard(event.filename)

    async def main():
        arguments = [str(place), str(seed), "2000", *LEFT_OUT]
        process = await asyncio.create_subprocess_exec(sys.executable, *CHAOS, *arguments)
        quiet = 0.0
        # Taken at last: by those who are not cancelled soon.
        while process.returncode is None or quiet < A_WHILE:
            taking = [asyncio.create_task(take()) for _ in range(2)]
            quiet = A_WHILE if process.returncode is not None else chance.choice([0, 0.001, 0.01])
            await asyncio.wait(taking, timeout=quiet)
            for task in taking:
                task.cancel()
            await asyncio.wait(taking)
        assert process.returncode == 0

    in_asyncio(main)
    root = place / "root"
    on_disk = {str(path.relative_to(root)) for path in root.rglob("*")}
    assert names - {str(root)} == {name for name in on_disk if not fam.should_ignore(named(name))}
    assert twice == []


def test_fifty_thousand_are_told_in_order_and_gather_in_batches(fam, spot):
    count = 50_000
    fam.add_monitor(spot)
    fam.handle_events()
    seen, sizes = [], []

    async def main():
        writing = asyncio.create_task(write(spot, count))
        async for batch in fam.batches():
            sizes.append(len(batch))
            seen.extend(event.filename for event in batch if event.action == "created")
            if len(seen) == count:
                break
        await writing

    began = time.monotonic()
    in_asyncio(main)
    took = time.monotonic() - began
    assert seen == names(count)
    # In a burst they gather for 2 ms. Read as they come, it is a few at a time: 10,000 batches.
    assert len(sizes) < 200 + took / 0.001


def test_a_single_change_is_told_at_once(fam, spot):
    """No pause is made where there is no burst."""
    fam.add_monitor(spot)
    fam.handle_events()
    delays = []

    async def main():
        for number in range(50):
            asyncio.get_running_loop().call_later(0.005, make, number)
            async for _ in fam:
                delays.append(time.monotonic() - made[-1])
                break

    def make(number):
        made.append(time.monotonic())
        (spot / f"{number}").mkdir()

    made = []
    in_asyncio(main)
    assert min(delays) < 0.001


def test_others_have_their_turn_between_batches(fam, spot):
    fill(spot, 20_000)
    fam.add_monitor(spot)
    turns = []

    async def count_turns():
        while True:
            await asyncio.sleep(0)
            turns.append(None)

    async def main():
        counting = asyncio.create_task(count_turns())
        batches = 0
        async for batch in fam.batches():
            batches += 1
            assert len(turns) >= batches - 1
            if batch[-1].action == "endExist":
                break
        counting.cancel()
        assert batches > 10

    in_asyncio(main)


def test_the_loop_is_left_alone_where_nothing_is_live(make_fam, spot):
    fam = make_fam(backend="pseudo")
    fam.add_monitor(spot)

    async def main():
        return [event.action async for event in fam]

    assert in_asyncio(main) == ["exists", "endExist"]
