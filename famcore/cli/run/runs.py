"""The runs of the command, one after the other: when the next begins, and with which changes."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterable, Sequence

from famcore.cli.ends import NOT_EXECUTABLE, NOT_FOUND
from famcore.cli.run.batch import Batch
from famcore.cli.run.handout import Handout
from famcore.cli.run.manner import Busy, Manner
from famcore.cli.run.process import Process
from famcore.cli.run.words import Words
from famcore.cli.say import say
from famcore.events import Event

#: So many runs in a row, each for what came during the one before, look like a loop.
_LOOP = 10
#: Seconds within which a command that is restarted for what it does itself will have done it.
_SOON = 1.0


class Runs:
    """Starts the command when changes have come to rest, and never while it runs.

    For one thread, which calls `step` when `when` says so and on each SIGCHLD. Times are monotonic
    seconds.
    """

    def __init__(
        self,
        words: Words,
        manner: Manner,
        handout: Handout,
        lines: Callable[[Batch], Iterable[bytes]],
    ) -> None:
        """`lines`: a batch as the command reads it."""
        self._words = words
        self._manner = manner
        self._handout = handout
        self._lines = lines
        #: What came since the last run began.
        self._pending = Batch()
        self._first_at = self._last_at = 0.0
        #: What is to be run before that, and need not come to rest: parts too long for one run.
        self._parts: list[Batch] = []
        #: What a run was told that did not come to its end; it is told to the next one.
        self._owed = Batch()
        #: Whether all is monitored.
        self._may_begin = False
        #: Whether the next run need not wait until what is pending has come to rest.
        self._at_once = False
        #: The run that is under way, and what it was told.
        self._process: Process | None = None
        self._told = Batch()
        self._began_at = self._ended_at = 0.0
        #: Until when changes are those that were made while the command ran, under `Busy.IGNORE`.
        self._deaf_until = 0.0
        #: How many runs in a row were for what came during the one before.
        self._in_a_row = 0
        #: Whether a run has begun, ever.
        self._has_begun = False
        #: The worst status of the parts of a batch.
        self._status = 0
        #: Seconds until a change is told.
        self.latency = 0.0
        #: The exit code, once it is known: no run begins from then on.
        self._code: int | None = None

    @property
    def code(self) -> int | None:
        """The exit code, once nothing runs any more."""
        return self._code if self._process is None else None

    @property
    def is_ending(self) -> bool:
        """Whether no run begins any more."""
        return self._code is not None

    @property
    def is_idle(self) -> bool:
        """Whether the command neither runs nor is going to, if nothing comes."""
        is_to_run = self._pending or self._parts or self._at_once
        return self._may_begin and self._process is None and not is_to_run

    def begin(self) -> None:
        """Have the first run, unless it is postponed or there are no paths to give it yet."""
        self._may_begin = True
        self._at_once = not (self._manner.postpone or self._words.takes_paths)

    def add(self, events: Sequence[Event], now: float) -> None:
        """Take in changes."""
        if self._manner.busy is Busy.IGNORE and (self._process or now < self._deaf_until):
            return
        if not self._pending:
            self._first_at = now
        self._last_at = now
        self._pending.add(events, time.time())

    def step(self, now: float) -> None:
        """Do what is to be done now."""
        process = self._process
        if process is not None:
            process.look(now)
            if process.is_over:
                self._ended(process, now)
        if self._code is not None:
            if self._process is not None:
                self._process.stop(now)
        elif self._is_due(now):
            if self._process is None:
                self._start(now)
            else:
                self._while_busy(self._process, now)

    def when(self, now: float) -> float | None:
        """When to do the next step, if nothing comes; None: not before."""
        if self._process is None:
            return None if self._code is not None else self._due_at()
        if self._process.is_ending:
            return self._process.when(now)
        return self._due_at() if self._manner.busy in (Busy.RESTART, Busy.SIGNAL) else None

    def stop(self, code: int) -> None:
        """Have no further run and end the one under way; `code` is the exit code."""
        if self._code is None:
            self._code = code

    def hurry(self) -> None:
        """Wait for nothing when the run under way is ended, or is being ended."""
        if self._process is not None:
            self._process.hurry()

    def close(self) -> None:
        """End a run that is under way, at once."""
        if self._process is not None:
            self._process.close()

    def _is_due(self, now: float) -> bool:
        due_at = self._due_at()
        return due_at is not None and due_at <= now

    def _due_at(self) -> float | None:
        if not self._may_begin:
            return None
        if self._at_once or self._parts:
            return 0.0
        if not self._pending:
            return None
        return self._manner.patience.ends(self._first_at, self._last_at)

    def _while_busy(self, process: Process, now: float) -> None:
        """The changes pending have come to rest, and the command runs."""
        if process.is_ending:
            return
        if self._manner.busy is Busy.RESTART:
            process.stop(now)
        elif self._manner.busy is Busy.SIGNAL:
            pending, self._pending = self._pending, Batch()
            self._handout.write(self._lines(pending))
            process.signal(self._manner.signal)

    def _start(self, now: float) -> None:
        self._at_once = False
        if not self._parts:
            self._parts = self._parts_of_pending()
        self._began_at = now
        self._told = self._parts.pop(0)
        self._handout.begin(self._lines(self._told))
        environment = self._handout.environment(self._told.count)
        words = self._words.with_paths(self._told.paths())
        stop = self._manner.stop
        try:
            if self._manner.stdin:
                with open(self._handout.file, "rb") as events:
                    self._process = Process(words, environment, events, stop)
            else:
                self._process = Process(words, environment, subprocess.DEVNULL, stop)
            self._has_begun = True
        except OSError as error:
            self._not_started(error)

    def _parts_of_pending(self) -> list[Batch]:
        self._look_for_loop()
        batch, self._owed = self._owed, Batch()
        batch.add_all(self._pending)
        self._pending = Batch()
        if not self._words.takes_paths:
            return [batch]
        return batch.split(self._words.room(self._handout.environment(0)))

    def _look_for_loop(self) -> None:
        """Say it, once in each row, if the command seems to be what sets itself off."""
        came_meanwhile = bool(self._pending) and self._first_at < self._ended_at
        if self._manner.busy is Busy.RESTART and self._first_at - self._began_at > _SOON:
            came_meanwhile = False  # a server runs all the time
        self._in_a_row = self._in_a_row + 1 if came_meanwhile else 0
        if self._in_a_row == _LOOP:
            say(
                f"{_LOOP} runs in a row for changes made during the one before; if the command "
                "makes them, see --ignore and --busy ignore"
            )

    def _not_started(self, error: OSError) -> None:
        """The system doesn't execute it: that is the end, or what is there is being replaced."""
        say(f"{error.filename}: {error.strerror}")
        status = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
        self._handout.end()
        self._owe()
        if not self._has_begun:
            self._code = status
        else:
            self._note_status(status)

    def _ended(self, process: Process, now: float) -> None:
        self._process = None
        self._handout.end()
        self._ended_at = now
        # Once for what is told that late, once for what is found by looking after that.
        self._deaf_until = now + 2 * self.latency
        if not process.was_stopped:
            if process.status:
                say(f"{self._words.name} {process.in_words()}")
            self._note_status(process.status)
        else:
            self._owe()
            self._at_once = True

    def _note_status(self, status: int) -> None:
        self._status = self._status or status
        if self._manner.once and not self._parts:
            self._code = self._status

    def _owe(self) -> None:
        """Keep for the next run what this one was told, and has not done."""
        for batch in (self._told, *self._parts):
            self._owed.add_all(batch)
        self._parts = []
