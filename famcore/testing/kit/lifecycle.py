"""From the constructor to `close`: what is opened, and that nothing is left of it."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

from famcore.backend import Backend, Capability, Kind
from famcore.testing.actions import make, make_directory, remove, remove_directory, rename
from famcore.testing.kit.base import Kit
from famcore.testing.kit.rules import Rule, needs
from famcore.testing.kit.trial import RuleBroken, Trial, descriptors

#: How often an instance is made and closed.
_TIMES = 5
#: The exit status of a process that had a child left.
_LEFT = 77
#: Things that are watched until they go.
_GONE = 52


class LifecycleTests(Kit):
    """Its constructor and `close`."""

    def test_closing_it_twice_is_harmless(self, trial: Trial) -> None:
        """A second close does nothing: a descriptor's number may be another's by then."""
        trial.watch()
        trial.instance.close()
        others = [os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC) for _ in range(20)]
        try:
            trial.note("close(), others take the descriptors' numbers, close()")
            trial.instance.close()
            closed = [number for number in others if not _is_open(number)]
            trial.expect(not closed, f"others' descriptors stay open, {closed} do not")
        finally:
            for number in others:
                if _is_open(number):
                    os.close(number)

    def test_what_it_opens_is_closed_when_a_program_is_executed(
        self, usable: type[Backend], rule: Rule, tmp_path: Path
    ) -> None:
        """Every descriptor is close-on-exec: children must not hold what is not theirs."""
        before = descriptors()
        with Trial(usable, rule, tmp_path) as trial:
            trial.do(make_directory("d"), make("f"))
            for name in ("", "d", "f"):
                trial.watch(name)
            opened = descriptors().items() - before.items()
            kept = sorted(what for number, what in opened if os.get_inheritable(number))
            trial.expect(not kept, f"os.set_inheritable(…, False) of {', '.join(kept)}")

    def test_no_descriptor_is_left_when_it_is_closed(
        self, usable: type[Backend], rule: Rule, tmp_path: Path
    ) -> None:
        """`close` releases everything, watches that are out too."""
        # What a library opens once and for all is not of the instance.
        usable().close()
        before = descriptors()
        for number in range(_TIMES):
            with Trial(usable, rule, tmp_path) as trial:
                trial.do(make_directory(f"d{number}"), make(f"f{number}"))
                for name in ("", f"d{number}", f"f{number}"):
                    trial.watch(name)
                trial.do(make(f"d{number}/a"))
                trial.drain()
                trial.note("close()")
        left = sorted(what for _, what in descriptors().items() - before.items())
        trial.expect(not left, f"as many descriptors as before; left are {', '.join(left)}")

    def test_no_descriptor_is_left_of_a_watch_that_ended(self, trial: Trial) -> None:
        """`unwatch` releases what the watch took."""
        trial.do(make_directory("d"), make("f"))
        counts = []
        for _ in range(_TIMES):
            keys = [trial.watch(name) for name in ("d", "f")]
            for key in keys:
                trial.unwatch(key)
            trial.drain()
            counts.append(len(descriptors()))
        trial.expect(
            counts[-1] <= counts[0], f"no more descriptors each time, not {counts} of the process"
        )

    @needs(Capability.LIVE | Capability.EXACT)
    def test_no_descriptor_is_left_of_what_is_gone(self, trial: Trial) -> None:
        """Who says GONE has released what the watch took: unwatch need not be called then."""
        trial.do(make_directory("d"), make_directory("e"))
        # What the first watch opens once and for all is not of what goes.
        trial.watch("d")
        before = descriptors()
        keys = []
        for number in range(_GONE):
            name = f"e/{number}"
            come, go = [(make, remove), (make_directory, remove_directory)][number % 2]
            trial.do(come(name))
            keys.append(trial.watch(name))
            trial.do(rename(name, f"d/{number}") if number % 4 < 2 else go(name))
        trial.until(
            lambda _: all(trial.told(Kind.GONE, key=key) for key in keys), f"GONE of each of {keys}"
        )
        left = sorted(what for _, what in descriptors().items() - before.items())
        trial.expect(
            not left, f"as many descriptors as before; left are {len(left)}: {', '.join(left[:10])}"
        )

    def test_no_thread_is_left_when_it_is_closed(
        self, usable: type[Backend], rule: Rule, tmp_path: Path
    ) -> None:
        """A thread that an instance needs ends with it."""
        usable().close()
        before = set(threading.enumerate())
        with Trial(usable, rule, tmp_path) as trial:
            trial.watch()
            trial.drain()
        trial.note("close()")
        left = [thread.name for thread in set(threading.enumerate()) - before]
        trial.expect(not left, f"no thread but those from before; left are {', '.join(left)}")

    def test_no_process_is_left_when_it_is_closed(
        self, usable: type[Backend], rule: Rule, tmp_path: Path
    ) -> None:
        """A process that an instance starts has ended, and was waited for."""

        def work() -> None:
            with Trial(usable, rule, tmp_path) as trial:
                trial.watch()
                trial.drain()
            try:
                os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            os._exit(_LEFT)

        if _in_child(work) == _LEFT:
            raise RuleBroken(
                f"backend {usable.name!r}: {rule.name}\nthe rule: {rule.text}\n"
                "done:\n    in a process without children an instance is made, watches, is closed"
                "\nexpected: it has no child then, running or not waited for"
            )

    @needs(Capability.LIVE)
    def test_one_instance_goes_on_when_another_is_closed(
        self, usable: type[Backend], trial: Trial
    ) -> None:
        """Instances are independent of each other: a program may have several monitors."""
        trial.do(make_directory("d"))
        other = usable()
        other.watch(trial.path("d"))
        key = trial.begin("d")
        other.close()
        trial.note("another instance that watches 'd' is closed")
        trial.do(make("d/a"))
        if Capability.EXACT in usable.capabilities:
            trial.until(
                lambda _: trial.is_told(Kind.CREATED, key, "a"),
                f"CREATED 'a' of {key!r}, or RESCAN",
            )

    def test_it_works_in_a_forked_child_too(
        self, usable: type[Backend], rule: Rule, tmp_path: Path
    ) -> None:
        """A server may fork before start(): nothing of the parent's is needed to open it."""

        def work() -> None:
            with Trial(usable, rule, tmp_path) as trial:
                trial.watch()
                trial.drain()

        code = _in_child(work)
        if code:
            raise RuleBroken(
                f"backend {usable.name!r}: {rule.name}\nthe rule: {rule.text}\n"
                "done:\n    fork(), in the child: an instance is made, watches, reads and is closed"
                f"\nexpected: the child ends by 0, not {code}"
            )


def _in_child(work: Callable[[], object]) -> int:
    """Do it in a forked child, and return how that ended: 0 if nothing was raised."""
    with warnings.catch_warnings():
        # Of other threads: the child makes use of nothing that they may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
