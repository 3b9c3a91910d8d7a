"""`read` and `fileno`: when there is something, and that nobody waits."""

from __future__ import annotations

from famcore.backend import Capability, Kind
from famcore.testing.actions import make, make_all, make_directory
from famcore.testing.kit.base import Kit
from famcore.testing.kit.rules import needs, only_without
from famcore.testing.kit.trial import Trial, in_time

#: Seconds in which a read has returned that waits for nothing, however busy the machine is.
_AT_ONCE = 3.0
#: Files made in a burst, and changes that one read may bring at most.
_MANY, _MOST = 12_000, 10_000
#: Reads in a row that may bring nothing although the descriptor is readable.
_IDLE = 100


class ReadingTests(Kit):
    """Its `read` and `fileno`."""

    def test_reading_never_waits(self, trial: Trial) -> None:
        """`read` brings what is there now: nothing, if nothing is."""
        for what in ("nothing is watched", "nothing has happened"):
            done = in_time(lambda: list(trial.instance.read()), _AT_ONCE)
            trial.note(f"read(), {what}")
            if not done:
                # Something to read may let it come back.
                make("something").run(str(trial.place))
            trial.expect(done, f"read returns, not only after {_AT_ONCE:g} s or never")
            trial.watch()

    @needs(Capability.LIVE)
    def test_what_happens_is_told(self, trial: Trial) -> None:
        """A backend that is LIVE goes on telling: what is made is told, within its latency."""
        trial.do(make_directory("d"))
        key = trial.begin("d")
        trial.do(make("d/a"))
        if Capability.EXACT in trial.capabilities:
            trial.until(
                lambda _: trial.is_told(Kind.CREATED, key, "a"),
                f"CREATED 'a' of {key!r}, or RESCAN, {trial.backend.latency:g} s later or so",
            )

    @needs(Capability.LIVE)
    def test_its_descriptor_is_readable_when_there_is_something_to_read(self, trial: Trial) -> None:
        """`fileno` is readable when read has something, and not for long when it has nothing."""
        trial.do(make_directory("d"))
        trial.begin("d")
        if trial.instance.fileno() is None:
            return
        _idle(trial)
        trial.forget()
        for number in range(3):
            trial.do(make(f"d/a{number}"))
            patience = 10 + 10 * trial.backend.latency
            trial.expect(trial.is_readable(patience), f"fileno() is readable within {patience:g} s")
            trial.rest()
            if Capability.EXACT in trial.capabilities:
                trial.expect(trial.came, "read has what the descriptor was readable for")
            _idle(trial)
            trial.forget()

    def test_its_descriptor_is_one_and_the_same(self, trial: Trial) -> None:
        """`fileno` gives an open descriptor, or None, and always the same."""
        trial.do(make_directory("d"))
        first: object = trial.instance.fileno()
        trial.expect(
            first is None or (isinstance(first, int) and first >= 0),
            f"fileno() gives a descriptor or None, not {first!r}",
        )
        trial.watch("d")
        trial.do(make("d/a"))
        trial.rest()
        trial.expect(trial.instance.fileno() == first, f"fileno() gives {first!r} as before")

    @needs(Capability.LIVE)
    def test_who_is_polled_says_how_late_that_makes_it(self, trial: Trial) -> None:
        """Where fileno is None read is called each interval: latency is at least as much."""
        if trial.instance.fileno() is None:
            latency, interval = trial.backend.latency, trial.backend.interval
            trial.note(f"fileno() gave None; latency is {latency:g}, interval {interval:g}")
            trial.expect(latency >= interval, f"latency is {interval:g}, as interval, or more")

    @needs(Capability.LIVE)
    def test_one_read_brings_a_bounded_number(self, trial: Trial) -> None:
        """Who reads keeps what was read: the rest is left for the next read."""
        trial.do(make_directory("d"))
        trial.begin("d")
        trial.do(make_all("d/{}", _MANY))
        for _ in range(_MANY):
            count = len(trial.read())
            trial.expect(count <= _MOST, f"{_MOST:,} changes at most, not {count:,}")
            if not count:
                break

    @only_without(Capability.LIVE)
    def test_what_is_not_live_has_nothing_to_tell(self, trial: Trial) -> None:
        """A backend that is not LIVE has no descriptor to wait for, and read brings nothing."""
        trial.do(make_directory("d"))
        trial.watch("d")
        trial.do(make("d/a"))
        trial.drain()
        trial.expect(trial.instance.fileno() is None, "fileno() gives None")
        trial.expect(not trial.came, "read brings nothing")


def _idle(trial: Trial) -> None:
    """Read until the descriptor is not readable any more."""
    __tracebackhide__ = True
    idle = 0
    while trial.is_readable():
        idle = 0 if trial.read() else idle + 1
        trial.expect(idle < _IDLE, "fileno() is not readable any more, once read has nothing")
